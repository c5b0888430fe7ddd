"""Whatever dies while versions join, share or leave an endpoint: what was wanted is there, and nothing else."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import Crash, Fuse
from tests.unit.registry.rollouts import ALIAS, MAIN
from tests.unit.registry.shared_endpoints import GUEST, Shared
from tuneway.errors import TryLater


def joined(world: Shared) -> None:
    for _ in range(2):
        with suppress(Crash, TryLater):
            world.join(traffic=20)
    world.settle()


def first_left(world: Shared) -> None:
    world.remove(MAIN)
    world.settle()


def both_left(world: Shared) -> None:
    world.remove(MAIN)
    world.settle(beats=1)
    world.remove(GUEST, force=True)
    world.settle()


def shared_anew(world: Shared) -> None:
    for _ in range(2):
        with suppress(Crash, TryLater):
            world.desk.traffic.share(GUEST, {MAIN: 35, GUEST: 65}, owner="acme")
    world.settle()


Deed = Callable[[Shared], None]
BOTH = {(kind, id_) for kind in ("model", "deployed") for id_ in (MAIN, GUEST)} | {("endpoint", MAIN)}
GUESTS = {("model", GUEST), ("endpoint", MAIN), ("deployed", GUEST)}
AFTER: list[tuple[Deed, bool, set[tuple[str, str]], dict[str, int]]] = [
    (joined, False, BOTH, {MAIN: 80, GUEST: 20}),
    (first_left, True, GUESTS, {GUEST: 100}),
    (both_left, True, set(), {}),
    (shared_anew, True, BOTH, {MAIN: 35, GUEST: 65}),
]


@pytest.mark.parametrize("deaf", [0, 1])
@pytest.mark.parametrize(("deed", "before", "there", "split"), AFTER)
def test_a_crash_at_any_moment_leaves_what_was_wanted_and_nothing_else(
    tmp_path: Path, deed: Deed, *, before: bool, there: set[tuple[str, str]], split: dict[str, int], deaf: int
) -> None:
    def told(folder: Path, fuse: Fuse | None) -> Shared:
        folder.mkdir()
        world = Shared(folder)
        if before:
            world.shared(v2=20)
        world.provider.deaf, world.fuse.uses = deaf, 0
        world.fuse.left = fuse.left if fuse else None
        deed(world)
        return world

    moments = 2 * told(tmp_path / "dry", None).fuse.uses
    for moment in range(1, moments + 1):
        world = told(tmp_path / str(moment), Fuse(moment))
        assert world.provider.there == there, moment
        if split:
            assert (world.at_provider(), world.split(GUEST)) == (split, split), moment
        assert list(world.snapshot().routes) == ([ALIAS] if split else []), moment
        assert not any(each.open for each in world.inventory.deployments(owner=None)), moment
