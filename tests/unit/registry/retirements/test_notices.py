"""Warnings before a base retires: when, how often, and whatever goes wrong in between."""

import logging
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.fakes import NOW, CountedDocuments, Crash
from tests.unit.registry.retiring import BASE, HEIR, TODAY, World, ending
from tuneway.errors import TryLater
from tuneway.ports import Message
from tuneway.registry.retirements.notices import LEASE, NoticeBeat, said, tomorrow
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.heirs import CatalogueFates

DAY = 86_400.0


def tuned(folder: Path, catalogue: Catalogue) -> World:
    world = World(folder, catalogue=catalogue)
    world.trained()
    world.loop.clock = NOW
    return world


def told(world: World) -> list[tuple[str, str]]:
    """The ids and thresholds of what was told."""
    return [(each["ce-id"], each["threshold"]) for each in world.told("model.retiring")]


def thresholds(world: World) -> list[str]:
    return [threshold for _, threshold in told(world)]


def test_each_threshold_is_told_once_and_the_day_itself(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(95))
    beat = world.beat()
    for _ in range(100):
        beat.tick()
        beat.tick()
        world.loop.clock += DAY
    assert thresholds(world) == ["90", "30", "7", "0"]
    assert len(set(told(world))) == 4


def test_the_event_says_what_goes_when_and_what_to_do(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20))
    world.beat().tick()
    (message,) = [each for each in world.events.sent if each.attributes.get("ce-type") == "tuneway.model.retiring"]
    body = msgspec.json.decode(message.data, type=dict[str, object])
    assert message.attributes["ce-subject"] == body["model"] == "101"
    assert (body["base_model"], body["days_left"], body["successor"]) == (BASE, 20, HEIR)
    assert body["retires_on"] == str(TODAY + timedelta(days=20))
    assert body["routes"] == [world.model("101").called]
    assert str(body["message"]).endswith(f"Tune it again on '{HEIR}': tuneway models retune 101@1.")


def test_where_no_successor_is_known_it_says_what_to_do_all_the_same(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20, successor=None))
    (row,) = world.rows().values()
    assert said(row).endswith("No successor is known. Choose one: tuneway models retune 101@1 --onto BASE.")
    bare = msgspec.structs.replace(row, job=None)
    assert said(bare).endswith("No successor is known. Point these names elsewhere.")


@pytest.mark.parametrize(("days", "expected"), [(91, []), (90, ["90"]), (31, ["90"]), (30, ["30"]), (7, ["7"])])
def test_days_are_whole_days_of_utc(tmp_path: Path, days: int, expected: list[str]) -> None:
    world = tuned(tmp_path, ending(days))
    world.beat().tick()
    assert thresholds(world) == expected


def test_a_beat_that_slept_over_thresholds_tells_the_nearest_alone(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(95))
    beat = world.beat()
    beat.tick()
    world.loop.clock += 90 * DAY
    beat.tick()
    assert thresholds(world) == ["7"]
    world.loop.clock += 30 * DAY
    beat.tick()
    assert thresholds(world) == ["7", "0"]


def test_a_day_that_is_moved_is_told_of_anew(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20))
    world.beat().tick()
    world.fates = CatalogueFates(ending(25))
    world.beat().tick()
    world.beat().tick()
    assert thresholds(world) == ["30", "30"]
    assert len(set(told(world))) == 2


def test_a_changed_catalogue_is_looked_at_at_once_and_an_unchanged_one_on_the_next_day(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(300))
    world.beat().tick()
    world.fates = CatalogueFates(ending(20))
    assert world.beat().tick() == 1
    world.trained()
    world.loop.clock = tomorrow(NOW) - 1
    assert world.beat().tick() == 0
    world.loop.clock = tomorrow(NOW)
    assert world.beat().tick() == 1


