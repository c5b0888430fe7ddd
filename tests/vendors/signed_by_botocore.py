"""Whether a request bears the signature that botocore's own signer computes for what arrived."""

import hashlib
import re
from collections.abc import Mapping
from typing import Protocol

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.vendors.sigv4 import Account

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
NEEDED = {"s3": {"host", "x-amz-date", "x-amz-content-sha256"}, "bedrock": {"host", "x-amz-date"}}


class Arrived(Protocol):
    """A request as it arrived."""

    @property
    def method(self) -> str: ...
    @property
    def raw_path(self) -> str: ...
    @property
    def query_string(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def raw(self) -> bytes: ...


def signing_fault(asked: Arrived, account: Account) -> str:
    """AWS's name for what is wrong with the signature, or nothing."""
    found = AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if found is None:
        return "MissingAuthenticationTokenException"
    if found["key"] != account.access_key or asked.headers.get("x-amz-security-token") != account.session_token:
        return "InvalidAccessKeyId" if account.service == "s3" else "UnrecognizedClientException"
    if (found["region"], found["service"]) != (account.region, account.service):
        return "AuthorizationHeaderMalformed" if account.service == "s3" else "InvalidSignatureException"
    signed = found["signed"].split(";")
    if NEEDED[account.service] - set(signed) or _signature(asked, account, signed) != found["signature"]:
        return "SignatureDoesNotMatch" if account.service == "s3" else "InvalidSignatureException"
    told = asked.headers.get("x-amz-content-sha256")
    return "" if told in {None, hashlib.sha256(asked.raw).hexdigest()} else "XAmzContentSHA256Mismatch"


def _signature(asked: Arrived, account: Account, signed: list[str]) -> str:
    kept = {name: asked.headers[name] for name in signed}
    path = asked.raw_path
    url = f"http://{asked.headers['host']}{path}" + (f"?{asked.query_string}" if asked.query_string else "")
    request = AWSRequest(method=asked.method, url=url, data=asked.raw, headers=kept)
    request.context["timestamp"] = asked.headers["x-amz-date"]
    signer = _signer(account)
    canonical = signer.canonical_request(request)
    return str(signer.signature(signer.string_to_sign(request, canonical), request))


def _signer(account: Account) -> SigV4Auth:
    keys = Credentials(account.access_key, account.secret_key)
    if account.service == "s3":
        return S3SigV4Auth(keys, account.service, account.region)
    return SigV4Auth(keys, account.service, account.region)
