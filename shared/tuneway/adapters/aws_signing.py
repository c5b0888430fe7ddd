"""Sign a request for AWS (Signature Version 4), with botocore's signer.

botocore takes a sixth of a second to load, so it is loaded with the first request that needs it: a door that never
calls Bedrock never pays.
"""

import logging
from collections.abc import Mapping, MutableMapping
from functools import cache
from importlib import import_module
from typing import Protocol, cast

import msgspec

from tuneway.adapters.aws_keys import AwsKeys


class Signable(Protocol):
    """A request as it will be sent."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def url(self) -> str:
        """Whole, and encoded."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Those that the caller sets."""
        ...

    @property
    def body(self) -> bytes:
        """Whole."""
        ...


class _Request(Protocol):
    headers: MutableMapping[str, str]


class _NewRequest(Protocol):
    def __call__(self, *, method: str, url: str, data: bytes, headers: dict[str, str]) -> _Request: ...


class _Signer(Protocol):
    def add_auth(self, request: _Request) -> None: ...


class _NewSigner(Protocol):
    def __call__(self, credentials: object, service_name: str, region_name: str) -> _Signer: ...


class _NewKeys(Protocol):
    def __call__(self, access_key: str, secret_key: str, token: str | None) -> object: ...


class _Botocore(msgspec.Struct, frozen=True):
    request: _NewRequest
    signer: _NewSigner
    signer_for_s3: _NewSigner
    keys: _NewKeys


def sign(request: Signable, keys: AwsKeys, *, region: str, service: str = "bedrock") -> Mapping[str, str]:
    """The headers that prove ``request``, which must then be sent as it is: URL, body and headers are signed."""
    botocore = _botocore()
    signed = botocore.request(method=request.method, url=request.url, data=request.body, headers=dict(request.headers))
    held = botocore.keys(keys.access_key_id, keys.secret_access_key, keys.session_token)
    # S3 alone signs a path as it stands, and wants the body's hash in a header of its own.
    signer = botocore.signer_for_s3 if service == "s3" else botocore.signer
    signer(held, service, region).add_auth(signed)
    given = {name.lower() for name in request.headers}
    return {name.lower(): value for name, value in signed.headers.items() if name.lower() not in given}


@cache
def _botocore() -> _Botocore:
    # At DEBUG it would log the canonical request, and with it the session token.
    logging.getLogger("botocore.auth").setLevel(logging.WARNING)
    return _Botocore(
        cast("_NewRequest", import_module("botocore.awsrequest").AWSRequest),
        cast("_NewSigner", import_module("botocore.auth").SigV4Auth),
        cast("_NewSigner", import_module("botocore.auth").S3SigV4Auth),
        cast("_NewKeys", import_module("botocore.credentials").ReadOnlyCredentials),
    )
