"""The deployer against the simulated Vertex AI: each call looks first, so nothing is made twice."""

from collections.abc import Callable

import msgspec
import pytest

from tests.integration.vertex.conftest import PARENT, Simulated
from tests.unit.adapters.test_vertex_serving import ORDER
from tuneway.adapters.vertex_deploying import VertexDeployer
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Work

ENDPOINT = f"{PARENT}/endpoints/{ORDER.id}"
Step = Callable[[], Work]


@pytest.fixture
def deployer(vertex: Simulated) -> VertexDeployer:
    return VertexDeployer(project="local-project", timeout=60, vertex_url=vertex.url)


def ended(vertex: Simulated, deployer: VertexDeployer, step: Step) -> Work:
    """The step asked for again until it is done, its operations followed."""
    work = step()
    for _ in range(9):
        if work.done:
            return work
        if work.operation:
            vertex.later(120)
            assert deployer.status(work.operation).done
        work = step()
    raise AssertionError(work)


def deployed(vertex: Simulated, deployer: VertexDeployer) -> Work:
    for step in (deployer.upload, deployer.create_endpoint):
        ended(vertex, deployer, lambda step=step: step(ORDER))  # type: ignore[misc]  # bound at once
    return ended(vertex, deployer, lambda: deployer.deploy(ORDER))


def made(vertex: Simulated) -> dict[str, int]:
    """How many there are of each."""
    found = {}
    for kind in ("models", "endpoints"):
        found[kind] = len(vertex.http.get(f"{vertex.url}/v1/{PARENT}/{kind}").json().get(kind, []))
    shown = vertex.http.get(f"{vertex.url}/v1/{ENDPOINT}").json()
    return {**found, "deployed": len(shown.get("deployedModels", []))}


def test_a_model_is_deployed_and_says_where(vertex: Simulated, deployer: VertexDeployer) -> None:
    work = deployed(vertex, deployer)
    assert work.place is not None
    assert work.place.resource == ENDPOINT
    assert work.place.host is not None
    assert work.place.host.startswith(f"{ORDER.id}.us-central1-")
    assert made(vertex) == {"models": 1, "endpoints": 1, "deployed": 1}


def test_all_of_it_again_makes_nothing(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer)
    before = vertex.calls()
    deployed(vertex, deployer)
    posts = {call: count for call, count in vertex.calls().items() if call.startswith("POST")}
    assert posts == {call: count for call, count in before.items() if call.startswith("POST")}


def test_a_deployment_under_way_says_how_far_it_is(vertex: Simulated, deployer: VertexDeployer) -> None:
    ended(vertex, deployer, lambda: deployer.upload(ORDER))
    ended(vertex, deployer, lambda: deployer.create_endpoint(ORDER))
    work = deployer.deploy(ORDER)
    assert (work.done, work.stage) == (False, "starting_deployment")
    vertex.later(30)
    assert work.operation is not None
    assert deployer.status(work.operation).stage == "adding_nodes_to_cluster"


@pytest.mark.parametrize("path", ["models:upload", "/endpoints", ":deployModel"])
def test_a_lost_answer_makes_nothing_twice(vertex: Simulated, deployer: VertexDeployer, path: str) -> None:
    vertex.fault(path=path, fault="lost", method="POST")
    lost = 0
    for step in (deployer.upload, deployer.create_endpoint, deployer.deploy):
        try:
            ended(vertex, deployer, lambda step=step: step(ORDER))  # type: ignore[misc]  # bound at once
        except TryLater:
            lost += 1
            ended(vertex, deployer, lambda step=step: step(ORDER))  # type: ignore[misc]  # bound at once
    assert (lost, made(vertex)) == (1, {"models": 1, "endpoints": 1, "deployed": 1})


def test_a_deployment_whose_answer_was_lost_is_found_under_way(vertex: Simulated, deployer: VertexDeployer) -> None:
    ended(vertex, deployer, lambda: deployer.upload(ORDER))
    ended(vertex, deployer, lambda: deployer.create_endpoint(ORDER))
    first = deployer.deploy(ORDER)
    assert deployer.deploy(ORDER).operation == first.operation


