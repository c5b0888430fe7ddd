"""The bodies that put a model on an endpoint of Vertex AI, in Google's spelling."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from tuneway.adapters.vertex_machines import MachineSpec, machine_spec
from tuneway.errors import BadInput
from tuneway.ports import DeployOrder, ServingContainer
from tuneway.registry.hosting.traffic.shares import WHOLE, beside, carrying, without

LABEL = "tuneway-deployment"
THIS_MODEL = "0"
NOTHING: dict[str, int] = {}
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
    trafficSplit: NotRequired[dict[str, int]]


class UndeployModel(TypedDict):
    """UndeployModelRequest; the last model of an endpoint goes without a split."""

    deployedModelId: str
    trafficSplit: NotRequired[dict[str, int]]


class SharedTraffic(TypedDict):
    """Endpoint, as far as a change of its traffic goes: ``updateMask=trafficSplit``."""

    trafficSplit: dict[str, int]


def labels(order: DeployOrder) -> dict[str, str]:
    """What a resource of this order carries, and no other."""
    return {LABEL: order.mark or order.id}


def endpoint_labels(order: DeployOrder) -> dict[str, str]:
    """What its endpoint carries, which may be another order's."""
    return {LABEL: order.endpoint_mark or order.endpoint} if order.endpoint else labels(order)


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


def deployed_model(order: DeployOrder, *, model: str, there: Mapping[str, int] = NOTHING) -> DeployModel:
    """The model on its machines, with its share of the traffic: all of it unless others are ``there``, by their shares.

    Raises BadInput for an order without a machine.
    """
    if order.machine is None:
        raise BadInput(f"Deployment '{order.id}' has no machine. Give machine_type.", param="machine_type")
    replicas = order.machine.replicas
    body: DeployModel = {
        "deployedModel": {
            "id": order.deployed_id,
            "model": model,
            "displayName": order.display_name,
            "dedicatedResources": {
                "machineSpec": machine_spec(order.machine),
                "minReplicaCount": replicas,
                "maxReplicaCount": replicas,
            },
        }
    }
    # Without a split the others keep what they have: https://cloud.google.com/vertex-ai/docs/reference/rest
    # (projects.locations.endpoints/deployModel).
    if not there or order.traffic:
        body["trafficSplit"] = _joined(there, order.traffic)
    return body


def undeployed(id_: str, *, there: Mapping[str, int]) -> UndeployModel:
    """The model off the endpoint; what it carries of the traffic goes to the others that are ``there``."""
    if not there.get(id_) or len(there) == 1:
        return {"deployedModelId": id_}
    return {"deployedModelId": id_, "trafficSplit": carrying(without(there, {id_}))}


def shared(shares: Mapping[str, int]) -> SharedTraffic:
    """The traffic of an endpoint."""
    return {"trafficSplit": carrying(shares)}


def _joined(there: Mapping[str, int], share: int) -> dict[str, int]:
    return carrying({**beside(there, share), THIS_MODEL: share}) if there else {THIS_MODEL: WHOLE}


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
