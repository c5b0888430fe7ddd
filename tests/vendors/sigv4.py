"""Whether a request bears AWS's Signature Version 4, computed anew from what arrived."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from tests.vendors.fake import Asked, Refused
from tests.vendors.shapes import refuse

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Account:
    """Made-up credentials that a fake knows."""

    access_key: str = "AKIAFAKEFAKEFAKEFAKE"
    secret_key: str = "fake/secret/key/of/no/account+at+all0000"
    session_token: str | None = None
    region: str = "us-east-1"
    service: str = "bedrock"


def verify(asked: Asked, account: Account, *, now: datetime | None = None) -> None:
    """Refuses what AWS refuses, with its names for it."""
    found = AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if found is None:
        raise _no("MissingAuthenticationTokenException", "Missing Authentication Token")
    if found["key"] != account.access_key or asked.headers.get("x-amz-security-token") != account.session_token:
        raise _no("UnrecognizedClientException", "The security token included in the request is invalid.")
    if (found["region"], found["service"]) != (account.region, account.service):
        raise _no("InvalidSignatureException", "Credential should be scoped to a valid region and service.")
    signed = found["signed"].split(";")
    _dated(asked, found["day"], now or datetime.now(UTC))
    _complete(asked, signed)
    if not hmac.compare_digest(signature(asked, account, signed), found["signature"]):
        raise _no("InvalidSignatureException", "The request signature we calculated does not match the signature.")


def signature(asked: Asked, account: Account, signed: list[str]) -> str:
    """The signature that this request should bear."""
    moment = asked.headers["x-amz-date"]
    scope = f"{moment[:8]}/{account.region}/{account.service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(_canonical(asked, signed)).hexdigest()])
    key = f"AWS4{account.secret_key}".encode()
    for part in (moment[:8], account.region, account.service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _canonical(asked: Asked, signed: list[str]) -> bytes:
    query = sorted((quote(name, "-_.~"), quote(value, "-_.~")) for name, value in parse_qsl(_query(asked.query)))
    headers = [f"{name}:{' '.join(asked.headers[name].split())}\n" for name in signed]
    return "\n".join(
        [
            asked.method,
            quote(asked.raw_path.partition("?")[0], "/-_.~"),  # what is encoded once is encoded again, but for S3
            "&".join(f"{name}={value}" for name, value in query),
            "".join(headers),
            ";".join(signed),
            hashlib.sha256(asked.raw).hexdigest(),
        ]
    ).encode()


def _query(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())


def _dated(asked: Asked, day: str, now: datetime) -> None:
    moment = asked.headers.get("x-amz-date", "")
    if re.fullmatch(r"\d{8}T\d{6}Z", moment) is None or not moment.startswith(day):
        raise _no("IncompleteSignatureException", "Date in Credential scope does not match the date of the request.")
    if abs(datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - now) > SKEW:
        raise _no("InvalidSignatureException", f"Signature expired: {moment}")


def _complete(asked: Asked, signed: list[str]) -> None:
    needed = {"host", *(name for name in asked.headers if name.startswith("x-amz-"))}
    if signed != sorted(signed) or needed - set(signed) or not set(signed) <= set(asked.headers):
        raise _no("InvalidSignatureException", "'Host' and every 'x-amz-*' header must be signed, in order.")
    sent = asked.headers.get("x-amz-content-sha256")
    if sent is not None and sent != hashlib.sha256(asked.raw).hexdigest():
        raise _no("InvalidSignatureException", "The provided 'x-amz-content-sha256' does not match the body.")


def _no(kind: str, said: str) -> Refused:
    return refuse(403, said, kind=kind)
