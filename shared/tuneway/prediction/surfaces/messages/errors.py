"""Errors as Anthropic sends them: ``{"type": "error", "error": {"type", "message"}, "request_id"}``.

Source of the types: https://platform.claude.com/docs/en/api/errors; of the one code that comes with them, which tells
clients to go on without a thread: Anthropic's SDK 2.12, ``ThreadUnsupportedRequestError``.
"""

import msgspec

from tuneway.errors import TunewayError

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_CALLERS = range(400, 500)
THREAD_UNSUPPORTED = "thread_unsupported_request"


def encode_error(fault: TunewayError, *, status: int, request_id: str) -> bytes:
    """The body of an answer with this HTTP status."""
    error: dict[str, object] = {"type": _type(status), "message": _message(fault)}
    if fault.code == THREAD_UNSUPPORTED:
        error["details"] = {"error_code": fault.code}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})


def encode_error_event(fault: TunewayError, *, status: int, request_id: str) -> bytes:
    """The one event that tells of an error after the first."""
    return b"event: error\ndata: %b\n\n" % encode_error(fault, status=status, request_id=request_id)


def _type(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status in _CALLERS else "api_error")


def _message(fault: TunewayError) -> str:
    """Anthropic has no place for the field's name but the message."""
    named = fault.param is None or fault.param in fault.message
    return fault.message if named else f"{fault.param}: {fault.message}"
