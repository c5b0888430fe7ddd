"""Canaries in any order of events: crashes between writes, rivals, ticks repeated, hands on the route."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes import Crash
from tests.unit.registry.canary_site import BEHIND, OLD, Site
from tests.unit.registry.requests import CANDIDATE, STABLE
from tuneway.errors import TunewayError
from tuneway.registry.canaries.canary import LINGER
from tuneway.registry.canaries.canary_plan import OPEN, State, is_as_left

SHARES = [1.0, 10.0, 50.0, 100.0]


def _bad(site: Site) -> None:
    site.serve(STABLE, 100)
    site.serve(CANDIDATE, 10, status=500)


DEEDS: dict[str, Callable[[Site], object]] = {
    "good": lambda site: site.both(20),
    "bad": _bad,
    "tick": lambda site: site.tick(60),
    "tick at once": lambda site: site.tick(0),
    "pause": lambda site: site.desk.pause("shop", by="ann"),
    "resume": lambda site: site.desk.resume("shop", by="ann"),
    "promote": lambda site: site.desk.promote("shop", by="ann"),
    "abort": lambda site: site.desk.abort("shop", by="ann"),
    "start": lambda site: site.start(),
    "edit": lambda site: site.book.put(msgspec.structs.replace(site.route, targets=(OLD, BEHIND), trial=None)),
    "edit beside": lambda site: site.book.put(msgspec.structs.replace(site.route, cooldown=site.clock % 7)),
    "rivals": lambda site: setattr(site.fused, "rivals", 2),
    "bus away": lambda site: setattr(site.events, "away", not site.events.away),
    "crash": lambda site: setattr(site.fuse, "left", 3),
}


def _do(site: Site, deed: str) -> None:
    with suppress(TunewayError, Crash):
        DEEDS[deed](site)


def _holds(site: Site) -> None:
    """What must always be so: the route is the canary's, or somebody's who changed it; never half of both."""
    canary, route = site.canary, site.route
    if canary.state in OPEN:
        assert is_as_left(route, canary) or route.trial is None
    numbers = [moment.number for moment in canary.moments]
    assert numbers == list(range(1, len(numbers) + 1))
    assert canary.told <= numbers[-1]
    shares = [moment.share for moment in canary.moments if moment.what in {"started", "advanced"}]
    assert shares == SHARES[: len(shares)]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60, deadline=None
)
@given(deeds=st.lists(st.sampled_from(sorted(DEEDS)), max_size=25))
def test_whatever_happens_in_whatever_order_route_and_canary_agree(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[str]
) -> None:
    site = Site(tmp_path_factory.mktemp("state"))
    site.start()
    for deed in deeds:
        _do(site, deed)
        _holds(site)
    site.fuse.left, site.fused.rivals, site.events.away = None, 0, False
    site.tick(LINGER)
    site.tick(LINGER)
    _holds(site)
    assert site.canary.told == site.canary.moments[-1].number
    assert site.canary.open == (site.canary.state in OPEN)
    told = [message.attributes["ce-id"] for message in site.events.sent]
    assert {f"{site.canary.id}-{moment.number}" for moment in site.canary.moments} <= set(told)
    site.documents.close()


@pytest.mark.parametrize("step", range(1, 9))
@pytest.mark.parametrize("bad", [True, False])
def test_a_crash_at_any_write_of_a_move_is_mended_by_the_next_tick(tmp_path: Path, *, step: int, bad: bool) -> None:
    site = Site(tmp_path)
    site.start()
    DEEDS["bad" if bad else "good"](site)
    site.fuse.left = step
    with suppress(Crash):
        site.tick()
    _holds(site)
    site.fuse.left = None
    site.tick()
    assert site.canary.state is (State.ROLLED_BACK if bad else State.RUNNING)
    assert site.canary.moments[-1].what == ("rolled_back" if bad else "advanced")
    assert site.told().count("rolled_back" if bad else "advanced") >= 1


@pytest.mark.parametrize("step", range(1, 7))
def test_a_crash_while_it_starts_leaves_all_or_nothing(tmp_path: Path, step: int) -> None:
    site = Site(tmp_path)
    site.fuse.left = step
    with suppress(Crash):
        site.start()
    site.fuse.left = None
    begun = site.route.trial is not None
    assert begun == bool(site.canaries.kept.find())
    if begun:
        site.tick(1)
        assert "started" in site.told()


def test_two_who_tick_at_once_move_it_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.start()
    site.both(20)
    site.clock += 60
    stored = site.canaries.stored("shop")
    site.canaries.look_after(stored)
    with suppress(TunewayError):
        site.canaries.look_after(stored)
    assert (site.canary.share, site.told()) == (10.0, ["started", "advanced"])


def test_an_edit_between_the_look_and_the_write_wins(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.start()
    site.both(20)
    measured = site.canaries.measured

    def edited_meanwhile(canary: object) -> object:
        DEEDS["edit"](site)
        return measured(canary)  # type: ignore[arg-type]  # handed through

    site.canaries.measured = edited_meanwhile  # type: ignore[method-assign, assignment]  # somebody is quick
    assert site.tick().state is State.YIELDED
    assert (site.route.targets, site.route.trial) == ((OLD, BEHIND), None)
