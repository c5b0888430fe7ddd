"""Cooldown of targets, on a clock of the test's own."""

from tuneway.routing.health import FAILURES, LONGEST_REST, REMEMBERED, Health
from tuneway.routing.routes import Target

A, B = Target(model="a"), Target(model="b")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failing(times: int, clock: Clock) -> Health:
    health = Health(clock=clock)
    for _ in range(times):
        health.failed(A, cooldown=30.0)
    return health


def test_a_target_rests_after_some_failures_in_a_row() -> None:
    clock = Clock()
    assert not failing(FAILURES - 1, clock).cooling(A)
    health = failing(FAILURES, clock)
    assert (health.cooling(A), health.cooling(B)) == (True, False)
    clock.now += 30.0
    assert not health.cooling(A)


def test_one_failure_after_its_rest_sends_it_back() -> None:
    clock = Clock()
    health = failing(FAILURES, clock)
    clock.now += 31.0
    health.failed(A, cooldown=30.0)
    assert health.cooling(A)


def test_an_answer_wipes_the_slate() -> None:
    health = failing(FAILURES - 1, Clock())
    health.answered(A)
    health.answered(B)
    health.failed(A, cooldown=30.0)
    assert not health.cooling(A)


def test_a_host_that_asks_for_a_rest_gets_it_at_once() -> None:
    clock = Clock()
    health = Health(clock=clock)
    health.failed(A, cooldown=30.0, retry_after=7.0)
    clock.now += 6.9
    assert health.cooling(A)
    clock.now += 0.2
    assert not health.cooling(A)


def test_no_rest_lasts_for_ever() -> None:
    clock = Clock()
    health = Health(clock=clock)
    health.failed(A, cooldown=30.0, retry_after=1e9)
    clock.now += LONGEST_REST
    assert not health.cooling(A)


def test_what_is_remembered_has_a_limit_and_the_oldest_goes_first() -> None:
    health = failing(FAILURES, Clock())
    for number in range(REMEMBERED):
        health.failed(Target(model=str(number)), cooldown=30.0, retry_after=5.0)
    assert (health.cooling(A), health.cooling(Target(model="0"))) == (False, True)
