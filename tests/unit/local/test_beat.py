"""The beat that stands for Cloud Scheduler."""

import pytest

from tests.unit.local.callee import Callee, served
from tuneway.local.beat import Beat


def test_it_beats_at_once_and_then_every_interval() -> None:
    with served(Callee()) as often, served(Callee()) as seldom:
        beats = [Beat(often.url, 0.02, {"authorization": "Bearer platform"}), Beat(seldom.url, 60)]
        for beat in beats:
            beat.start()
        (call,) = seldom.wait(1)
        calls = often.wait(3)
        assert seldom.settled() == [call]
        for beat in beats:
            beat.stop()
    assert calls[0].headers["authorization"] == "Bearer platform"
    assert calls[0].headers["x-cloudscheduler"] == "true"


def test_a_refused_beat_does_not_end_the_others() -> None:
    with served(Callee(500, 404, 200)) as callee:
        beat = Beat(callee.url, 0.02)
        beat.start()
        assert callee.wait(3)
        beat.stop()


def test_it_outlives_a_function_that_is_not_there() -> None:
    with served(Callee()) as callee:
        url = callee.url
    beat = Beat(url, 0.02)
    beat.start()
    with pytest.raises(AssertionError):
        callee.wait(1, seconds=0.2)
    beat.stop()


def test_a_slow_beat_is_not_joined_by_a_second() -> None:
    with served(Callee()) as callee:
        callee.seconds = 0.4
        beat = Beat(callee.url, 0.01)
        beat.start()
        first, second = callee.wait(2)
        beat.stop()
    assert second.at - first.at >= 0.4


def test_after_the_stop_there_is_silence() -> None:
    with served(Callee()) as callee:
        beat = Beat(callee.url, 0.05)
        beat.start()
        callee.wait(1)
        beat.stop()
        before = callee.settled(seconds=0.1)
        assert callee.settled() == before
