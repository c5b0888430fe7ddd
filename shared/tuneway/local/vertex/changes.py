"""Changes of endpoints and of the models on them that take a while: long updates, other numbers of replicas."""

import msgspec

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.endpoints import CHANGEABLE, endpoint_body, endpoint_named
from tuneway.local.vertex.instants import rfc3339
from tuneway.local.vertex.masks import patched
from tuneway.local.vertex.narrow import mapping, text
from tuneway.local.vertex.operations import begin
from tuneway.local.vertex.protos import camel, canonical
from tuneway.local.vertex.records import Deployed
from tuneway.local.vertex.refusals import Refusal, invalid

# Source: MutateDeployedModelRequest of Google's own clients (google-cloud-aiplatform 2.7.0), checked 2026-11-21.
MUTABLE = {
    "dedicatedResources": {
        "minReplicaCount",
        "maxReplicaCount",
        "requiredReplicaCount",
        "autoscalingMetricSpecs",
    },
    "automaticResources": {"minReplicaCount", "maxReplicaCount"},
}


def update(cloud: Cloud, call: Call) -> Reply:
    """Change what of an endpoint is in the body; its traffic is changed by ``PATCH`` alone."""
    given = mapping(canonical("UpdateEndpointLongRunningRequest", call.json()).get("endpoint"))
    with cloud.store.transaction():
        record = endpoint_named(cloud, call.name("endpoints"))
        fields = [field for field in given if field in CHANGEABLE - {"trafficSplit"}]
        body = {**patched(record.body, given, fields), "updateTime": rfc3339(cloud.now())}
        record = msgspec.structs.replace(record, body=body)
        cloud.store.put(record.name, record)
        response = endpoint_body(record, cloud.now())
        return begin(cloud, call, record.name, verb="UpdateEndpoint", response=response)


def mutate(cloud: Cloud, call: Call) -> Reply:
    """Change the replicas of a model where it is deployed."""
    body = canonical("MutateDeployedModelRequest", call.json())
    given, paths = mapping(body.get("deployedModel")), _paths(text(body.get("updateMask")))
    wanted = text(given.get("id"))
    with cloud.store.transaction():
        record = endpoint_named(cloud, call.name("endpoints"))
        found = next((each for each in record.deployed if each.id == wanted), None)
        if found is None:
            raise Refusal("NOT_FOUND", f"Deployed model {wanted} is not on endpoint {record.name}.")
        changed = _mutated(found, given, paths)
        deployed = tuple(changed if each.id == wanted else each for each in record.deployed)
        cloud.store.put(record.name, msgspec.structs.replace(record, deployed=deployed))
        shown: dict[str, object] = {**changed.body, "id": wanted, "model": f"{changed.model}@{changed.version}"}
        return begin(cloud, call, record.name, verb="MutateDeployedModel", response={"deployedModel": shown})


def _paths(mask: str) -> list[tuple[str, str]]:
    """What the mask names, in two parts. Raises Refusal for what cannot be changed."""
    paths = [path.strip().partition(".") for path in mask.split(",") if path.strip()]
    found = [(camel(head), camel(field)) for head, _, field in paths]
    wrong = [f"{head}.{field}" for head, field in found if field not in MUTABLE.get(head, ())]
    if wrong or not found:
        raise invalid("update_mask", f"The update mask must name replicas or their metrics, not '{', '.join(wrong)}'.")
    return found


def _mutated(deployed: Deployed, given: dict[str, object], paths: list[tuple[str, str]]) -> Deployed:
    body = deployed.body
    for head, field in paths:
        body = {**body, head: patched(mapping(body.get(head)), mapping(given.get(head)), [field])}
    return msgspec.structs.replace(deployed, body=body)


_ENDPOINT = "projects/{project}/locations/{location}/endpoints/{id}"
RULES = (
    Rule("POST", _ENDPOINT + ":update", update),
    Rule("POST", _ENDPOINT + ":mutateDeployedModel", mutate),
)
