"""Long-running operations: what began them is done at once, they end a little later by the clock."""

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.listing import page, start
from tuneway.local.vertex.records import OperationRecord
from tuneway.local.vertex.refusals import not_found

SECONDS = 2.0
RESPONSES = {
    "UploadModel": "UploadModelResponse",
    "CopyModel": "CopyModelResponse",
    "CreateEndpoint": "Endpoint",
    "UpdateEndpoint": "Endpoint",
    "DeployModel": "DeployModelResponse",
    "UndeployModel": "UndeployModelResponse",
    "MutateDeployedModel": "MutateDeployedModelResponse",
}

# What a deployment goes through, at equal distances here: DeployModelOperationMetadata.DeploymentStage.
STAGES = (
    "STARTING_DEPLOYMENT",
    "PREPARING_MODEL",
    "CREATING_SERVING_CLUSTER",
    "ADDING_NODES_TO_CLUSTER",
    "GETTING_CONTAINER_IMAGE",
    "STARTING_MODEL_SERVER",
    "FINISHING_UP",
)


def begin(
    cloud: Cloud,
    call: Call,
    owner: str,
    *,
    verb: str,
    response: dict[str, object] | None = None,
    seconds: float = SECONDS,
) -> Reply:
    """An operation under ``owner`` whose messages are named after ``verb``, e.g. ``UploadModel``.

    A delete answers with Empty: leave ``response`` out. ``seconds`` is how long it takes at speed 1.
    """
    now = cloud.now()
    record = OperationRecord(
        name=f"{owner}/operations/{new_id()}",
        version=call.version,
        created=now,
        done=now + seconds / cloud.settings.speed,
        response_type="google.protobuf.Empty" if response is None else RESPONSES[verb],
        response=response or {},
        metadata_type=f"{verb}OperationMetadata",
    )
    cloud.store.put(record.name, record)
    return Reply(_body(record, cloud))


def get(cloud: Cloud, call: Call) -> Reply:
    """The operation now."""
    return Reply(_body(_named(cloud, call), cloud))


def list_(cloud: Cloud, call: Call) -> Reply:
    """A resource's operations."""
    rows = cloud.store.newest_first(OperationRecord, _owner(call), before=start(call.query))
    return Reply(page(((seq, _body(record, cloud)) for seq, record in rows), call.query, key="operations"))


def cancel(cloud: Cloud, call: Call) -> Reply:
    """Accepted, and too late: the work was done when the operation began."""
    _named(cloud, call)
    return Reply({})


def _owner(call: Call) -> str:
    if "collection" not in call.ids:
        return call.parent
    return f"{call.parent}/{call.ids['collection']}/{call.ids['owner']}"


def _named(cloud: Cloud, call: Call) -> OperationRecord:
    name = f"{_owner(call)}/operations/{call.ids['id']}"
    record = cloud.store.get(OperationRecord, name)
    if record is None:
        raise not_found(name)
    return record


def _body(record: OperationRecord, cloud: Cloud) -> dict[str, object]:
    done = cloud.now() >= record.done
    times = {"createTime": rfc3339(record.created), "updateTime": rfc3339(record.done if done else record.created)}
    kind = {"@type": _url(record.metadata_type, record.version)}
    metadata = {**kind, "genericMetadata": times, **_stage(record, cloud.now()), **record.metadata}
    body: dict[str, object] = {"name": record.name, "metadata": metadata}
    if not done:
        return body
    return {**body, "done": True, "response": {"@type": _url(record.response_type, record.version), **record.response}}


def _stage(record: OperationRecord, now: float) -> dict[str, object]:
    if record.metadata_type != "DeployModelOperationMetadata":
        return {}
    share = (now - record.created) / max(record.done - record.created, 1e-9)
    return {"deploymentStage": STAGES[min(int(share * len(STAGES)), len(STAGES) - 1)]}


def _url(message: str, version: str) -> str:
    """A client only knows the messages of the API version that it speaks: the one that began the operation."""
    full = message if "." in message else f"google.cloud.aiplatform.{version}.{message}"
    return f"type.googleapis.com/{full}"


_ONE = "projects/{project}/locations/{location}/operations"
_OWNED = "projects/{project}/locations/{location}/{collection}/{owner}/operations"
RULES = tuple(
    Rule(method, base + rest, handler)
    for base in (_ONE, _OWNED)
    for method, rest, handler in (
        ("GET", "", list_),
        ("GET", "/{id}", get),
        ("POST", "/{id}:wait", get),
        ("POST", "/{id}:cancel", cancel),
    )
)
