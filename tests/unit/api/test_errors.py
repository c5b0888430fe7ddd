import json

import pytest

from tuneway.api import errors
from tuneway.errors import BadInput, NotFound, TryLater, TunewayError, UpstreamError


def body(**fields: object) -> bytes:
    return json.dumps({"error": {"message": "No.", "type": "t", "param": "p", "code": "c", **fields}}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *errors.BY_STATUS.items(),
        (418, errors.BadRequestError),
        (500, errors.InternalServerError),
        (599, errors.InternalServerError),
    ],
)
def test_a_status_has_its_class(status: int, kind: type[errors.APIError]) -> None:
    fault = errors.of_answer(status, {"retry-after": "3"}, body())
    assert type(fault) is kind
    assert (fault.status_code, fault.message, fault.type, fault.param, fault.code) == (status, "No.", "t", "p", "c")
    assert fault.retry_after == 3


def test_a_code_says_more_than_the_status() -> None:
    assert isinstance(
        errors.of_answer(400, {}, body(code="context_length_exceeded")), errors.ContextWindowExceededError
    )
    assert isinstance(errors.of_answer(400, {}, body(code="content_filter")), errors.ContentPolicyViolationError)


def test_a_page_is_an_error_too() -> None:
    fault = errors.of_answer(502, {"retry-after": "Wed, 21 Oct 2026"}, b"<html>Bad Gateway</html>")
    assert (fault.message, fault.retry_after) == ("The answer was 502 without an explanation.", None)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BadInput("No."), 400),
        (NotFound("No."), 404),
        (TryLater("No."), 503),
        (TunewayError("No."), 500),
        (UpstreamError("No.", status=429, kind="rate_limit_error", retry_after=2.5), 429),
    ],
)
def test_a_fault_of_a_direct_call_has_the_status_a_tuneway_would_answer(fault: TunewayError, status: int) -> None:
    told = errors.of_fault(fault)
    assert told.status_code == status
    assert told.retry_after == getattr(fault, "retry_after", None)
    assert errors.of_fault(told) is told


def test_credentials_are_the_direct_callers_own() -> None:
    fault = UpstreamError("Not yours.", status=502, kind="api_error", code="upstream_permission_denied")
    told = errors.of_fault(fault)
    assert isinstance(told, errors.PermissionDeniedError)
    assert "Vertex AI User" in told.message


def test_an_event_is_an_error_or_none() -> None:
    assert errors.of_event(b'{"choices":[]}') is None
    server, caller = (errors.of_event(body(type=kind)) for kind in ("server_error", "invalid_request_error"))
    assert server is not None
    assert caller is not None
    assert (server.status_code, caller.status_code) == (502, 400)
