"""The deployer with two models behind one endpoint of the simulated Vertex AI: each keeps to its own, once."""

from collections.abc import Callable, Mapping

import msgspec
import pytest

from tests.integration.vertex.conftest import PARENT, Simulated
from tests.unit.adapters.test_vertex_serving import ORDER
from tuneway.adapters.vertex_deploying import VertexDeployer
from tuneway.errors import BadInput, NotFound, TryLater
from tuneway.ports import DeployOrder, Work

HOST = msgspec.structs.replace(ORDER, mark="a1", shared=True)
GUEST = msgspec.structs.replace(
    ORDER,
    id="ft-1-2",
    mark="b2",
    endpoint=HOST.id,
    endpoint_mark="a1",
    deployed_id="1234567890",
    traffic=20,
    shared=True,
)
ENDPOINT = f"{PARENT}/endpoints/{HOST.id}"
Step = Callable[[], Work]


@pytest.fixture
def deployer(vertex: Simulated) -> VertexDeployer:
    return VertexDeployer(project="local-project", timeout=60, vertex_url=vertex.url)


def ended(vertex: Simulated, step: Step) -> Work:
    """The step asked for again until it is done, through lost answers."""
    for _ in range(9):
        try:
            work = step()
        except TryLater:
            continue
        if work.done:
            return work
        vertex.later(120)
    raise AssertionError(step)


def deployed(vertex: Simulated, deployer: VertexDeployer, *orders: DeployOrder) -> None:
    for order in orders:
        for step in (deployer.upload, deployer.create_endpoint, deployer.deploy):
            ended(vertex, lambda step=step, order=order: step(order))  # type: ignore[misc]  # bound at once


def shares(vertex: Simulated) -> Mapping[str, int] | None:
    """The endpoint's split; None when the endpoint is gone."""
    answer = vertex.http.get(f"{vertex.url}/v1/{ENDPOINT}")
    if answer.status_code == 404:
        return None
    there = [each["id"] for each in answer.json().get("deployedModels", [])]
    split = answer.json().get("trafficSplit", {})
    return {id_: split.get(id_, 0) for id_ in there}


def models(vertex: Simulated) -> set[str]:
    found = vertex.http.get(f"{vertex.url}/v1/{PARENT}/models").json().get("models", [])
    return {each["name"].rpartition("/")[2] for each in found}


def test_a_second_model_answers_at_the_same_place_with_its_share(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST, GUEST)
    assert deployer.deploy(GUEST).place == deployer.deploy(HOST).place
    assert shares(vertex) == {"1": 80, GUEST.deployed_id: 20}
    assert models(vertex) == {HOST.id, GUEST.id}


def test_one_without_a_share_leaves_the_traffic_as_it_is(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST, msgspec.structs.replace(GUEST, traffic=0))
    assert shares(vertex) == {"1": 100, GUEST.deployed_id: 0}


@pytest.mark.parametrize("path", [":deployModel", ":undeployModel"])
def test_a_lost_answer_makes_and_takes_nothing_twice(vertex: Simulated, deployer: VertexDeployer, path: str) -> None:
    deployed(vertex, deployer, HOST)
    vertex.fault(path=path, fault="lost", method="POST")
    deployed(vertex, deployer, GUEST)
    assert shares(vertex) == {"1": 80, GUEST.deployed_id: 20}
    leaving = msgspec.structs.replace(GUEST, keep_endpoint=True)
    ended(vertex, lambda: deployer.remove(leaving))
    assert (shares(vertex), models(vertex)) == ({"1": 100}, {HOST.id})


def test_the_traffic_is_shared_anew_once(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST, GUEST)
    wanted = {"1": 35, GUEST.deployed_id: 65}
    assert deployer.share(HOST, wanted).done
    assert shares(vertex) == wanted
    before = vertex.calls()
    assert deployer.share(GUEST, wanted).done
    assert vertex.calls()["PATCH endpoints/{id}"] == before["PATCH endpoints/{id}"]


def test_a_share_of_one_that_is_not_there_goes_to_the_others(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST)
    assert deployer.share(HOST, {"1": 0, GUEST.deployed_id: 100}).done
    assert shares(vertex) == {"1": 100}


def test_the_endpoint_stays_while_others_need_it_and_goes_with_the_last(
    vertex: Simulated, deployer: VertexDeployer
) -> None:
    deployed(vertex, deployer, HOST, GUEST)
    ended(vertex, lambda: deployer.remove(msgspec.structs.replace(HOST, keep_endpoint=True)))
    assert (shares(vertex), models(vertex)) == ({GUEST.deployed_id: 100}, {GUEST.id})
    ended(vertex, lambda: deployer.remove(GUEST))
    assert (shares(vertex), models(vertex)) == (None, set())


