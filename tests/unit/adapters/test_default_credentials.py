import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.vendors.serving import serving
from tuneway.adapters.default_credentials import DefaultKeys, DefaultTokens
from tuneway.errors import UpstreamError


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Google's token endpoint; each token is another one."""
    tokens: list[str] = []

    async def token(_: Request) -> Response:
        tokens.append(f"token-{len(tokens) + 1}")
        return JSONResponse({"access_token": tokens[-1], "expires_in": 3600, "token_type": "Bearer"})

    async def refusal(_: Request) -> Response:
        return JSONResponse({"error": "invalid_grant"}, 400)

    app = Starlette(routes=[Route("/token", token, methods=["POST"]), Route("/no", refusal, methods=["POST"])])
    with serving(app) as served:
        yield served.url


def account(key: str, issuer: str) -> str:
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "shop",
            "private_key_id": "1",
            "private_key": key,
            "client_email": "shop@example.com",
            "token_uri": issuer,
        }
    )


async def test_a_key_file_of_the_environment_gives_tokens_and_the_project(
    key: str, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.json").write_text(account(key, f"{issuer}/token"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    tokens = DefaultTokens()
    assert await tokens.project() == "shop"
    first = await tokens.token()
    assert await tokens.token() == first
    assert await tokens.renew()
    assert await tokens.token() != first


@pytest.mark.parametrize("as_file", [False, True])
async def test_given_credentials_are_a_file_or_its_json(
    key: str, issuer: str, tmp_path: Path, *, as_file: bool
) -> None:
    given = account(key, f"{issuer}/token")
    (tmp_path / "key.json").write_text(given)
    tokens = DefaultTokens(str(tmp_path / "key.json") if as_file else given)
    assert (await tokens.token()).startswith("token-")


@pytest.mark.parametrize("given", ["/nowhere/key.json", "{}", '{"type": "unknown"}'])
async def test_credentials_that_are_none_are_told_of(given: str) -> None:
    with pytest.raises(UpstreamError, match="Application Default Credentials"):
        await DefaultTokens(given).token()


async def test_a_refused_login_is_told_of(key: str, issuer: str) -> None:
    with pytest.raises(UpstreamError, match="gave no token"):
        await DefaultTokens(account(key, f"{issuer}/no")).token()


async def test_keys_of_aws_come_from_its_default_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "lent")
    keys = await DefaultKeys().keys()
    assert (keys.access_key_id, keys.secret_access_key, keys.session_token) == ("AKIA", "made-up", "lent")


async def test_a_computer_without_keys_of_aws_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UpstreamError, match="no keys of AWS"):
        await DefaultKeys().keys()
