"""The signature against AWS's published vectors and against one made by hand from its description."""

import hmac
import logging
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote, urlsplit

import pytest

from tuneway.adapters.aws_keys import AwsKeys
from tuneway.adapters.aws_signing import sign
from tuneway.ports import UpstreamRequest
from tuneway.prediction.providers import table
from tuneway.routing.routes import Target

KEYS = AwsKeys(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
LENT = AwsKeys(access_key_id="ASIA", secret_access_key="hidden", session_token="lent")
ARN = "arn:aws:bedrock:eu-west-1:123456789012:custom-model-deployment/abcdef123456"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()


def by_hand(request: UpstreamRequest, keys: AwsKeys, *, scope: str, headers: Mapping[str, str]) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html"""
    names = ";".join(sorted(headers))
    path = quote(urlsplit(request.url).path or "/", safe="/~")
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{request.method}\n{path}\n\n{lines}\n{names}\n{sha256(request.body).hexdigest()}"
    digest = sha256(canonical.encode()).hexdigest()
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}").hex()


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ],
)
def test_the_hand_agrees_with_awss_published_vectors(method: str, signature: str) -> None:
    """``get-vanilla`` and ``post-vanilla`` of the Signature Version 4 test suite."""
    request = UpstreamRequest(
        method="GET" if method == "GET" else "POST", url="https://example.amazonaws.com/", headers={}
    )
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    assert by_hand(request, KEYS, scope="20150830/us-east-1/service/aws4_request", headers=headers) == signature


@pytest.mark.parametrize("model", ["eu.anthropic.claude-x-v1:0", ARN])
@pytest.mark.parametrize("keys", [KEYS, LENT])
def test_what_is_signed_is_what_is_sent(model: str, keys: AwsKeys) -> None:
    url = table.url(Target(dialect="bedrock", provider="bedrock", model=model, region="eu-west-1"), stream=True)
    request = UpstreamRequest(url=url, headers={"content-type": "application/json"}, body=b'{"messages":[]}')
    given = dict(sign(request, keys, region="eu-west-1"))
    proof = given.pop("authorization")
    headers = {"host": urlsplit(url).netloc, "content-type": "application/json", **given}
    scope = f"{given['x-amz-date'][:8]}/eu-west-1/bedrock/aws4_request"
    signature = by_hand(request, keys, scope=scope, headers=headers)
    assert proof == (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key_id}/{scope}, "
        f"SignedHeaders={';'.join(sorted(headers))}, Signature={signature}"
    )
    assert given.get("x-amz-security-token") == keys.session_token


def test_a_port_belongs_to_the_signed_host() -> None:
    request = UpstreamRequest(url="http://127.0.0.1:4567/model/a/converse", headers={}, body=b"{}")
    given = dict(sign(request, KEYS, region="eu-west-1"))
    scope = f"{given['x-amz-date'][:8]}/eu-west-1/bedrock/aws4_request"
    headers = {"host": "127.0.0.1:4567", "x-amz-date": given["x-amz-date"]}
    assert given["authorization"].endswith(by_hand(request, KEYS, scope=scope, headers=headers))


def test_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sign(UpstreamRequest(url="https://h/", headers={}, body=b""), LENT, region="eu-west-1")
    assert "lent" not in caplog.text


def test_keys_never_show_themselves() -> None:
    assert repr(LENT) == str(LENT) == "AwsKeys(…)"