def test_it_stays_for_one_that_is_only_on_its_way(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST)
    ended(vertex, lambda: deployer.upload(GUEST))
    ended(vertex, lambda: deployer.remove(msgspec.structs.replace(HOST, keep_endpoint=True)))
    assert shares(vertex) == {}
    ended(vertex, lambda: deployer.deploy(GUEST))
    assert shares(vertex) == {GUEST.deployed_id: 100}


def test_what_the_other_has_there_is_left_alone(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST, GUEST)
    ended(vertex, lambda: deployer.remove(HOST))
    assert shares(vertex) == {GUEST.deployed_id: 100}


def test_one_rests_and_comes_back_with_its_share(vertex: Simulated, deployer: VertexDeployer) -> None:
    deployed(vertex, deployer, HOST, GUEST)
    ended(vertex, lambda: deployer.rest(GUEST))
    assert (shares(vertex), models(vertex)) == ({"1": 100}, {HOST.id, GUEST.id})
    place = ended(vertex, lambda: deployer.deploy(GUEST)).place
    assert place is not None
    assert (place.resource, shares(vertex)) == (ENDPOINT, {"1": 80, GUEST.deployed_id: 20})


def test_one_alone_rests_and_its_endpoint_and_model_stay(vertex: Simulated, deployer: VertexDeployer) -> None:
    alone = msgspec.structs.replace(HOST, shared=False)
    deployed(vertex, deployer, alone)
    before = deployer.deploy(alone)
    vertex.fault(path=":undeployModel", fault="lost", method="POST")
    ended(vertex, lambda: deployer.rest(alone))
    assert (shares(vertex), models(vertex), deployer.rest(alone).done) == ({}, {HOST.id}, True)
    assert ended(vertex, lambda: deployer.deploy(alone)) == before
    assert shares(vertex) == {"1": 100}


def test_what_is_on_its_way_is_waited_for_before_it_rests(vertex: Simulated, deployer: VertexDeployer) -> None:
    alone = msgspec.structs.replace(HOST, shared=False)
    ended(vertex, lambda: deployer.upload(alone))
    ended(vertex, lambda: deployer.create_endpoint(alone))
    under_way = deployer.deploy(alone)
    assert deployer.rest(alone).operation == under_way.operation
    ended(vertex, lambda: deployer.rest(alone))
    assert shares(vertex) == {}


def test_what_is_not_there_rests_already_and_what_is_anothers_goes_on(
    vertex: Simulated, deployer: VertexDeployer
) -> None:
    assert deployer.rest(HOST).done
    deployed(vertex, deployer, HOST)
    assert deployer.rest(msgspec.structs.replace(HOST, mark="of-somebody-else")).done
    assert shares(vertex) == {"1": 100}


def test_what_another_has_under_way_is_waited_for_and_not_taken_for_its_own(
    vertex: Simulated, deployer: VertexDeployer
) -> None:
    deployed(vertex, deployer, HOST)
    ended(vertex, lambda: deployer.upload(GUEST))
    assert deployer.deploy(GUEST).operation is not None
    third = msgspec.structs.replace(GUEST, id="ft-1-3", mark="c3", deployed_id="2234567890")
    ended(vertex, lambda: deployer.upload(third))
    assert deployer.deploy(GUEST) == Work(done=True, place=deployer.deploy(HOST).place)
    operation = deployer.deploy(third).operation
    fourth = msgspec.structs.replace(GUEST, id="ft-1-4", mark="d4", deployed_id="3234567890")
    waiting = deployer.deploy(fourth)
    assert operation is not None
    assert (waiting.done, waiting.operation, waiting.stage) == (False, None, "endpoint_busy")


def test_an_endpoint_that_is_gone_or_anothers_is_not_joined(vertex: Simulated, deployer: VertexDeployer) -> None:
    for step in (deployer.create_endpoint, deployer.deploy, lambda order: deployer.share(order, {"1": 100})):
        with pytest.raises(NotFound, match="is gone"):
            step(GUEST)
    deployed(vertex, deployer, HOST)
    foreign = msgspec.structs.replace(GUEST, endpoint_mark="of-somebody-else")
    for step in (deployer.create_endpoint, deployer.deploy, lambda order: deployer.share(order, {"1": 100})):
        with pytest.raises(BadInput, match="is not tuneway's"):
            step(foreign)
    ended(vertex, lambda: deployer.remove(foreign))
    assert shares(vertex) == {"1": 100}
