"""Errors of the Python API: the classes and attributes that LiteLLM's users catch, by one table.

APIError                                 ``status_code``, ``message``, ``type``, ``param``, ``code``, ``retry_after``
├── BadRequestError                400
│   ├── ContextWindowExceededError     a shorter prompt, or another model
│   └── ContentPolicyViolationError    another prompt
├── AuthenticationError            401
├── PermissionDeniedError          403
├── NotFoundError                  404
├── ConflictError                  409
├── RateLimitError                 429
├── InternalServerError            500
│   └── ServiceUnavailableError    503
├── Timeout                        408, 504
└── APIConnectionError             the host could not be reached, or left in the middle
"""

from collections.abc import Mapping

import msgspec

from tuneway.edge.errors import rendered
from tuneway.errors import TunewayError, UpstreamError


class APIError(TunewayError):
    """A call failed; ``status_code`` is the HTTP status, ``retry_after`` seconds."""

    def __init__(self, message: str, *, status_code: int, told: "Told | None" = None) -> None:
        told = told or Told()
        super().__init__(message, param=told.param, code=None if told.code is None else str(told.code))
        self.status_code = status_code
        self.type = told.type
        self.retry_after = told.retry_after


class BadRequestError(APIError):
    """The request cannot be served as it is."""


class ContextWindowExceededError(BadRequestError):
    """The prompt is too long for the model."""


class ContentPolicyViolationError(BadRequestError):
    """A filter refused the prompt."""


class AuthenticationError(APIError):
    """No credentials, or wrong ones."""


class PermissionDeniedError(APIError):
    """The credentials are good, but not for this."""


class NotFoundError(APIError):
    """There is no such model, endpoint or job."""


class ConflictError(APIError):
    """Somebody else was first."""


class RateLimitError(APIError):
    """Too much, too fast."""


class InternalServerError(APIError):
    """The host failed."""


class ServiceUnavailableError(InternalServerError):
    """The host is overloaded or away for a while."""


class Timeout(APIError):
    """The host took too long."""


class APIConnectionError(APIError):
    """The host could not be reached, or left in the middle of its answer."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an error says in OpenAI's shape."""

    message: str = ""
    type: str | None = None
    param: str | None = None
    code: str | int | None = None
    retry_after: float | None = None


class _Body(msgspec.Struct, frozen=True):
    error: Told


BY_CODE: Mapping[str, type[APIError]] = {
    "content_filter": ContentPolicyViolationError,
    "content_policy_violation": ContentPolicyViolationError,
    "context_length_exceeded": ContextWindowExceededError,
    "upstream_unreachable": APIConnectionError,
}
BY_STATUS: Mapping[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: Timeout,
    409: ConflictError,
    413: BadRequestError,
    422: BadRequestError,
    429: RateLimitError,
    503: ServiceUnavailableError,
    504: Timeout,
}
# Who calls a model directly *is* the installation: the credentials at fault are the caller's own.
_OWN_CREDENTIALS: Mapping[str, tuple[int, str]] = {
    "no_upstream_credentials": (401, "There are no credentials for the model's host."),
    "no_upstream_token": (401, "There are no credentials for the model's host."),
    "upstream_authentication_failed": (401, "The model's host refused the credentials."),
    "upstream_permission_denied": (403, "The credentials may not call the model."),
}
_REMEDY = (
    "Give api_key or set the vendor's variable (such as OPENAI_API_KEY); for Vertex AI run "
    "'gcloud auth application-default login' (with the role Vertex AI User), for Bedrock set up AWS keys."
)
CUT_OFF = "The stream ended before the answer was complete. Try again."


def of_answer(status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """The error for an HTTP answer with an error in it; header names are lower-case."""
    told = _told(body)
    waiting = headers.get("retry-after", "")
    if waiting.isdigit():
        told = msgspec.structs.replace(told, retry_after=float(waiting))
    return _error(status, told)


def of_fault(fault: TunewayError) -> APIError:
    """The error for a fault of a direct call."""
    if isinstance(fault, APIError):
        return fault
    answer = rendered(fault)
    told = msgspec.structs.replace(
        _told(answer.body), retry_after=fault.retry_after if isinstance(fault, UpstreamError) else None
    )
    if own := _OWN_CREDENTIALS.get(fault.code or ""):
        status, sentence = own
        return _error(status, msgspec.structs.replace(told, message=f"{sentence} {_REMEDY}"))
    return _error(answer.status, told)


def of_event(event: bytes) -> APIError | None:
    """The error that an event of a stream tells of, if it is one."""
    if not event.startswith(b'{"error"'):
        return None
    told = _told(event)
    return _error(502 if told.type in {None, "server_error", "api_error"} else 400, told)


def cut_off() -> APIConnectionError:
    """The error for a stream that ends too early."""
    return APIConnectionError(CUT_OFF, status_code=502)


def refused(message: str, *, param: str, code: str | None = None) -> BadRequestError:
    """The error for an argument that cannot be."""
    return BadRequestError(message, status_code=400, told=Told(param=param, code=code, type="invalid_request_error"))


def told_by(fault: APIError) -> Told:
    """What an error says beside its message, for another one in its place."""
    return Told(type=fault.type, param=fault.param, code=fault.code, retry_after=fault.retry_after)


def _told(body: bytes) -> Told:
    try:
        return msgspec.json.decode(body, type=_Body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Told()


def _error(status: int, told: Told) -> APIError:
    kind = BY_CODE.get(str(told.code)) or BY_STATUS.get(status) or _by_hundred(status)
    message = told.message or f"The answer was {status} without an explanation."
    return kind(message, status_code=status, told=told)


def _by_hundred(status: int) -> type[APIError]:
    return InternalServerError if status >= 500 else BadRequestError  # noqa: PLR2004
