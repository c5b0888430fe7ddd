"""Several models on one endpoint of the simulation, by Google's own clients: who gets which part of the calls."""

from collections import Counter
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import aiplatform_v1 as google

from tests.integration.vertex.conftest import PARENT, Simulated, connected

ENDPOINTS = f"{PARENT}/endpoints"
MACHINE = google.DedicatedResources(machine_spec=google.MachineSpec(machine_type="n1-standard-2"), min_replica_count=1)


@pytest.fixture
def endpoints(vertex: Simulated) -> Any:
    return connected(google.EndpointServiceClient, vertex.url)


@pytest.fixture
def endpoint(vertex: Simulated, endpoints: Any) -> str:
    """An endpoint with model 1, and models that may join it."""
    models: Any = connected(google.ModelServiceClient, vertex.url)
    for name in ("first", "second"):
        spec = google.ModelContainerSpec(image_uri="image")
        wanted = google.Model(display_name=name, container_spec=spec)
        models.upload_model(request={"parent": PARENT, "model": wanted, "model_id": name})
    made = endpoints.create_endpoint(parent=PARENT, endpoint=google.Endpoint(display_name="here"), endpoint_id="here")
    vertex.later(100)
    assert made.result().name == f"{ENDPOINTS}/here"
    deploy(vertex, endpoints, "1", "first", {"0": 100})
    return f"{ENDPOINTS}/here"


def deploy(vertex: Simulated, endpoints: Any, id_: str, model: str, split: dict[str, int], wait: float = 100) -> None:
    wanted = google.DeployedModel(id=id_, model=f"{PARENT}/models/{model}", dedicated_resources=MACHINE)
    endpoints.deploy_model(endpoint=f"{ENDPOINTS}/here", deployed_model=wanted, traffic_split=split)
    vertex.later(wait)


def split_of(endpoints: Any, name: str) -> dict[str, int]:
    return dict(endpoints.get_endpoint(name=name).traffic_split)


def patch(endpoints: Any, name: str, split: dict[str, int]) -> dict[str, int]:
    wanted = google.Endpoint(name=name, traffic_split=split)
    return dict(endpoints.update_endpoint(endpoint=wanted, update_mask={"paths": ["traffic_split"]}).traffic_split)


def predicted(vertex: Simulated, name: str) -> dict[str, Any]:
    answer = vertex.http.post(f"{vertex.url}/v1/{name}:predict", json={"instances": ["x"]})
    found: dict[str, Any] = answer.json()
    return found


def answered(vertex: Simulated, name: str, luck: float) -> str:
    vertex.luck = luck
    return str(predicted(vertex, name).get("deployedModelId", "nobody"))


def test_a_newcomer_takes_its_share_once_it_is_there(vertex: Simulated, endpoints: Any, endpoint: str) -> None:
    deploy(vertex, endpoints, "22", "second", {"0": 20, "1": 80}, wait=0)
    assert split_of(endpoints, endpoint) == {"1": 100}
    assert {answered(vertex, endpoint, luck) for luck in (0.0, 0.99)} == {"1"}
    vertex.later(100)
    assert split_of(endpoints, endpoint) == {"1": 80, "22": 20}


def test_a_newcomer_without_a_split_gets_nothing(vertex: Simulated, endpoints: Any, endpoint: str) -> None:
    deploy(vertex, endpoints, "22", "second", {})
    assert split_of(endpoints, endpoint) == {"1": 100}
    assert {answered(vertex, endpoint, luck) for luck in (0.0, 0.99)} == {"1"}


def test_calls_go_where_luck_falls_in_the_split(vertex: Simulated, endpoints: Any, endpoint: str) -> None:
    deploy(vertex, endpoints, "22", "second", {"0": 20, "1": 80})
    falls = Counter(answered(vertex, endpoint, place / 100) for place in range(100))
    assert falls == {"1": 80, "22": 20}


def test_an_answer_says_whose_it_is(vertex: Simulated, endpoints: Any, endpoint: str) -> None:
    deploy(vertex, endpoints, "22", "second", {"0": 20, "1": 80})
    vertex.luck = 0.9
    said = predicted(vertex, endpoint)
    assert (said["deployedModelId"], said["model"], said["modelVersionId"]) == ("22", f"{PARENT}/models/second", "1")
    raw = vertex.http.post(f"{vertex.url}/v1/{endpoint}:rawPredict", json={"prompt": "x"})
    chat = vertex.http.post(
        f"{vertex.url}/v1/{endpoint}/chat/completions", json={"messages": [{"role": "user", "content": "x"}]}
    )
    assert {each.headers["x-vertex-ai-deployed-model-id"] for each in (raw, chat)} == {"22"}


def test_the_split_is_changed_by_its_mask(vertex: Simulated, endpoints: Any, endpoint: str) -> None:
    deploy(vertex, endpoints, "22", "second", {})
    assert patch(endpoints, endpoint, {"1": 30, "22": 70}) == {"1": 30, "22": 70}
    assert patch(endpoints, endpoint, {"22": 100}) == {"22": 100}


@pytest.mark.parametrize(
    "split", [{"1": 99}, {"1": 101}, {"1": 50, "9": 50}, {"1": 150, "22": -50}, {"0": 100}, {"1": 60, "22": 60}]
)
def test_a_split_that_is_none_is_refused(
    vertex: Simulated, endpoints: Any, endpoint: str, split: dict[str, int]
) -> None:
    deploy(vertex, endpoints, "22", "second", {})
    with pytest.raises(BadRequest, match="share 100 percent"):
        patch(endpoints, endpoint, split)
    assert split_of(endpoints, endpoint) == {"1": 100}


def test_an_endpoint_may_be_told_to_answer_nothing(vertex: Simulated, endpoints: Any, endpoint: str) -> None:
    assert patch(endpoints, endpoint, {}) == {}
    assert predicted(vertex, endpoint)["error"]["status"] == "FAILED_PRECONDITION"


def test_a_model_that_carries_traffic_goes_only_with_a_split_without_it(
    vertex: Simulated, endpoints: Any, endpoint: str
) -> None:
    deploy(vertex, endpoints, "22", "second", {"0": 20, "1": 80})
    for split in ({}, {"1": 50, "22": 50}):
        with pytest.raises(BadRequest):
            endpoints.undeploy_model(endpoint=endpoint, deployed_model_id="1", traffic_split=split)
    endpoints.undeploy_model(endpoint=endpoint, deployed_model_id="1", traffic_split={"22": 100})
    assert split_of(endpoints, endpoint) == {"22": 100}
    with pytest.raises(BadRequest, match="share 100 percent"):
        endpoints.undeploy_model(endpoint=endpoint, deployed_model_id="22", traffic_split={"22": 100})
    endpoints.undeploy_model(endpoint=endpoint, deployed_model_id="22")
    assert split_of(endpoints, endpoint) == {}
