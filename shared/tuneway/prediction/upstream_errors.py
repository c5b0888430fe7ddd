"""What a model's host said went wrong, as the error our caller gets: one table.

Sources of the shapes: Google's ``google.rpc.Status`` JSON (an object, or an array of one), vLLM's and FastAPI's flat
errors, and the HTML or nothing of front ends. Faults of our own credentials are ours (502), never the caller's (401).
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import msgspec

from tuneway.errors import UpstreamError

_LONGEST_READ = 2_000
_LONGEST_SHOWN = 600


class _Row(msgspec.Struct, frozen=True):
    """``sentence`` stands in for the host's own words where those are about us, not about the request."""

    status: int
    kind: str
    code: str | None = None
    sentence: str = ""


_TABLE = {
    "INVALID_ARGUMENT": _Row(400, "invalid_request_error"),
    "FAILED_PRECONDITION": _Row(400, "invalid_request_error"),
    "OUT_OF_RANGE": _Row(400, "invalid_request_error"),
    "UNIMPLEMENTED": _Row(400, "invalid_request_error", "unsupported_operation"),
    "TOO_LARGE": _Row(413, "invalid_request_error", "request_too_large"),
    "UNAUTHENTICATED": _Row(
        502,
        "api_error",
        "upstream_authentication_failed",
        "The model's host refused this installation's credentials. The fault is not in your key or request; "
        "tell whoever runs this installation.",
    ),
    "PERMISSION_DENIED": _Row(
        502,
        "api_error",
        "upstream_permission_denied",
        "This installation's identity may not call the model. The fault is not in your key or request; "
        "tell whoever runs this installation (on Vertex AI it needs the role Vertex AI User on the model's project).",
    ),
    "UNPAID": _Row(
        502,
        "api_error",
        "upstream_billing",
        "The model's host wants this installation's bill paid first. The fault is not in your key or request; "
        "tell whoever runs this installation.",
    ),
    "NOT_FOUND": _Row(
        404,
        "invalid_request_error",
        "model_not_found",
        "The model's host knows no such model or endpoint: it was never deployed there, was deleted, or is retired. "
        "Check the name and its location.",
    ),
    "ABORTED": _Row(409, "conflict", "upstream_conflict"),
    "ALREADY_EXISTS": _Row(409, "conflict", "upstream_conflict"),
    "RESOURCE_EXHAUSTED": _Row(429, "rate_limit_error", "rate_limit_exceeded"),
    "CANCELLED": _Row(502, "server_error", "upstream_cancelled"),
    "INTERNAL": _Row(500, "server_error", "upstream_error"),
    "UNKNOWN": _Row(500, "server_error", "upstream_error"),
    "DATA_LOSS": _Row(500, "server_error", "upstream_error"),
    "BAD_GATEWAY": _Row(502, "server_error", "bad_gateway"),
    "UNAVAILABLE": _Row(503, "server_error", "service_unavailable"),
    "DEADLINE_EXCEEDED": _Row(504, "server_error", "timeout"),
}
_BY_HTTP = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "UNPAID",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "TOO_LARGE",
    422: "INVALID_ARGUMENT",
    424: "BAD_GATEWAY",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "BAD_GATEWAY",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
# Amazon names the fault in a header, and says more there than by the HTTP status.
_AMAZON = {
    "ServiceQuotaExceededException": "RESOURCE_EXHAUSTED",
    "ThrottlingException": "RESOURCE_EXHAUSTED",
    "ModelNotReadyException": "UNAVAILABLE",
    "ModelTimeoutException": "DEADLINE_EXCEEDED",
}
# OpenAI's, vLLM's, llama.cpp's; Google's, Anthropic's; Bedrock's; vLLM's; TGI's.
_CONTEXT_LENGTH = re.compile(
    r"context.{0,3}(length|size)|context window|(token count|input tokens?|prompt).{0,80}(exceed|too (long|large|many))"
    r"|maximum number of (input )?tokens|input is too long|too many input tokens|longer than the maximum model length"
    r"|`?inputs`? (tokens \+ `?max_new_tokens`? must be <=|must have less than)",
    re.IGNORECASE,
)
# Anthropic's word, at 400 and without a code.
_FILTERED = re.compile(r"blocked by content filtering policy", re.IGNORECASE)
# Names of projects, hosts and accounts may be another tenant's; tokens are nobody's business.
_PRIVATE = re.compile(
    r"ya29\.[\w.-]+|Bearer\s+[\w.~+/=-]+|eyJ[\w-]+\.[\w.-]+|(?:\S{0,80}/)?projects/[^\s'\"`,)]+|https?://[^\s'\"`,)]+"
    r"|arn:aws[\w-]*:[^\s'\"`,)]+"
    r"|[\w.-]{1,64}@[\w-]{1,63}\.[\w.-]+|[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\.(?:googleapis\.com|goog)\b"
)
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s?")


class _Detail(msgspec.Struct, frozen=True):
    """One of ``google.rpc``'s details; only RetryInfo is read."""

    retry_delay: str | None = msgspec.field(default=None, name="retryDelay")


class _Problem(msgspec.Struct, frozen=True):
    """One of FastAPI's findings."""

    msg: str = ""


class _Findings(msgspec.Struct, frozen=True):
    """Mistral's message about a body it cannot read."""

    detail: list[_Problem] = []