@pytest.mark.parametrize("steps", range(4))
def test_whatever_there_is_goes(vertex: Simulated, deployer: VertexDeployer, steps: int) -> None:
    for step in (deployer.upload, deployer.create_endpoint, deployer.deploy)[:steps]:
        ended(vertex, deployer, lambda step=step: step(ORDER))  # type: ignore[misc]  # bound at once
    ended(vertex, deployer, lambda: deployer.remove(ORDER))
    assert made(vertex) == {"models": 0, "endpoints": 0, "deployed": 0}


def test_what_is_still_being_deployed_is_waited_for_and_then_goes(vertex: Simulated, deployer: VertexDeployer) -> None:
    ended(vertex, deployer, lambda: deployer.upload(ORDER))
    ended(vertex, deployer, lambda: deployer.create_endpoint(ORDER))
    first = deployer.deploy(ORDER)
    assert deployer.remove(ORDER).operation == first.operation
    ended(vertex, deployer, lambda: deployer.remove(ORDER))
    assert made(vertex) == {"models": 0, "endpoints": 0, "deployed": 0}


def test_deploying_where_no_endpoint_is_any_more_is_refused(vertex: Simulated, deployer: VertexDeployer) -> None:
    with pytest.raises(NotFound):
        deployer.deploy(ORDER)


def test_an_operation_that_nobody_knows_is_not_found(deployer: VertexDeployer) -> None:
    with pytest.raises(NotFound):
        deployer.status(f"{ENDPOINT}/operations/1")


@pytest.mark.parametrize(
    ("status", "kind"), [(403, NotAllowed), (400, BadInput), (429, TryLater), (409, TryLater), (503, TryLater)]
)
def test_refusals_are_told_apart(
    vertex: Simulated, deployer: VertexDeployer, status: int, kind: type[Exception]
) -> None:
    vertex.fault(path="models:upload", fault="status", status=status)
    with pytest.raises(kind):
        deployer.upload(ORDER)


@pytest.mark.parametrize("place", ["us-central1/../..", "evil.example.com/", "a b", ""])
def test_no_token_goes_to_a_place_that_is_none(deployer: VertexDeployer, place: str) -> None:
    with pytest.raises(BadInput):
        deployer.upload(msgspec.structs.replace(ORDER, location=place))


def test_what_others_made_is_neither_used_nor_taken_away(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer)
    foreign = msgspec.structs.replace(ORDER, mark="of-somebody-else")
    for step in (deployer.upload, deployer.create_endpoint, deployer.deploy):
        with pytest.raises(BadInput, match="is there and is not tuneway's"):
            step(foreign)
    assert deployer.remove(foreign) == Work(done=True)
    assert made(vertex) == {"models": 1, "endpoints": 1, "deployed": 1}


def test_what_others_have_under_way_is_not_waited_for(vertex: Simulated, deployer: VertexDeployer) -> None:
    ended(vertex, deployer, lambda: deployer.upload(ORDER))
    ended(vertex, deployer, lambda: deployer.create_endpoint(ORDER))
    assert deployer.deploy(ORDER).operation is not None
    assert deployer.remove(msgspec.structs.replace(ORDER, mark="of-somebody-else")) == Work(done=True)


def test_what_an_order_with_a_mark_made_is_found_again_and_goes(vertex: Simulated, deployer: VertexDeployer) -> None:
    marked = msgspec.structs.replace(ORDER, mark="a1b2c3")
    for step in (deployer.upload, deployer.create_endpoint, deployer.deploy):
        ended(vertex, deployer, lambda step=step: step(marked))  # type: ignore[misc]  # bound at once
    assert deployer.remove(ORDER) == Work(done=True)
    ended(vertex, deployer, lambda: deployer.remove(marked))
    assert made(vertex) == {"models": 0, "endpoints": 0, "deployed": 0}
