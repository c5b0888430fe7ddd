"""A thread that does the same thing again and again."""

import threading
from queue import Queue

from tuneway.local.rounds import Rounds


def test_the_first_turn_comes_after_an_interval_unless_it_is_to_come_at_once() -> None:
    turns: Queue[str] = Queue()
    late = Rounds(lambda: turns.put("late"), 60, name="late")
    soon = Rounds(lambda: turns.put("soon"), 60, name="soon", at_once=True)
    late.start()
    soon.start()
    assert turns.get(timeout=60) == "soon"
    late.stop()
    soon.stop()
    assert turns.empty()


def test_turns_follow_each_other_until_the_stop() -> None:
    turns: Queue[int] = Queue()
    rounds = Rounds(lambda: turns.put(1), 0.01, name="rounds")
    rounds.start()
    assert [turns.get(timeout=60) for _ in range(3)] == [1, 1, 1]
    before = rounds.stopping
    rounds.stop()
    assert (before, rounds.stopping) == (False, True)
    left = turns.qsize()
    threading.Event().wait(0.05)
    assert turns.qsize() == left


def test_what_a_turn_needs_is_closed_after_it() -> None:
    said: list[str] = []
    began = threading.Event()

    def turn() -> None:
        began.set()
        threading.Event().wait(0.1)
        said.append("turn")

    rounds = Rounds(turn, 60, name="rounds", at_once=True, close=lambda: said.append("close"))
    rounds.start()
    assert began.wait(60)
    rounds.stop()
    assert said == ["turn", "close"]


def test_nothing_is_closed_under_a_turn_that_outlasts_the_grace() -> None:
    began, ends, closed = threading.Event(), threading.Event(), threading.Event()

    def turn() -> None:
        began.set()
        ends.wait(60)

    rounds = Rounds(turn, 60, name="rounds", at_once=True, close=closed.set)
    rounds.start()
    assert began.wait(60)
    rounds.stop(grace=0.01)
    assert not closed.is_set()
    ends.set()
    rounds.stop()
    assert closed.is_set()