class _Error(msgspec.Struct, frozen=True):
    """``google.rpc.Status``; vLLM's has a type instead of the status, Azure's filter a number; a code may be text."""

    message: str | _Findings | None = None
    status: str | int | None = None
    code: int | float | str | None = None
    details: msgspec.Raw = msgspec.Raw(b"[]")


class _Body(_Error, frozen=True):
    """An error alone, or inside of ``error``, or in one of the other places hosts have for it."""

    error: _Error | str | None = None
    detail: str | list[_Problem] | None = None


class _Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What could be read of an error, wherever it stood."""

    status: str = ""
    http: int = 0
    message: str = ""
    delay: float | None = None


_DECODER: msgspec.json.Decoder[_Body | list[_Body]] = msgspec.json.Decoder(_Body | list[_Body])
_DETAILS = msgspec.json.Decoder(list[_Detail])


def from_answer(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error for an answer with an HTTP error status; header names are lower-case."""
    fault = _fault(body)
    delay = delay_in(headers)
    named = _AMAZON.get(headers.get("x-amzn-errortype", "").partition(":")[0], fault.status)
    return _error(
        msgspec.structs.replace(fault, status=named, http=status, delay=fault.delay if delay is None else delay)
    )


def from_event(body: bytes) -> UpstreamError:
    """The error for a body or event that should have been an answer: an error object, or nothing one can read."""
    fault = _fault(body)
    if fault == _Fault():
        return broken("The model's host sent something that is no answer. Try again.")
    return _error(fault)


def broken(sentence: str) -> UpstreamError:
    """A 502 for an answer that cannot be used, in our own words."""
    return UpstreamError(sentence, status=502, kind="server_error", code="upstream_error")


def _error(fault: _Fault) -> UpstreamError:
    row = _row(fault)
    message = row.sentence or _public(fault.message) or _phrase(fault.http or row.status)
    if row.kind == "invalid_request_error" and _CONTEXT_LENGTH.search(fault.message):
        code = "context_length_exceeded"
        return UpstreamError(message, status=400, kind=row.kind, code=code, param="messages")
    if row.kind == "invalid_request_error" and _FILTERED.search(fault.message):
        return UpstreamError(message, status=400, kind=row.kind, code="content_filter", param="messages")
    return UpstreamError(message, status=row.status, kind=row.kind, code=row.code, retry_after=fault.delay)


def _row(fault: _Fault) -> _Row:
    """Google's status name says more than the HTTP status; an unknown one is the caller's below 500, ours above."""
    if row := _TABLE.get(fault.status) or _TABLE.get(_BY_HTTP.get(fault.http, "")):
        return row
    callers = HTTPStatus.BAD_REQUEST <= fault.http < HTTPStatus.INTERNAL_SERVER_ERROR
    return _TABLE["INVALID_ARGUMENT" if callers else "BAD_GATEWAY"]


def _phrase(status: int) -> str:
    """What a page or an empty body comes down to."""
    name = next((known.phrase for known in HTTPStatus if known == status), "")
    return f"The model's host answered {f'{status} {name}'.strip()} without an explanation that can be shown here."


def _public(message: str) -> str:
    """The host's words with private names taken out, cut to a readable length."""
    text = _PRIVATE.sub("[hidden]", " ".join(message.split()))
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _fault(body: bytes) -> _Fault:
    try:
        decoded = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Fault()
    if isinstance(decoded, list):
        return _described(decoded[0]) if decoded else _Fault()
    return _described(decoded)


def _described(body: _Body) -> _Fault:
    match body:
        case _Body(error=_Error() as inner):
            return _read(inner)
        case _Body(error=str(message)) | _Body(detail=str(message)):
            return _Fault(message=message[:_LONGEST_READ])
        case _Body(detail=[problem, *_]):
            return _Fault(message=problem.msg[:_LONGEST_READ])
        case _:
            return _read(body)


def _read(error: _Error) -> _Fault:
    return _Fault(
        status=error.status if isinstance(error.status, str) else "",
        http=int(error.code) if isinstance(error.code, int | float) else 0,
        message=_words(error.message)[:_LONGEST_READ],
        delay=_asked_delay(error.details),
    )


def _asked_delay(details: msgspec.Raw) -> float | None:
    """Google's RetryInfo; hosts that call something else ``details`` ask for no delay there."""
    try:
        told = _DETAILS.decode(details)
    except (msgspec.DecodeError, RecursionError):
        return None
    return next((_seconds(detail.retry_delay) for detail in told if detail.retry_delay), None)


def _words(message: str | _Findings | None) -> str:
    match message:
        case str():
            return message
        case _Findings(detail=[problem, *_]):
            return problem.msg
        case _:
            return ""


def delay_in(headers: Mapping[str, str]) -> float | None:
    """When to come back: to the millisecond where a host says so, else in seconds, else at a time by its own clock."""
    if (exact := _seconds(headers.get("retry-after-ms"))) is not None:
        return exact / 1000
    named = headers.get("retry-after")
    return _until(named, headers.get("date")) if (seconds := _seconds(named)) is None else seconds


def _until(named: str | None, now: str | None) -> float | None:
    """The seconds between two HTTP dates; without the second there is no telling."""
    try:
        seconds = (parsedate_to_datetime(named or "") - parsedate_to_datetime(now or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(seconds, 0.0)


def _seconds(delay: str | None) -> float | None:
    """``17`` and ``17.5s`` as seconds."""
    found = _DELAY.fullmatch((delay or "").strip())
    return float(found[1]) if found else None
