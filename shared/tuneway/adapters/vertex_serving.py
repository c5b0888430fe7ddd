"""The bodies that put a model on an endpoint of Vertex AI, in Google's spelling."""

from typing import NotRequired, TypedDict

from tuneway.adapters.vertex_custom import MachineSpec
from tuneway.errors import BadInput
from tuneway.ports import DeployOrder, Machine, ServingContainer

LABEL = "tuneway-deployment"
# On an endpoint of its own, one model: a fixed id means that deploying twice cannot make two of it.
DEPLOYED_ID = "1"
# A container first fetches its weights: https://cloud.google.com/vertex-ai/docs/reference/rest (deploymentTimeout).
START_SECONDS = 7200


class EnvVar(TypedDict):
    """EnvVar."""

    name: str
    value: str


class Port(TypedDict):
    """Port."""

    containerPort: int


class ModelContainerSpec(TypedDict):
    """ModelContainerSpec; 64-bit integers are strings in Google's JSON."""

    imageUri: str
    args: list[str]
    env: list[EnvVar]
    ports: list[Port]
    predictRoute: str
    healthRoute: str
    deploymentTimeout: str
    sharedMemorySizeMb: NotRequired[str]


class Model(TypedDict):
    """Model."""

    displayName: str
    labels: dict[str, str]
    versionAliases: list[str]
    artifactUri: str
    containerSpec: ModelContainerSpec


class UploadModel(TypedDict):
    """UploadModelRequest."""

    modelId: str
    model: Model


class Endpoint(TypedDict):
    """Endpoint: a dedicated one takes larger bodies and longer calls than the shared host."""

    displayName: str
    labels: dict[str, str]
    dedicatedEndpointEnabled: bool


class DedicatedResources(TypedDict):
    """DedicatedResources."""

    machineSpec: MachineSpec
    minReplicaCount: int
    maxReplicaCount: int


class DeployedModel(TypedDict):
    """DeployedModel."""

    id: str
    model: str
    displayName: str
    dedicatedResources: DedicatedResources


class DeployModel(TypedDict):
    """DeployModelRequest; the key ``0`` is the model being deployed."""

    deployedModel: DeployedModel
    trafficSplit: dict[str, int]


class UndeployModel(TypedDict):
    """UndeployModelRequest; the last model of an endpoint may go without a split."""

    deployedModelId: str


def labels(order: DeployOrder) -> dict[str, str]:
    """What a resource of this order carries, and no other."""
    return {LABEL: order.mark or order.id}


def model(order: DeployOrder) -> UploadModel:
    """The weights as a model. Raises BadInput for an order without weights or container."""
    if order.weights is None or order.container is None:
        raise BadInput(f"Deployment '{order.id}' has no weights, or nothing that serves them.")
    return {
        "modelId": order.id,
        "model": {
            "displayName": order.display_name,
            "labels": labels(order),
            "versionAliases": [order.label],
            "artifactUri": order.weights.rstrip("/"),
            "containerSpec": _container(order.container),
        },
    }


def endpoint(order: DeployOrder) -> Endpoint:
    """The endpoint."""
    return {"displayName": order.display_name, "labels": labels(order), "dedicatedEndpointEnabled": True}


def deployed_model(order: DeployOrder, *, model: str) -> DeployModel:
    """The model on its machines, with all the traffic. Raises BadInput for an order without a machine."""
    if order.machine is None:
        raise BadInput(f"Deployment '{order.id}' has no machine. Give machine_type.", param="machine_type")
    replicas = order.machine.replicas
    return {
        "deployedModel": {
            "id": DEPLOYED_ID,
            "model": model,
            "displayName": order.display_name,
            "dedicatedResources": {
                "machineSpec": _machine(order.machine),
                "minReplicaCount": replicas,
                "maxReplicaCount": replicas,
            },
        },
        "trafficSplit": {"0": 100},
    }


def _container(container: ServingContainer) -> ModelContainerSpec:
    spec: ModelContainerSpec = {
        "imageUri": container.image,
        "args": list(container.arguments),
        "env": [{"name": name, "value": value} for name, value in container.environment.items()],
        "ports": [{"containerPort": container.port}],
        "predictRoute": container.predict_route,
        "healthRoute": container.health_route,
        "deploymentTimeout": f"{START_SECONDS}s",
    }
    if container.shared_memory_mb is not None:
        spec["sharedMemorySizeMb"] = str(container.shared_memory_mb)
    return spec


def _machine(machine: Machine) -> MachineSpec:
    if machine.accelerator_type is None:
        return {"machineType": machine.machine_type}
    return {
        "machineType": machine.machine_type,
        "acceleratorType": machine.accelerator_type,
        "acceleratorCount": machine.accelerator_count or 1,
    }
