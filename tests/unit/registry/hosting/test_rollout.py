"""A deployment gets where it should, or away without a trace, whatever dies, is lost, fails or comes twice."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import Crash, Fuse
from tests.unit.registry.rollouts import ALIAS, KINDS, MAIN, NOVA_ARN, World
from tuneway.errors import BadInput, NotAllowed, TryLater
from tuneway.ports import TunedModel
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.routing.routes import Route, Target

EVERYTHING = {(kind, MAIN) for kind in KINDS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def consistent(world: World) -> None:
    """No alias points nowhere, and nothing is there that nobody knows of."""
    known = {d.endpoint: d.status for d in world.inventory.deployments(owner=None) if d.endpoint}
    for route in world.snapshot().routes.values():
        for target in route.targets:
            assert known[target.resource] is Status.READY
            assert ("deployed", target.resource.rpartition("/")[2]) in world.provider.there


def test_weights_are_uploaded_deployed_and_routed(world: World) -> None:
    world.finish()
    world.settle()
    found = world.deployment()
    assert [moment.status for moment in found.history] == [
        Status.REQUESTED,
        Status.UPLOADING,
        Status.CREATING_ENDPOINT,
        Status.DEPLOYING,
        Status.READY,
    ]
    assert (found.open, world.provider.there, world.outcomes.settled) == (False, EVERYTHING, [ALIAS])
    (target,) = world.snapshot().routes[ALIAS].targets
    assert (target.dialect, target.resource, target.host, target.profile) == ("openai", found.endpoint, "h", "vllm")
    assert world.inventory.version("ft-1", "1", owner="acme").endpoint == found.endpoint
    assert world.snapshot().places == {found.endpoint.partition("/locations/")[2]: "acme"}
    consistent(world)


def test_a_deployed_model_costs_nothing_to_watch(world: World) -> None:
    world.finish()
    world.settle()
    sent = len(world.events.sent)
    assert world.deploying.tick() == 0
    world.rollout(DeployRef(MAIN))
    assert len(world.events.sent) == sent


def test_the_finished_job_delivered_again_changes_nothing(world: World) -> None:
    world.finish()
    world.settle()
    before = world.deployment()
    world.finish()
    world.settle(beats=3)
    assert (world.deployment(), len(world.provider.made)) == (before, 3)


def moments(tmp_path: Path, scenario: Callable[[World], None]) -> int:
    """How often the fuse is used on the way, before and after each deed."""
    dry = World(tmp_path / "dry")
    scenario(dry)
    return 2 * dry.fuse.uses


def deployed(world: World) -> None:
    with suppress(Crash):
        world.finish()
    with suppress(Crash):
        world.finish()  # the job is open: its message comes again
    world.settle()


@pytest.mark.parametrize("deaf", [0, 1])
def test_a_crash_at_any_moment_leaves_one_endpoint_and_its_alias(tmp_path: Path, deaf: int) -> None:
    (tmp_path / "dry").mkdir()
    for moment in range(1, moments(tmp_path, deployed) + 1):
        folder = tmp_path / str(moment)
        folder.mkdir()
        world = World(folder, fuse=Fuse(moment))
        world.provider.deaf = deaf
        deployed(world)
        assert world.deployment().status is Status.READY, moment
        assert sorted(world.provider.made) == sorted(EVERYTHING), moment
        assert list(world.snapshot().routes) == [ALIAS], moment
        assert world.outcomes.settled, moment
        assert world.decided, moment
        consistent(world)


def refused(world: World) -> None:
    world.provider.fails = {"deployed"}
    deployed(world)


def test_a_crash_at_any_moment_of_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "dry").mkdir()
    for moment in range(1, moments(tmp_path, refused) + 1):
        folder = tmp_path / str(moment)
        folder.mkdir()
        world = World(folder, fuse=Fuse(moment))
        refused(world)
        assert world.deployment().status is Status.FAILED, moment
        assert world.provider.there == set(), moment
        assert world.snapshot().routes == {}, moment
        assert world.outcomes.closed, moment
        assert world.outcomes.settled == [], moment
        assert world.decided, moment


def removed(world: World) -> None:
    deployed(world)
    for _ in range(2):
        with suppress(Crash):
            world.desk.remove(MAIN, owner="acme", force=True)
    world.settle()


def test_a_crash_at_any_moment_of_a_removal_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "dry").mkdir()
    for moment in range(1, moments(tmp_path, removed) + 1):
        folder = tmp_path / str(moment)
        folder.mkdir()
        world = World(folder, fuse=Fuse(moment))
        removed(world)
        assert world.deployment().status is Status.UNDEPLOYED, moment
        assert world.provider.there == set(), moment
        assert (world.snapshot().routes, world.snapshot().places) == ({}, {}), moment
        assert world.inventory.version("ft-1", "1", owner="acme").endpoint is None, moment


@pytest.mark.parametrize("beats", range(9))
def test_undeploying_it_on_its_way_leaves_nothing(world: World, beats: int) -> None:
    world.finish()
    world.settle(beats)
    world.desk.remove(MAIN, owner="acme", force=True)
    world.settle()
    assert (world.deployment().status, world.provider.there) == (Status.UNDEPLOYED, set())
    assert world.snapshot().routes == {}


@pytest.mark.parametrize("kind", KINDS)
def test_undeploying_it_in_the_middle_of_a_call_leaves_nothing(world: World, kind: str) -> None:
    def meanwhile() -> None:
        if world.provider.made[-1][0] == kind and world.deployment().status is not Status.UNDEPLOYING:
            world.desk.remove(MAIN, owner="acme")

    world.provider.meanwhile = meanwhile
    world.finish()
    world.settle()
    assert (world.deployment().status, world.provider.there) == (Status.UNDEPLOYED, set())
    assert "It was undeployed." in world.outcomes.closed[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_is_taken_away_and_the_job_told_why(world: World, kind: str) -> None:
    world.provider.fails = {kind}
    world.finish()
    world.settle()
    found = world.deployment()
    assert (found.status, found.open, world.provider.there) == (Status.FAILED, False, set())
    assert found.error is not None
    assert found.error.code == "quota_exceeded"
    (said,) = world.outcomes.closed
    assert "No quota for L4." in said
    assert "--machine" in said
    assert world.outcomes.settled == []


@pytest.mark.parametrize("fault", [BadInput("No such image."), NotAllowed("Permission denied on the weights.")])
def test_what_is_refused_is_no_deployment(world: World, fault: Exception) -> None:
    world.provider.faults = {"make deployed": fault}
    world.finish()
    world.settle()
    assert (world.deployment().status, world.provider.there) == (Status.FAILED, set())
    assert str(fault).rstrip(".") in world.outcomes.closed[0]


def test_a_provider_that_is_away_is_asked_again(world: World) -> None:
    world.provider.faults = {"make endpoint": TryLater("Vertex AI is away.")}
    world.finish()
    world.settle(5)
    assert (world.deployment().status, world.deployment().stage) == (Status.CREATING_ENDPOINT, "Vertex AI is away.")
    world.provider.faults = {}
    world.settle()
    assert world.deployment().status is Status.READY


def test_machines_that_never_come_are_given_up(world: World) -> None:
    world.finish()
    world.provider.stuck = {"make deployed"}
    world.settle(9)
    assert world.deployment().stage == "waiting_for_machines"
    world.clock += 4 * 3600
    world.provider.stuck = set()
    world.settle()
    assert (world.deployment().status, world.provider.there) == (Status.FAILED, set())
    assert world.deployment().error is not None
    assert "did not end in 3 hours" in world.outcomes.closed[0]


def test_what_cannot_be_taken_away_is_named(world: World) -> None:
    world.finish()
    world.settle()
    world.provider.faults = {"remove endpoint": NotAllowed("Permission denied.")}
    world.desk.remove(MAIN, owner="acme", force=True)
    world.settle(5)
    assert world.deployment().status is Status.UNDEPLOYING
    world.clock += 3600
    world.settle(5)
    error = world.deployment().error
    assert world.deployment().status is Status.FAILED
    assert error is not None
    assert (error.code, f"named '{MAIN}' in us-central1" in error.message) == ("left_behind", True)


def test_what_was_left_behind_can_be_taken_away_later(world: World) -> None:
    test_what_cannot_be_taken_away_is_named(world)
    world.provider.faults = {}
    world.desk.remove(MAIN, owner="acme")
    world.settle()
    assert (world.deployment().status, world.provider.there) == (Status.UNDEPLOYED, set())


def test_a_route_made_by_hand_meanwhile_stays(world: World) -> None:
    book = RouteBook(world.plain, now=lambda: world.clock)
    book.put(Route(alias=ALIAS, targets=(Target(model="other", provider="openai"),), created_at=0.0))
    world.finish()
    world.settle()
    assert world.snapshot().routes[ALIAS].targets[0].model == "other"
    assert world.deployment().status is Status.READY


def test_two_handlers_at_once_make_one_of_each(world: World) -> None:
    inner = itertools.count()

    def meanwhile() -> None:
        if next(inner) < 10:
            world.rollout(DeployRef(MAIN))

    world.provider.meanwhile = meanwhile
    world.finish()
    world.settle()
    assert sorted(world.provider.made) == sorted(EVERYTHING)
    assert world.deployment().status is Status.READY


def test_a_model_on_demand_needs_one_step(tmp_path: Path) -> None:
    tuned = TunedModel(model=NOVA_ARN)
    world = World(tmp_path, backend="bedrock", base_model="amazon.nova-micro-v1:0:128k", tuned=tuned, automatic=False)
    world.finish()
    world.settle()
    found = world.deployment()
    assert [moment.status for moment in found.history] == [Status.REQUESTED, Status.DEPLOYING, Status.READY]
    (target,) = world.snapshot().routes[ALIAS].targets
    assert (target.provider, target.dialect, target.model) == ("bedrock", "bedrock", found.endpoint)
    assert found.hourly is None


def test_by_hand_means_by_hand(tmp_path: Path) -> None:
    world = World(tmp_path, automatic=False)
    world.finish()
    world.settle()
    (said,) = world.outcomes.closed
    assert "tuneway deployments create ft-1" in said
    assert "1.00 USD an hour" in said
    assert (world.provider.made, world.inventory.deployments(owner=None)) == ([], [])
    world.desk.create("ft-1", None, Wish(), owner="acme")
    world.settle()
    assert (world.deployment().status, world.outcomes.settled) == (Status.READY, [ALIAS])


def test_a_job_that_was_to_be_cancelled_starts_no_machine(tmp_path: Path) -> None:
    world = World(tmp_path, cancel_asked=True)
    world.finish()
    world.settle()
    (said,) = world.outcomes.closed
    assert "was to be cancelled" in said
    assert "tuneway deployments create ft-1" in said
    assert [model.id for model in world.inventory.models(owner="acme")] == ["ft-1"]
    assert (world.provider.made, world.inventory.deployments(owner=None)) == ([], [])


def test_a_job_that_was_to_be_cancelled_still_answers_where_that_is_free(tmp_path: Path) -> None:
    nova, tuned = "amazon.nova-micro-v1:0:128k", TunedModel(model=NOVA_ARN)
    world = World(tmp_path, backend="bedrock", base_model=nova, tuned=tuned, cancel_asked=True)
    world.finish()
    world.settle()
    assert world.deployment().status is Status.READY


def test_a_base_that_nothing_is_known_to_serve_is_registered_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, base_model="somebody/new-model")
    world.finish()
    world.settle()
    assert [model.id for model in world.inventory.models(owner="acme")] == ["ft-1"]
    assert "machine_type" in world.outcomes.closed[0]


def test_a_deployment_that_is_gone_is_no_fault(world: World) -> None:
    world.rollout(DeployRef("never"))


def test_a_deployer_that_was_taken_away_may_come_back(world: World) -> None:
    world.finish()
    world.known = set()
    world.settle(5)
    assert world.deployment().status is Status.UPLOADING
    world.known = {"vertex"}
    world.settle()
    assert world.deployment().status is Status.READY


def test_a_bus_that_is_away_delays_a_deployment_and_loses_none(world: World) -> None:
    world.events.away = True
    world.finish()
    world.events.away = False
    world.settle()
    assert world.deployment().status is Status.READY


def test_a_state_that_is_away_delays_a_deployment_and_loses_none(world: World) -> None:
    world.finish()
    world.documents.away = True
    with pytest.raises(TryLater):
        world.rollout(DeployRef(MAIN))
    world.documents.away = False
    world.settle()
    assert world.deployment().status is Status.READY


def test_a_second_handler_stays_away_while_one_is_in_a_call(world: World) -> None:
    seen: list[tuple[int, int]] = []

    def meanwhile() -> None:
        before = world.deployment().attempts
        world.rollout(DeployRef(MAIN))
        seen.append((before, world.deployment().attempts))

    world.provider.meanwhile = meanwhile
    world.finish()
    world.settle()
    assert len(seen) == len(KINDS)
    assert all(before == after for before, after in seen)
