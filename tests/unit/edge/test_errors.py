"""The one table from errors to answers."""

import json

import pytest

from tuneway.edge.errors import MethodNotAllowed, TooLarge, rendered, unexpected
from tuneway.errors import (
    AlreadyExists,
    BadInput,
    Conflict,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TryLater,
    TunewayError,
    UpstreamError,
)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BadInput("x"), 400),
        (NotAuthenticated("x"), 401),
        (NotAllowed("x"), 403),
        (NotFound("x"), 404),
        (MethodNotAllowed("PUT", ["GET"]), 405),
        (Conflict("x"), 409),
        (AlreadyExists("x"), 409),
        (TooLarge(5), 413),
        (TryLater("x"), 503),
        (TunewayError("x"), 500),
        (UpstreamError("x", status=504, kind="server_error"), 504),
    ],
)
def test_every_class_has_its_status(fault: TunewayError, status: int) -> None:
    assert rendered(fault).status == status


def test_the_body_is_openais() -> None:
    body = json.loads(rendered(BadInput("Wrong.", param="n", code="invalid_value")).body)
    assert body == {
        "error": {"message": "Wrong.", "type": "invalid_request_error", "param": "n", "code": "invalid_value"}
    }


def test_what_is_unset_is_null_as_with_openai() -> None:
    assert json.loads(rendered(BadInput("Wrong.")).body)["error"]["param"] is None


def test_an_upstream_error_keeps_its_kind_and_its_wait() -> None:
    answer = rendered(UpstreamError("x", status=429, kind="rate_limit_error", retry_after=1.2))
    assert json.loads(answer.body)["error"]["type"] == "rate_limit_error"
    assert answer.headers == {"retry-after": "2"}


def test_who_should_try_later_is_told_when() -> None:
    assert rendered(TryLater("x")).headers == {"retry-after": "1"}


def test_a_fault_of_ours_tells_nothing() -> None:
    assert unexpected().status == 500
    assert json.loads(unexpected().body)["error"]["code"] == "internal_error"