def test_what_nobody_calls_and_what_has_no_date_is_not_told(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20))
    world.lead(world.model("101").called, *world.routes_elsewhere())
    assert world.beat().tick() == 0
    undated = tuned(tmp_path / "undated", ending(None, retires_not_before=None))
    assert undated.beat().tick() == 0


def test_a_promise_of_the_provider_is_told_as_one(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(None, retires_not_before=str(TODAY + timedelta(days=5))))
    world.beat().tick()
    (message,) = [each for each in world.events.sent if each.attributes.get("ce-type") == "tuneway.model.retiring"]
    assert b"may retire from" in message.data


def test_a_week_before_it_is_logged_as_an_error_and_earlier_as_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for days in (30, 7):
        tuned(tmp_path / str(days), ending(days)).beat().tick()
    levels = [record.levelno for record in caplog.records if "stands on" in record.getMessage()]
    assert levels == [logging.WARNING, logging.ERROR]


def test_what_the_bus_did_not_take_is_told_later_under_the_same_id(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20))
    beat = world.beat()
    world.events.away = True
    with pytest.raises(TryLater):
        beat.tick()
    world.events.away = False
    assert beat.tick() == 0
    world.loop.clock += LEASE
    assert (beat.tick(), beat.tick()) == (1, 0)
    assert thresholds(world) == ["30"]


def test_between_two_looks_a_process_asks_the_state_nothing(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20))
    documents = CountedDocuments(world.documents)
    beat = NoticeBeat(documents, world.events, now=world.now, fates=world.fates, announce=world.announce)
    beat.tick()
    documents.asked = documents.written = 0
    for _ in range(60):
        world.loop.clock += 60
        beat.tick()
    assert documents.asked + documents.written == 0
    other = NoticeBeat(documents, world.events, now=world.now, fates=world.fates, announce=world.announce)
    other.tick()
    assert documents.asked + documents.written == 1


@examples(max_examples=40, deadline=None)
@given(
    crashes=st.lists(st.integers(1, 12), max_size=6),
    steps=st.lists(st.sampled_from(["tick", "twin", "minute", "day", "week", "restart"]), max_size=30),
)
def test_whatever_dies_and_however_often_it_ticks_each_threshold_is_one_event(
    tmp_path_factory: pytest.TempPathFactory, crashes: list[int], steps: list[str]
) -> None:
    """Two processes tick in any order, dying before and after each write and each message."""
    world = tuned(tmp_path_factory.mktemp("radar"), ending(95))
    beats = [world.beat(), world.beat()]
    waits = {"minute": 60.0, "day": DAY, "week": 7 * DAY}
    for step in [*steps, *(["week", "tick", "twin"] * 15), *(["minute", "tick"] * 4)]:
        world.loop.clock += waits.get(step, 0.0)
        if step == "restart":
            beats = [world.beat(), world.beat()]
        if step in {"tick", "twin"}:
            world.loop.fuse.left = crashes.pop() if crashes else None
            try:
                beats[step == "twin"].tick()
            except Crash:
                beats[step == "twin"] = world.beat()
            world.loop.fuse.left = None
    ids = {id_ for id_, _ in told(world)}
    assert {threshold for _, threshold in told(world)} >= {"0"}
    assert len(ids) == len({(id_, threshold) for id_, threshold in told(world)}) <= 4
    assert len(told(world)) <= len(ids) + 6


def test_two_ticks_at_once_tell_it_once(tmp_path: Path) -> None:
    world = tuned(tmp_path, ending(20))
    other, late = world.beat(), list[int]()

    class Between:
        """The other tick comes while the first one is about to publish."""

        def publish(self, *messages: Message) -> None:
            late.append(other.tick())
            world.events.publish(*messages)

    one = NoticeBeat(world.documents, Between(), now=world.now, fates=world.fates, announce=world.announce)
    assert (one.tick(), late) == (1, [0])
    world.loop.clock += LEASE
    assert other.tick() == 0
    assert thresholds(world) == ["30"]
