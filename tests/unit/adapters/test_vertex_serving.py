"""What is sent to Vertex AI to deploy a model, held against Google's own messages."""

import importlib
from typing import Any

import msgspec
import pytest
from google.cloud import aiplatform_v1

from tuneway.adapters.vertex_serving import deployed_model, endpoint, endpoint_labels, model, shared, undeployed
from tuneway.errors import BadInput
from tuneway.ports import DeployOrder, Machine
from tuneway.registry.serving import load

LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
MACHINE = Machine(machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1, replicas=2)
ORDER = DeployOrder(
    id="ft-1-1",
    token="ft-1-1-0",
    location="us-central1",
    display_name="ft:llama:acme::1",
    model="projects/p/locations/us-central1/tuningJobs/5",
    weights="gs://shop/out/final/",
    container=load().container(LLAMA, machine=MACHINE, weights="gs://shop/out/final/"),
    machine=MACHINE,
)


def parsed(body: Any, message_class: Any) -> Any:
    """The body as Google's message. Raises ParseError for any field or type that it does not have."""
    json_format = importlib.import_module("google.protobuf.json_format")
    return message_class.wrap(json_format.ParseDict(body, message_class.pb(message_class())))


def test_weights_become_a_model_with_its_container() -> None:
    asked = parsed(model(ORDER), aiplatform_v1.UploadModelRequest)
    spec = asked.model.container_spec
    assert (asked.model_id, asked.model.artifact_uri) == ("ft-1-1", "gs://shop/out/final")
    assert list(asked.model.version_aliases) == ["final"]
    assert dict(asked.model.labels) == {"tuneway-deployment": "ft-1-1"}
    assert [port.container_port for port in spec.ports] == [8080]
    assert (spec.predict_route, spec.health_route, spec.shared_memory_size_mb) == ("/generate", "/ping", 16384)
    assert spec.deployment_timeout.total_seconds() == 7200
    assert {each.name: each.value for each in spec.env}["MODEL_ID"] == LLAMA


def test_an_endpoint_is_dedicated() -> None:
    asked = parsed(endpoint(ORDER), aiplatform_v1.Endpoint)
    assert (asked.display_name, asked.dedicated_endpoint_enabled) == ("ft:llama:acme::1", True)


def test_a_model_is_deployed_on_its_machines_with_all_the_traffic() -> None:
    asked = parsed(
        deployed_model(ORDER, model="projects/p/locations/us-central1/models/ft-1-1"), aiplatform_v1.DeployModelRequest
    )
    resources = asked.deployed_model.dedicated_resources
    machine = resources.machine_spec
    assert (machine.machine_type, machine.accelerator_type.name, machine.accelerator_count) == (
        "g2-standard-12",
        "NVIDIA_L4",
        1,
    )
    assert (resources.min_replica_count, resources.max_replica_count) == (2, 2)
    assert (asked.deployed_model.id, dict(asked.traffic_split)) == ("1", {"0": 100})


@pytest.mark.parametrize("name", sorted(load().machines))
def test_every_machine_is_one_that_vertex_ai_has_a_name_for(name: str) -> None:
    order = msgspec.structs.replace(ORDER, machine=load().machines[name])
    asked = parsed(deployed_model(order, model="m"), aiplatform_v1.DeployModelRequest)
    assert asked.deployed_model.dedicated_resources.machine_spec.accelerator_type.name.startswith("NVIDIA_")


def test_a_machine_without_an_accelerator_has_none() -> None:
    order = msgspec.structs.replace(ORDER, machine=Machine(machine_type="n2-standard-8"))
    machine = deployed_model(order, model="m")["deployedModel"]["dedicatedResources"]["machineSpec"]
    assert machine == {"machineType": "n2-standard-8"}


def test_an_order_without_what_it_needs_is_refused() -> None:
    with pytest.raises(BadInput):
        model(msgspec.structs.replace(ORDER, container=None))
    with pytest.raises(BadInput):
        deployed_model(msgspec.structs.replace(ORDER, machine=None), model="m")


GUEST = msgspec.structs.replace(ORDER, deployed_id="1234567890", traffic=25)


def test_beside_others_it_takes_its_share_from_theirs() -> None:
    asked = parsed(deployed_model(GUEST, model="m", there={"1": 60, "2": 40, "3": 0}), aiplatform_v1.DeployModelRequest)
    assert (asked.deployed_model.id, dict(asked.traffic_split)) == ("1234567890", {"0": 25, "1": 45, "2": 30})


def test_beside_others_without_a_share_it_leaves_the_split_out() -> None:
    body = deployed_model(msgspec.structs.replace(GUEST, traffic=0), model="m", there={"1": 100})
    assert "trafficSplit" not in body
    assert parsed(body, aiplatform_v1.DeployModelRequest).deployed_model.id == "1234567890"


@pytest.mark.parametrize(
    ("there", "split"),
    [
        ({"1": 100}, {}),
        ({"1": 0, "2": 100}, {}),
        ({"1": 100, "2": 0, "3": 0}, {"2": 50, "3": 50}),
        ({"1": 20, "2": 60, "3": 20}, {"2": 75, "3": 25}),
    ],
)
def test_what_goes_leaves_its_share_to_the_others(there: dict[str, int], split: dict[str, int]) -> None:
    asked = parsed(undeployed("1", there=there), aiplatform_v1.UndeployModelRequest)
    assert (asked.deployed_model_id, dict(asked.traffic_split)) == ("1", split)


def test_a_split_is_a_change_of_the_endpoint() -> None:
    asked = parsed(shared({"1": 100, "2": 0}), aiplatform_v1.Endpoint)
    assert dict(asked.traffic_split) == {"1": 100}


def test_the_endpoint_of_a_guest_carries_its_hosts_mark() -> None:
    guest = msgspec.structs.replace(GUEST, mark="b", endpoint="ft-1-1", endpoint_mark="a")
    assert endpoint_labels(guest) == {"tuneway-deployment": "a"}
    assert endpoint_labels(msgspec.structs.replace(guest, endpoint_mark="")) == {"tuneway-deployment": "ft-1-1"}
    assert endpoint_labels(ORDER) == {"tuneway-deployment": ORDER.id}
