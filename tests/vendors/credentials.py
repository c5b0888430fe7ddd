"""Where a gateway fetches its credentials: Entra ID, AWS STS, Secret Manager, Google's metadata server."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from google_crc32c import value as crc32c
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.vendors.fake import Asked, Fake, recorded
from tests.vendors.gemini import google_error
from tests.vendors.script import Error, Raw
from tests.vendors.sigv4 import Account

FLAVOR = {"Metadata-Flavor": "Google"}
XML = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXPIRES = "2099-01-01T00:00:00Z"

Grant = Callable[[Asked, Fake], Response]


def identity_token(audience: str, *, now: float | None = None) -> str:
    """A token of a JWT's form, signed by nobody."""
    moment = int(time.time() if now is None else now)
    claims = {"aud": audience, "iss": "https://accounts.google.com", "iat": moment, "exp": moment + 3600, "sub": "117"}
    return ".".join([_segment({"alg": "RS256", "typ": "JWT"}), _segment(claims), "c2lnbmF0dXJl"])


def credential_routes(fake: Fake) -> list[Route]:
    """All four. Facts: ``client`` (id, secret), ``role``, ``secrets`` (resource name of a version to its text),
    ``account`` (what STS hands out), ``expires_in``."""
    metadata = "/computeMetadata/v1"
    own = f"{metadata}/instance/service-accounts/{{account}}"
    return [
        _granting(fake, "/{tenant}/oauth2/v2.0/token", entra, "POST"),
        _granting(fake, "/", sts, "POST"),
        _granting(fake, "/", sts, "GET"),
        _granting(fake, "/v1/{name:path}:access", secret, "GET"),
        _granting(fake, f"{own}/token", access_token, "GET"),
        _granting(fake, f"{own}/identity", identity, "GET"),
        _granting(fake, f"{metadata}/project/project-id", project, "GET"),
    ]


def entra(asked: Asked, fake: Fake) -> Response:
    """Client credentials, by secret or by a Google identity token."""
    form = asked.body if isinstance(asked.body, dict) else {}
    client, password = fake.facts.get("client", ("client-of-the-fake", "secret-of-the-fake"))
    if form.get("grant_type") != "client_credentials" or not str(form.get("scope", "")).endswith("/.default"):
        return _entra_refusal(400, "invalid_request", "AADSTS900144: grant_type and a scope ending in /.default needed")
    federated = form.get("client_assertion_type") == ASSERTION and str(form.get("client_assertion", "")).count(".") == 2
    if form.get("client_id") != client or not (federated or form.get("client_secret") == password):
        return _entra_refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
    seconds = fake.facts.get("expires_in", 3599)
    return JSONResponse(
        {"token_type": "Bearer", "expires_in": seconds, "access_token": fake.facts.get("token", "entra-token")}
    )


def sts(asked: Asked, fake: Fake) -> Response:
    """AssumeRoleWithWebIdentity; the request is not signed."""
    form = {**asked.query, **(asked.body if isinstance(asked.body, dict) else dict(parse_qsl(asked.raw.decode())))}
    needed = ("RoleArn", "RoleSessionName", "WebIdentityToken")
    if (form.get("Action"), form.get("Version")) != ("AssumeRoleWithWebIdentity", "2011-06-15"):
        return _sts_refusal(400, "InvalidAction", "Could not find the operation.")
    if missing := [name for name in needed if not form.get(name)]:
        return _sts_refusal(400, "ValidationError", f"{missing[0]} must not be empty.")
    if form["WebIdentityToken"].count(".") != 2:
        return _sts_refusal(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    if form["RoleArn"] != fake.facts.get("role", form["RoleArn"]):
        return _sts_refusal(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    account = fake.facts.get("account", Account(session_token="session-of-the-fake"))
    return Response(_assumed(account, fake.facts.get("expires_at", EXPIRES)), media_type="text/xml")


def secret(asked: Asked, fake: Fake) -> Response:
    """A secret's version, with its checksum."""
    if asked.headers.get("authorization") != f"Bearer {fake.key}":
        return JSONResponse(google_error(Error(401, "Request had invalid authentication credentials.")), 401)
    name = asked.parameters["name"]
    text = fake.facts.get("secrets", {}).get(name)
    if text is None:
        return JSONResponse(google_error(Error(404, f"Secret [{name}] not found or has no versions.")), 404)
    data = str(text).encode()
    payload = {"data": base64.b64encode(data).decode(), "dataCrc32c": str(crc32c(data))}
    return JSONResponse({"name": name, "payload": payload})


def access_token(asked: Asked, fake: Fake) -> Response:
    """The service account's access token."""
    seconds = fake.facts.get("expires_in", 3599)
    return _flavored(asked, JSONResponse({"access_token": fake.key, "expires_in": seconds, "token_type": "Bearer"}))


def identity(asked: Asked, fake: Fake) -> Response:
    """The service account's identity token for an audience."""
    if "audience" not in asked.query:
        return PlainTextResponse("non-empty audience parameter required", 400, headers=FLAVOR)
    return _flavored(asked, PlainTextResponse(identity_token(asked.query["audience"])))


def project(asked: Asked, fake: Fake) -> Response:
    """The project's name."""
    return _flavored(asked, PlainTextResponse(str(fake.facts.get("project", "acme-project"))))


def _granting(fake: Fake, path: str, grant: Grant, method: str) -> Route:
    async def answer(request: Request) -> Response:
        asked = await recorded(fake, request)
        match fake.upcoming():
            case Error() as error:
                headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
                return JSONResponse(google_error(error), error.status, headers=headers)
            case Raw() as raw:
                return Response(b"".join(raw.body), raw.status, media_type=raw.kind)
            case _:
                return grant(asked, fake)

    return Route(path, answer, methods=[method])


def _flavored(asked: Asked, answer: Response) -> Response:
    """Nobody but a caller who names the flavour is answered."""
    if asked.headers.get("metadata-flavor") != "Google":
        return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403)
    answer.headers["Metadata-Flavor"] = "Google"
    return answer


def _entra_refusal(status: int, kind: str, said: str) -> Response:
    return JSONResponse({"error": kind, "error_description": said, "error_codes": [7000215]}, status)


def _sts_refusal(status: int, code: str, said: str) -> Response:
    inside = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(said)}</Message></Error>"
    return Response(f"<ErrorResponse {XML}>{inside}</ErrorResponse>", status, media_type="text/xml")


def _assumed(account: Account, expires: str) -> str:
    fields = {
        "AccessKeyId": account.access_key,
        "SecretAccessKey": account.secret_key,
        "SessionToken": account.session_token or "session-of-the-fake",
        "Expiration": expires,
    }
    inside = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    result = f"<AssumeRoleWithWebIdentityResult><Credentials>{inside}</Credentials></AssumeRoleWithWebIdentityResult>"
    return f"<AssumeRoleWithWebIdentityResponse {XML}>{result}</AssumeRoleWithWebIdentityResponse>"


def _segment(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
