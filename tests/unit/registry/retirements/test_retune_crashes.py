"""A re-tune whose processes die at every write and every message: one job, one version, one canary, one end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.fakes import Crash, Fuse
from tests.unit.registry.modelled import BOT
from tests.unit.registry.retiring import PLAN, World
from tuneway.errors import Conflict, TryLater
from tuneway.ports import ProviderState
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import Canary
from tuneway.registry.retirements.retune import Retune, Status
from tuneway.state import Collection

KEY = "once"
ROUTE = f"{BOT}@prod"
# More than a whole story has writes and messages: those of the re-tune alone are under the fuse.
USES = 60


def made(folder: Path) -> World:
    world = World(folder, fuse=Fuse())
    world.put(world.trained())
    world.point("prod", "1")
    world.call(ROUTE, 3)
    return world


def survived(world: World, fuse: int | None, step: Callable[[], object]) -> int | None:
    """What is left of the fuse after the step, which dies at most once and is then done again."""
    world.loop.fuse.left = fuse
    try:
        step()
    except Crash:
        world.loop.fuse.left = None
        step()
    left, world.loop.fuse.left = world.loop.fuse.left, None
    return left


def ended(world: World, fuse: int | None) -> Retune:
    """The whole story, in which one process dies at that use of the fuse."""
    fuse = survived(world, fuse, lambda: world.start(BOT, idempotency_key=KEY))
    (begun,) = world.book.newest(owner=None, model=BOT, after=None, limit=9)
    world.train(begun.job, loss=1.0)
    for _ in range(8):
        fuse = survived(world, fuse, world.tick)
        if world.retune(begun.id).status is Status.CANARYING:
            world.call(ROUTE, 10)
    world.left = fuse
    world.tick(2)
    return world.retune(begun.id)


def check(world: World, over: Retune) -> None:
    assert (over.status, over.open, over.new) == (Status.PROMOTED, False, f"{BOT}@2")
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 2
    assert len(world.loop.backend.jobs) == 2
    assert [each.number for each in world.shelf.all_versions(BOT)] == ["1", "2"]
    assert world.canary(ROUTE).id == over.canary
    assert Collection(world.documents, f"canaries/{ROUTE}/past", Canary).find() == []
    assert world.leads(ROUTE) == "102"
    assert world.model().aliases["prod"] == "2"
    told = [each["ce-id"] for each in world.told("retune.")]
    assert sorted(set(told)) == [f"{over.id}-{number}" for number in range(1, 6)]


@pytest.mark.parametrize("fuse", range(1, USES, 2))
def test_before_a_deed(tmp_path: Path, fuse: int) -> None:
    world = made(tmp_path)
    check(world, ended(world, fuse))


@pytest.mark.parametrize("fuse", range(2, USES, 2))
def test_after_a_deed(tmp_path: Path, fuse: int) -> None:
    world = made(tmp_path)
    check(world, ended(world, fuse))


def test_the_fuses_reach_the_end_of_the_story(tmp_path: Path) -> None:
    long = 1000
    world = made(tmp_path)
    check(world, ended(world, long))
    assert long - (world.left or 0) < USES


def test_a_lost_answer_makes_no_second_job(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.loop.documents.lose_answers = 1
    first = world.start(BOT, idempotency_key=KEY)
    assert world.start(BOT, idempotency_key=KEY).id == first.id
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 2


def test_a_message_that_was_lost_is_sent_again_by_the_tick(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.events.away = True
    begun = world.start(BOT)
    assert world.retune(begun.id).told == 0
    world.events.away = False
    world.tick()
    assert [each["ce-type"] for each in world.told("retune.")] == ["tuneway.retune.tuning"]


def test_a_start_that_somebody_else_won_is_told_so(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.loop.documents.rivals = 1
    with pytest.raises((Conflict, TryLater)):
        world.start(BOT)
    assert world.book.newest(owner=None, model=BOT, after=None, limit=9) == []
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 1


@examples(max_examples=25, deadline=None)
@given(fuses=st.lists(st.integers(1, 9), max_size=5), state=st.sampled_from(list(ProviderState)[-3:]))
def test_any_deaths_end_in_one_state(
    tmp_path_factory: pytest.TempPathFactory, fuses: list[int], state: ProviderState
) -> None:
    world = made(tmp_path_factory.mktemp("deaths"))
    begun = world.start(BOT)
    if state is not ProviderState.CANCELLED:
        world.train(begun.job, loss=1.0 if state is ProviderState.SUCCEEDED else None, state=state)
    else:
        world.loop.fuse.left = fuses.pop() if fuses else None
        try:
            world.retunes.cancel(begun.id, who=world.acme)
        except Crash:
            world.loop.fuse.left = None
            world.retunes.cancel(begun.id, who=world.acme)
    for fuse in [*fuses, None, None, None]:
        survived(world, fuse, world.tick)
    over = world.retune(begun.id)
    assert over.status in {Status.CANARYING, Status.FAILED, Status.CANCELLED}
    assert len({moment.what for moment in over.moments}) == len(over.moments)


def test_somebody_who_writes_first_only_makes_it_wait(tmp_path: Path) -> None:
    world = made(tmp_path)
    begun = world.start(BOT)
    world.train(begun.job, loss=1.0)
    for _ in range(4):
        world.loop.documents.rivals = 1
        world.tick()
    world.loop.documents.rivals = 0
    world.tick(2)
    assert world.retune(begun.id).status is Status.CANARYING
    assert len(world.shelf.all_versions(BOT)) == 2


def test_a_canary_of_one_id_is_begun_once(tmp_path: Path) -> None:
    world = made(tmp_path)
    world.trained()
    desk = CanaryDesk(world.canaries, new_id=lambda: "same")
    candidate = world.model("102").called
    desk.start(ROUTE, candidate, PLAN, by="ops")
    desk.abort(ROUTE, by="ops")
    with pytest.raises(Conflict, match="is over"):
        desk.start(ROUTE, candidate, PLAN, by="ops")
