import subprocess
import sys

import pytest

from tests.unit.adapters.clouds import FakeSecrets, Numbered
from tuneway.adapters.aws_keys import WrittenKeys
from tuneway.adapters.credentials import CloudCredentials
from tuneway.errors import UpstreamError
from tuneway.ports import Auth, UpstreamRequest

REQUEST = UpstreamRequest(
    url="https://h/model/a%3A0/converse", headers={"content-type": "application/json"}, body=b"{}"
)
SECRETS = FakeSecrets(
    key="sk-1",
    two="sk-1\r\nx: y",
    umlaut="schlüssel",
    aws='{"access_key_id": "AKIA", "secret_access_key": "s"}',
    own='{"access_key_id": "sk-1", "secret_access_key": "sk-1"}',
)
CREDENTIALS = CloudCredentials(SECRETS, Numbered("google"), entra=Numbered, aws=WrittenKeys(SECRETS, "own"))
BARE = CloudCredentials(SECRETS, Numbered("google"))


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (Auth(kind="google"), {"authorization": "Bearer google"}),
        (Auth(kind="key", header="api-key", secret="key"), {"api-key": "sk-1"}),
        (Auth(kind="bearer", secret="key"), {"authorization": "Bearer sk-1"}),
        (Auth(kind="entra", scope="https://x/.default"), {"authorization": "Bearer https://x/.default"}),
        (Auth(kind="sigv4", region="eu-west-1", secret="key"), {"authorization": "Bearer sk-1"}),
        (Auth(kind="none"), {}),
    ],
)
async def test_each_kind_of_proof_has_its_headers(auth: Auth, headers: dict[str, str]) -> None:
    assert await CREDENTIALS.headers(REQUEST, auth) == headers


@pytest.mark.parametrize(("secret", "key"), [("aws", "AKIA"), (None, "sk-1")])
async def test_a_request_is_signed_with_the_routes_keys_or_the_installations(secret: str | None, key: str) -> None:
    headers = await CREDENTIALS.headers(REQUEST, Auth(kind="sigv4", region="eu-west-1", secret=secret))
    assert headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={key}/")
    assert "content-type;host;x-amz-date" in headers["authorization"]


async def test_a_scopes_tokens_are_made_once() -> None:
    made: list[str] = []

    def entra(scope: str) -> Numbered:
        made.append(scope)
        return Numbered(scope)

    credentials = CloudCredentials(SECRETS, Numbered("google"), entra=entra)
    for _ in range(2):
        await credentials.headers(REQUEST, Auth(kind="entra", scope="a"))
    assert made == ["a"]


@pytest.mark.parametrize("auth", [Auth(kind="key"), Auth(kind="bearer"), Auth(kind="entra"), Auth(kind="sigv4")])
async def test_what_is_not_set_up_is_a_fault_of_ours(auth: Auth) -> None:
    with pytest.raises(UpstreamError) as caught:
        await BARE.headers(REQUEST, auth)
    assert (caught.value.status, caught.value.code) == (502, "no_upstream_credentials")


@pytest.mark.parametrize("secret", ["two", "umlaut"])
@pytest.mark.parametrize("kind", ["key", "bearer", "sigv4"])
async def test_a_secret_cannot_add_a_header(kind: str, secret: str) -> None:
    auth = Auth(kind="key" if kind == "key" else "bearer" if kind == "bearer" else "sigv4", secret=secret)
    with pytest.raises(UpstreamError, match="characters that no header can"):
        await BARE.headers(REQUEST, auth)


def test_the_signer_is_loaded_with_the_first_request_that_needs_it() -> None:
    probe = "import sys, tuneway.adapters.credentials; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False, env={"PYTHONPATH": "shared"}).returncode == 0
