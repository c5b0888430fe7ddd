"""Google's model and endpoint clients work on the simulation, custom containers included."""

from types import ModuleType
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.api_core.operation import Operation

from tests.integration.vertex.conftest import PARENT, Simulated
from tuneway.local.vertex.operations import STAGES
from tuneway.local.vertex.projects import project_number

DEPLOYED_AFTER = 120.0


def result(vertex: Simulated, operation: Operation) -> Any:
    assert not operation.done()
    vertex.later(DEPLOYED_AFTER)
    return operation.result(timeout=120)


@pytest.fixture
def model(google: ModuleType, models: Any, vertex: Simulated) -> str:
    container = google.ModelContainerSpec(image_uri="example/serve:1", predict_route="/predict")
    uploaded = google.Model(display_name="mine", container_spec=container, labels={"team": "maths"})
    name: str = result(vertex, models.upload_model(parent=PARENT, model=uploaded)).model
    return name


@pytest.fixture
def endpoint(google: ModuleType, endpoints: Any, model: str, vertex: Simulated) -> str:
    created = result(vertex, endpoints.create_endpoint(parent=PARENT, endpoint=google.Endpoint(display_name="here")))
    machine = google.DedicatedResources(
        machine_spec=google.MachineSpec(machine_type="n1-standard-2"), min_replica_count=1
    )
    deployed = google.DeployedModel(model=model, display_name="mine", dedicated_resources=machine)
    operation = endpoints.deploy_model(endpoint=created.name, deployed_model=deployed, traffic_split={"0": 100})
    assert result(vertex, operation).deployed_model.id
    return str(created.name)


def test_an_uploaded_model_is_listed_and_changed(google: ModuleType, models: Any, model: str) -> None:
    assert [each.name for each in models.list_models(parent=PARENT)] == [model]
    assert not list(models.list_models({"parent": PARENT, "filter": 'display_name="other"'}))
    changed = models.update_model(
        model=google.Model(name=model, display_name="renamed"), update_mask={"paths": ["display_name"]}
    )
    assert (changed.display_name, dict(changed.labels), changed.version_id) == ("renamed", {"team": "maths"}, "1")


def test_versions_carry_aliases_and_go_one_by_one(
    google: ModuleType, models: Any, model: str, vertex: Simulated
) -> None:
    second = models.upload_model({"parent": PARENT, "parent_model": model, "model": {"display_name": "mine"}})
    assert result(vertex, second).model_version_id == "2"
    models.merge_version_aliases(name=f"{model}@2", version_aliases=["golden"])
    assert models.get_model(name=f"{model}@golden").version_id == "2"
    assert [each.version_id for each in models.list_model_versions(name=model)] == ["2", "1"]
    with pytest.raises(BadRequest, match="default"):
        models.delete_model_version(name=f"{model}@1")
    models.merge_version_aliases(name=f"{model}@2", version_aliases=["default"])
    result(vertex, models.delete_model_version(name=f"{model}@1"))
    assert [each.version_id for each in models.list_model_versions(name=model)] == ["2"]


def test_a_container_predicts(endpoint: str, vertex: Simulated) -> None:
    body = {"instances": [{"prompt": "one"}, {"prompt": "two"}], "parameters": {"temperature": 0}}
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}:predict", json=body).json()
    assert [prediction["content"].split()[-1] for prediction in answer["predictions"]] == ["one", "two"]
    assert answer["modelVersionId"] == "1"


def test_a_container_answers_raw_bodies_and_streams(endpoint: str, vertex: Simulated) -> None:
    raw = vertex.http.post(f"{vertex.url}/v1/{endpoint}:rawPredict", json={"prompt": "one"})
    assert raw.json()["content"].endswith("one")
    assert raw.headers["x-vertex-ai-endpoint-id"] == endpoint.rpartition("/")[2]
    chat = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
    streamed = vertex.http.post(f"{vertex.url}/v1/{endpoint}:streamRawPredict", json=chat)
    assert streamed.text.endswith("data: [DONE]\n\n")
    plain = vertex.http.post(f"{vertex.url}/v1beta1/{endpoint}/chat/completions", json={**chat, "stream": False})
    assert plain.json()["choices"][0]["message"]["content"].endswith("hi")


