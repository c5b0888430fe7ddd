"""Two thousand calls to hosts that misbehave in every way; ``python -m tests.bench.soak`` makes fifty thousand."""

import asyncio

import pytest

from tests.bench.hostile import BEHAVIOURS, SOUND
from tests.bench.soak import Outcome, soaked

CALLS, PARTS = 2_000, 4


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return asyncio.run(soaked(tmp_path_factory.mktemp("soak"), calls=CALLS, at_once=32, parts=PARTS))


def test_every_call_ends_with_an_answer_or_one_clear_error(outcome: Outcome) -> None:
    assert sum(outcome.endings.values()) == CALLS
    assert outcome.faults == []


def test_a_sound_host_is_answered_and_no_other_is(outcome: Outcome) -> None:
    for model, kind, status in outcome.endings:
        behaviour = model.partition("-")[2]
        assert kind in ({"answer", "left"} if behaviour in SOUND else {"refusal", "broken", "left"}), (model, status)


def test_every_behaviour_was_met(outcome: Outcome) -> None:
    assert {model.partition("-")[2] for model, _, _ in outcome.endings} == {b.__name__ for b in BEHAVIOURS}


def test_no_call_is_left_under_way(outcome: Outcome) -> None:
    assert [held.busy for held in outcome.held] == [0] * PARTS
    assert len({held.tasks for held in outcome.held}) == 1


def test_no_connection_is_left_but_those_that_rest(outcome: Outcome) -> None:
    own = {held.sockets - held.upstream for held in outcome.held}
    assert own == {outcome.held[0].sockets - outcome.held[0].upstream}
    assert max(held.upstream for held in outcome.held) <= 32


def test_nothing_grows(outcome: Outcome) -> None:
    first, *_, last = outcome.held
    assert last.objects - first.objects < 2_000
    # What floods took is not all given back at once, and how many come together is luck; one left behind for each call
    # that met one would be gigabytes.
    assert last.mb - first.mb < 150
