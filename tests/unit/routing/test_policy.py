"""The table from a fault to the next move, whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput, NotFound, TryLater, TunewayError, UpstreamError
from tuneway.routing.policy import BY_CODE, BY_STATUS, LONGEST_PAUSE, LONGEST_WAIT, Move, move_after, pause


def upstream(status: int, code: str | None = None) -> UpstreamError:
    return UpstreamError("It failed.", status=status, kind="server_error", code=code)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert move_after(upstream(status)) is Move.RETRY


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 418])
def test_the_callers_own_fault_is_told_at_once(status: int) -> None:
    assert move_after(upstream(status)) is Move.GIVE_UP


@pytest.mark.parametrize(
    ("status", "code", "move"),
    [
        (404, "model_not_found", Move.NEXT),
        (502, "upstream_authentication_failed", Move.NEXT),
        (502, "upstream_permission_denied", Move.NEXT),
        (502, "no_upstream_token", Move.NEXT),
        (429, "insufficient_quota", Move.NEXT),
        (502, "upstream_unreachable", Move.RETRY),
        (504, "timeout", Move.RETRY),
        (400, "context_length_exceeded", Move.CONTEXT),
        (400, "content_filter", Move.CONTENT),
        (400, "content_policy_violation", Move.CONTENT),
    ],
)
def test_a_code_says_more_than_its_status(status: int, code: str, move: Move) -> None:
    assert move_after(upstream(status, code)) is move


def test_a_parameter_one_target_cannot_express_may_suit_another() -> None:
    assert move_after(BadInput("No.", param="seed", code="unsupported_parameter")) is Move.NEXT
    assert move_after(BadInput("No.", param="seed", code="invalid_value")) is Move.GIVE_UP


@pytest.mark.parametrize("fault", [NotFound("No.", code="model_not_found"), TryLater("No."), TunewayError("No.")])
def test_a_fault_of_this_house_is_told_at_once(fault: TunewayError) -> None:
    assert move_after(fault) is Move.GIVE_UP


def test_every_row_of_the_table_counts() -> None:
    assert all(move_after(upstream(status)) is move for status, move in BY_STATUS.items())
    assert all(move_after(upstream(500, code)) is move for code, move in BY_CODE.items())


@given(st.integers(0, 200), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_with_luck_and_have_an_end(failures: int, luck: float) -> None:
    seconds = pause(min(failures, 60), asked=None, draw=lambda: luck)
    assert seconds is not None
    assert 0.1 < seconds <= LONGEST_PAUSE


@given(st.floats(0, LONGEST_WAIT), st.floats(0, 1, exclude_max=True))
def test_what_a_host_asks_for_is_the_least(asked: float, luck: float) -> None:
    seconds = pause(0, asked=asked, draw=lambda: luck)
    assert seconds is not None
    assert seconds >= asked


def test_nobody_waits_for_a_host_that_asks_for_too_long() -> None:
    assert pause(0, asked=LONGEST_WAIT + 1, draw=lambda: 0.0) is None


def test_two_calls_that_failed_together_come_back_apart() -> None:
    assert pause(3, asked=None, draw=lambda: 0.0) != pause(3, asked=None, draw=lambda: 0.9)