def test_a_container_reads_a_message_in_parts(endpoint: str, vertex: Simulated) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "two"}]
    body = {"instances": [{"messages": [{"role": "user", "content": parts}]}]}
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}:predict", json=body).json()
    assert answer["predictions"][0]["content"].endswith("one two")


def test_a_container_takes_no_contents(endpoint: str, vertex: Simulated) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    answer = vertex.http.post(f"{vertex.url}/v1/{endpoint}:generateContent", json=body)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_what_is_deployed_must_be_undeployed_before_it_goes(
    endpoints: Any, models: Any, endpoint: str, model: str, vertex: Simulated
) -> None:
    with pytest.raises(BadRequest, match="deployed"):
        models.delete_model(name=model)
    with pytest.raises(BadRequest, match="deployed"):
        endpoints.delete_endpoint(name=endpoint)
    deployed = endpoints.get_endpoint(name=endpoint).deployed_models[0].id
    result(vertex, endpoints.undeploy_model(endpoint=endpoint, deployed_model_id=deployed))
    result(vertex, endpoints.delete_endpoint(name=endpoint))
    result(vertex, models.delete_model(name=model))
    with pytest.raises(NotFound):
        models.get_model(name=model)


def test_a_model_is_not_shown_before_it_is_deployed(
    google: ModuleType, endpoints: Any, endpoint: str, model: str, vertex: Simulated
) -> None:
    machine = google.DedicatedResources(machine_spec=google.MachineSpec(), min_replica_count=1)
    second = google.DeployedModel(model=model, dedicated_resources=machine)
    endpoints.deploy_model(endpoint=endpoint, deployed_model=second)
    assert len(endpoints.get_endpoint(name=endpoint).deployed_models) == 1
    vertex.later(DEPLOYED_AFTER)
    assert len(endpoints.get_endpoint(name=endpoint).deployed_models) == 2


def test_a_deployment_tells_its_stage(google: ModuleType, endpoints: Any, endpoint: str, model: str) -> None:
    machine = google.DedicatedResources(machine_spec=google.MachineSpec(), min_replica_count=1)
    wanted = google.DeployedModel(model=model, dedicated_resources=machine)
    operation = endpoints.deploy_model(endpoint=endpoint, deployed_model=wanted)
    assert operation.metadata.deployment_stage.name == "STARTING_DEPLOYMENT"


def test_the_stages_come_in_order(endpoint: str, model: str, vertex: Simulated) -> None:
    resources = {"machineSpec": {"machineType": "n1-standard-4"}, "minReplicaCount": 1}
    body = {"deployedModel": {"model": model, "dedicatedResources": resources}}
    name = vertex.http.post(f"{vertex.url}/v1/{endpoint}:deployModel", json=body).json()["name"]
    seen = []
    for _ in range(14):
        seen.append(vertex.http.get(f"{vertex.url}/v1/{name}").json()["metadata"]["deploymentStage"])
        vertex.later(5)
    assert tuple(dict.fromkeys(seen)) == STAGES


def test_a_dedicated_endpoint_has_its_own_host(google: ModuleType, endpoints: Any, vertex: Simulated) -> None:
    wanted = google.Endpoint(display_name="own", dedicated_endpoint_enabled=True)
    created = result(vertex, endpoints.create_endpoint(parent=PARENT, endpoint=wanted))
    number = created.name.rpartition("/")[2]
    assert endpoints.get_endpoint(name=created.name).dedicated_endpoint_dns.startswith(f"{number}.us-central1-")


def test_an_endpoint_is_the_same_by_its_projects_number(google: ModuleType, endpoint: str, vertex: Simulated) -> None:
    _, project, place = endpoint.split("/", 2)
    body = {"instances": [{"prompt": "one"}]}
    numbered = f"{vertex.url}/v1/projects/{project_number(project)}/{place}:predict"
    assert vertex.http.post(numbered, json=body).json()["predictions"][0]["content"].endswith("one")
    another = f"{vertex.url}/v1/projects/{project_number('another')}/{place}:predict"
    assert vertex.http.post(another, json=body).status_code == 404
