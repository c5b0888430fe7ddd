"""Errors as answers: one table from error class to HTTP status and OpenAI error type, for every door."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from tuneway.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Stale,
    TryLater,
    TunewayError,
    UpstreamError,
)

RETRY_SECONDS = 1.0


class MethodNotAllowed(TunewayError):
    """The path exists, the method does not."""

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        names = ", ".join(sorted(set(allowed)))
        super().__init__(f"This path does not take {method}. Use {names}.", code="method_not_allowed")
        self.allowed = names


class TooLarge(TunewayError):
    """The body is larger than the platform takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes. Send less.", code="request_too_large")


class ClientLeft(TunewayError):
    """The caller hung up: the answer goes nowhere, its status stands in the logs."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer, before any framework."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


TABLE: Mapping[type[TunewayError], tuple[int, str]] = {
    BadInput: (400, "invalid_request_error"),
    NotAuthenticated: (401, "invalid_request_error"),
    NotAllowed: (403, "permission_error"),
    NotFound: (404, "invalid_request_error"),
    MethodNotAllowed: (405, "invalid_request_error"),
    Conflict: (409, "conflict_error"),
    TooLarge: (413, "invalid_request_error"),
    ClientLeft: (499, "invalid_request_error"),
    TryLater: (503, "server_error"),
    TunewayError: (500, "server_error"),
}


class _Detail(msgspec.Struct, frozen=True):
    message: str
    type: str
    param: str | None
    code: str | None


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    error: _Detail
    current: object = None


def rendered(fault: TunewayError) -> Answer:
    """The answer for a fault, in OpenAI's shape."""
    status, kind = _row(fault)
    detail = _Detail(fault.message, kind, fault.param, fault.code)
    body = _Body(detail, fault.there if isinstance(fault, Stale) else None)
    return Answer(status=status, body=msgspec.json.encode(body), headers=_headers(fault))


def unexpected() -> Answer:
    """The answer for a fault of ours that has no class."""
    return rendered(unforeseen())


def unforeseen() -> TunewayError:
    """A fault of ours that has no class; what it was stands in the logs alone."""
    return TunewayError("Something failed on our side. It is logged; try again.", code="internal_error")


def _row(fault: TunewayError) -> tuple[int, str]:
    if isinstance(fault, UpstreamError):
        return fault.status, fault.kind
    return next(TABLE[kind] for kind in type(fault).__mro__ if kind in TABLE)


def _headers(fault: TunewayError) -> Mapping[str, str]:
    match fault:
        case NotAuthenticated():
            return {"www-authenticate": "Bearer"}
        case MethodNotAllowed(allowed=allowed):
            return {"allow": allowed}
        case Stale(current=current):
            return {"etag": f'"{current}"'}
        case UpstreamError(retry_after=float() | int() as seconds):
            return {"retry-after": str(math.ceil(seconds))}
        case TryLater():
            return {"retry-after": str(math.ceil(RETRY_SECONDS))}
        case _:
            return {}
