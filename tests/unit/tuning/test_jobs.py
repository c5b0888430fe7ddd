"""The table of transitions: what no way through it may do."""

import pytest

from tuneway.tuning.jobs import ENDED, TRANSITIONS, Status

# A job in one of these may cost money at its provider.
PAID = frozenset({Status.SUBMITTING, Status.QUEUED, Status.RUNNING})


def reached(start: Status, *, past: frozenset[Status] = frozenset()) -> set[Status]:
    """Every status that can follow, at last, on a way that leads through none of ``past``."""
    seen: set[Status] = set()
    waiting = [start]
    while waiting:
        following = TRANSITIONS[waiting.pop()] - past - seen
        seen |= following
        waiting += following
    return seen


@pytest.mark.parametrize("gate", [Status.VALIDATING, Status.SUBMITTING])
def test_no_way_leads_around_the_datasets_check_or_the_look_for_an_earlier_submission(gate: Status) -> None:
    assert Status.RUNNING in reached(Status.REQUESTED)
    assert not reached(Status.REQUESTED, past=frozenset({gate})) & {Status.QUEUED, Status.RUNNING, Status.SUCCEEDED}


def test_a_held_job_costs_nothing_before_it_is_submitted() -> None:
    assert TRANSITIONS[Status.HELD] & PAID == {Status.SUBMITTING}
    assert Status.HELD not in {status for paid in PAID for status in reached(paid)}


def test_a_submission_under_way_is_cancelled_only_by_way_of_its_provider() -> None:
    # Its job may exist already: to forget it here would leave it running there, and paid.
    assert not TRANSITIONS[Status.SUBMITTING] & {Status.CANCELLED, Status.SUCCEEDED}


def test_a_job_that_is_being_cancelled_only_ends() -> None:
    assert reached(Status.CANCELLING) == set(ENDED)


def test_nothing_follows_an_end() -> None:
    assert {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED} == ENDED
    assert [reached(end) for end in ENDED] == [set(), set(), set()]


@pytest.mark.parametrize("status", list(Status))
def test_no_job_returns_to_where_it_was(status: Status) -> None:
    assert status not in reached(status)
