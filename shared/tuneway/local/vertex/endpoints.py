"""Endpoints: create, get, list, patch, delete."""

import re

import msgspec

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.listing import page, start
from tuneway.local.vertex.masks import fields_of, patched
from tuneway.local.vertex.narrow import mapping, text, whole
from tuneway.local.vertex.operations import begin
from tuneway.local.vertex.projects import project_number
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.records import Deployed, EndpointRecord
from tuneway.local.vertex.refusals import Refusal, invalid, not_found

ENDPOINT_ID = re.compile(r"[a-z][a-z0-9-]{0,62}|[1-9][0-9]{0,8}")
SET_BY_SERVER = {"name", "deployedModels", "trafficSplit", "createTime", "updateTime", "etag", "dedicatedEndpointDns"}
CHANGEABLE = frozenset({"displayName", "description", "labels", "trafficSplit", "clientConnectionConfig"})
WHOLE_TRAFFIC = 100


def create(cloud: Cloud, call: Call) -> Reply:
    """An empty endpoint."""
    given = canonical("Endpoint", call.json(), path="endpoint")
    if not text(given.get("displayName")):
        raise invalid("endpoint.display_name", "A display name is required.")
    wanted, now = call.query.get("endpointId", ""), rfc3339(cloud.now())
    if wanted and ENDPOINT_ID.fullmatch(wanted) is None:
        raise invalid("endpoint_id", f"Invalid endpoint id: '{wanted}'.")
    own = {key: value for key, value in given.items() if key not in SET_BY_SERVER}
    record = EndpointRecord(
        name=f"{call.parent}/endpoints/{wanted or new_id()}", body={**own, "createTime": now, "updateTime": now}
    )
    with cloud.store.transaction():
        if cloud.store.get(EndpointRecord, record.name) is not None:
            raise Refusal("ALREADY_EXISTS", f"Resource {record.name} already exists.")
        cloud.store.put(record.name, record)
        response = endpoint_body(record, cloud.now())
        return begin(cloud, call, record.name, verb="CreateEndpoint", response=response)


def get(cloud: Cloud, call: Call) -> Reply:
    """The endpoint now."""
    return Reply(endpoint_body(endpoint_named(cloud, call.name("endpoints")), cloud.now()))


def list_(cloud: Cloud, call: Call) -> Reply:
    """The location's endpoints, the newest first."""
    now = cloud.now()
    rows = cloud.store.newest_first(EndpointRecord, call.parent, before=start(call.query))
    return Reply(page(((seq, endpoint_body(each, now)) for seq, each in rows), call.query, key="endpoints"))


def patch(cloud: Cloud, call: Call) -> Reply:
    """Change words, labels or the traffic split."""
    change = canonical("Endpoint", call.json(), path="endpoint")
    fields = fields_of(call.query.get("updateMask", ""), allowed=CHANGEABLE)
    with cloud.store.transaction():
        record = endpoint_named(cloud, call.name("endpoints"))
        traffic = record.traffic
        if "trafficSplit" in fields:
            traffic = split_of(change, {each.id for each in record.deployed})
        words = patched(record.body, change, [field for field in fields if field != "trafficSplit"])
        body = {**words, "updateTime": rfc3339(cloud.now())}
        record = msgspec.structs.replace(record, body=body, traffic=traffic)
        cloud.store.put(record.name, record)
    return Reply(endpoint_body(record, cloud.now()))


def delete(cloud: Cloud, call: Call) -> Reply:
    """Remove an endpoint that has no models."""
    with cloud.store.transaction():
        record = endpoint_named(cloud, call.name("endpoints"))
        if record.deployed:
            raise Refusal("FAILED_PRECONDITION", f"Endpoint {record.name} has deployed models. Undeploy them first.")
        cloud.store.delete(EndpointRecord, record.name)
        return begin(cloud, call, record.name, verb="Delete")


def endpoint_named(cloud: Cloud, name: str) -> EndpointRecord:
    """The endpoint of this name, as it is now. Raises Refusal (404)."""
    record = cloud.store.get(EndpointRecord, name) or _by_number(cloud, name)
    if record is None:
        raise not_found(name)
    return _with_due_splits(record, cloud.now())


def _with_due_splits(record: EndpointRecord, now: float) -> EndpointRecord:
    """A split that came with a model counts from when that is there, over what was changed meanwhile."""
    known, traffic = {each.id for each in record.deployed}, record.traffic
    due = sorted((each for each in record.deployed if each.ready <= now), key=lambda each: each.ready)
    for each in due:
        if each.split is not None:
            traffic = {id_: share for id_, share in each.split.items() if id_ in known}
    kept = tuple(msgspec.structs.replace(each, split=None) if each in due else each for each in record.deployed)
    return msgspec.structs.replace(record, deployed=kept, traffic=traffic)


def _by_number(cloud: Cloud, name: str) -> EndpointRecord | None:
    """The endpoint whose project is called by its number, as a dedicated host calls it."""
    _, project, place = name.split("/", 2)
    if not project.isdecimal():
        return None
    named = (each for each in cloud.store.every(EndpointRecord) if each.name.split("/", 2)[2] == place)
    return next((each for each in named if project_number(each.name.split("/")[1]) == project), None)


def split_of(body: dict[str, object], known: set[str]) -> dict[str, int]:
    """The traffic split in a body. Raises Refusal unless it shares 100 percent among known deployed models."""
    split = {key: whole(value, 0) for key, value in mapping(body.get("trafficSplit")).items()}
    makes_all = sum(split.values()) == WHOLE_TRAFFIC and min(split.values(), default=0) >= 0
    if split and not (makes_all and set(split) <= known):
        raise invalid("traffic_split", "The traffic split must share 100 percent among the deployed models.")
    return split


def endpoint_body(record: EndpointRecord, now: float) -> dict[str, object]:
    """The Endpoint JSON: a model that is still being deployed is not shown yet."""
    shown = [_deployed_body(each) for each in record.deployed if each.ready <= now]
    body: dict[str, object] = {**record.body, "name": record.name}
    if shown:
        ready = {text(each["id"]) for each in shown}
        body["deployedModels"] = shown
        body["trafficSplit"] = {id_: share for id_, share in record.traffic.items() if id_ in ready}
    if record.body.get("dedicatedEndpointEnabled") is True:
        body["dedicatedEndpointDns"] = _dedicated_host(record.name)
    return body


def _deployed_body(deployed: Deployed) -> dict[str, object]:
    model = f"{deployed.model}@{deployed.version}"
    return {**deployed.body, "id": deployed.id, "model": model, "modelVersionId": deployed.version}


def _dedicated_host(name: str) -> str:
    pieces = name.split("/")
    return f"{pieces[5]}.{pieces[3]}-{project_number(pieces[1])}.prediction.vertexai.goog"


_ENDPOINTS = "projects/{project}/locations/{location}/endpoints"
RULES = (
    Rule("POST", _ENDPOINTS, create),
    Rule("GET", _ENDPOINTS, list_),
    Rule("GET", _ENDPOINTS + "/{id}", get),
    Rule("PATCH", _ENDPOINTS + "/{id}", patch),
    Rule("DELETE", _ENDPOINTS + "/{id}", delete),
)
