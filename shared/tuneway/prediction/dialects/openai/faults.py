"""What an OpenAI-compatible server said went wrong: its own ``param`` and ``code`` reach the caller.

Its words go through the house's table first (credentials, limits, outages are told the same for every host); only a
400 of the request's own, which speaks of the caller's fields, keeps more of what the server said. Shapes: OpenAI's and
Azure's nested errors, vLLM's old flat ones, TGI's two flat strings (``error``, ``error_type``).
"""

from collections.abc import Mapping

import msgspec

from tuneway.errors import UpstreamError
from tuneway.prediction import upstream_errors

CONTENT_FILTER = "content_filter"
# OpenAI's word for an account that is used up, at 429: to come back in a while is of no use.
_USED_UP = "insufficient_quota"
_FILTERED = frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})
_SENTENCE = "The model's host refused the prompt: its content filter was triggered. Change the prompt and try again."
_KEPT = "invalid_request_error"


class _Inner(msgspec.Struct, frozen=True):
    code: str | None = None


class _Detail(msgspec.Struct, frozen=True):
    message: str | None = None
    param: str | None = None
    code: str | int | None = None
    innererror: _Inner | None = None
    inner_error: _Inner | None = None


class _Body(msgspec.Struct, frozen=True):
    error: _Detail


def from_answer(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error for an answer with an HTTP error status; header names are lower-case."""
    return _told(upstream_errors.from_answer(status, headers, body), body)


def from_event(body: bytes) -> UpstreamError:
    """The error for a body or event that should have been an answer."""
    return _told(upstream_errors.from_event(body), body)


def _told(error: UpstreamError, body: bytes) -> UpstreamError:
    try:
        detail = msgspec.json.decode(body, type=_Body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return error
    if _FILTERED.intersection(_codes(detail)):
        return _filtered(error, detail)
    if detail.code == _USED_UP:
        return UpstreamError(error.message, status=error.status, kind=_USED_UP, code=_USED_UP)
    if error.kind != _KEPT or error.code is not None:
        return error
    code = detail.code if isinstance(detail.code, str) else None
    return UpstreamError(
        error.message,
        status=error.status,
        kind=error.kind,
        code=code,
        param=detail.param,
        retry_after=error.retry_after,
    )


def _codes(detail: _Detail) -> set[str | int | None]:
    inner = detail.innererror or detail.inner_error or _Inner()
    return {detail.code, inner.code}


def _filtered(error: UpstreamError, detail: _Detail) -> UpstreamError:
    """A prompt the host would not answer: Azure's words stand, whatever status they came with."""
    message = error.message if detail.message else _SENTENCE
    return UpstreamError(message, status=400, kind=_KEPT, code=CONTENT_FILTER, param=detail.param or "prompt")
