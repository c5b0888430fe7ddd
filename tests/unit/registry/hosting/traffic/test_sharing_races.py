"""Two who change at once what is behind an endpoint: each one is counted, and none joins what is leaving."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override

from tests.fakes import Fuse, FusedDocuments
from tests.unit.registry.rollouts import MAIN
from tests.unit.registry.shared_endpoints import GUEST, THIRD, Shared
from tuneway.errors import BadInput, Conflict
from tuneway.ports import Document, Key
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.orders import Orders, Wish
from tuneway.registry.hosting.traffic.sharing import left_alone
from tuneway.registry.serving import load
from tuneway.registry.shelves import DeploymentStatus as Status


@pytest.fixture
def world(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


class Overtaken(FusedDocuments):
    """A store in which something happens just after the first deployment was read."""

    def __init__(self, world: Shared, after: Callable[[], object]) -> None:
        super().__init__(world.plain, Fuse())
        self.after = [after]

    @override
    def get(self, key: Key) -> Document | None:
        found = super().get(key)
        while self.after and found is not None and key.collection == "deployments":
            self.after.pop()()
        return found


def test_nobody_joins_one_that_began_to_leave_when_it_was_looked_at(world: Shared) -> None:
    documents = Overtaken(world, lambda: world.remove(MAIN, force=True))
    deploying = Deploying(documents, world.events, lambda: world.clock)
    desk = DeploymentDesk(deploying, world.inventory, Orders(load(), location="us-central1"))
    with pytest.raises(BadInput, match=f"'{MAIN}' is undeploying"):
        desk.create("ft-1", "2", Wish(endpoint=MAIN, traffic=20), owner=None)
    world.settle()
    assert (world.provider.there, [each.id for each in world.inventory.deployments(owner=None)]) == (set(), [MAIN])


def test_who_was_counted_as_the_last_is_not_once_another_has_joined(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(MAIN)
    counted = left_alone(world.plain, world.deployment(MAIN))
    world.join("3", traffic=30, beside=GUEST)
    with pytest.raises(Conflict):
        world.plain.commit(*counted)
    world.settle()
    orders = [world.deployment(id_).order for id_ in (GUEST, THIRD)]
    assert [order.shared for order in orders if order] == [True, True]


def test_who_is_joined_has_it_in_the_history(world: Shared) -> None:
    world.join(traffic=0)
    assert world.deployment(MAIN).history[-1].message == f"'{GUEST}' is put beside it."


def test_an_endpoint_that_goes_with_its_last_one_is_not_made_anew_before_it_is_gone(world: Shared) -> None:
    world.shared(v2=20)
    world.remove(MAIN)
    world.settle()
    world.remove(GUEST, force=True)
    with pytest.raises(Conflict, match=f"something of '{GUEST}' is left"):
        world.desk.create("ft-1", "1", Wish(), owner="acme")
    world.settle()
    world.desk.create("ft-1", "1", Wish(), owner="acme")
    world.settle()
    assert world.deployment(MAIN).status is Status.READY
    assert ("endpoint", MAIN) in world.provider.there
