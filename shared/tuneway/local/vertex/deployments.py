"""Models on endpoints: deploy, undeploy, and which one answers a call."""

import re

import msgspec

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.endpoints import endpoint_named, split_of
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.narrow import mapping, text
from tuneway.local.vertex.operations import begin
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.records import Deployed, EndpointRecord, VersionRecord
from tuneway.local.vertex.refusals import Refusal, invalid
from tuneway.local.vertex.versions import version_named

DEPLOYED_ID = re.compile(r"[0-9]{1,10}")
# Tuned Gemini models are on a shared endpoint almost at once; a container needs its machines first.
SHARED_SECONDS, DEDICATED_SECONDS = 5.0, 60.0
THIS_MODEL = "0"
RESOURCES = ("dedicatedResources", "automaticResources", "sharedResources")


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """The deployed model that answers a call."""

    endpoint: str
    deployed: Deployed
    version: VersionRecord
    display_name: str

    @property
    def container(self) -> bool:
        """Whether it is a custom container, which takes predictions and not contents."""
        return self.version.base_model is None


def deploy(cloud: Cloud, call: Call) -> Reply:
    """Put a model on an endpoint; it answers when the operation is done."""
    body = canonical("DeployModelRequest", call.json())
    given = mapping(body.get("deployedModel"))
    with cloud.store.transaction():
        record = endpoint_named(cloud, call.name("endpoints"))
        version = version_named(cloud, text(given.get("model")))
        _check_resources(given, version)
        seconds = DEDICATED_SECONDS if version.base_model is None else SHARED_SECONDS
        deployed = _deployed(cloud, record, given, version=version, seconds=seconds)
        deployed = msgspec.structs.replace(deployed, split=_split_with(record, body, deployed.id))
        cloud.store.put(record.name, msgspec.structs.replace(record, deployed=(*record.deployed, deployed)))
        shown: dict[str, object] = {"id": deployed.id, "model": version.name, **deployed.body}
        response: dict[str, object] = {"deployedModel": shown}
        return begin(cloud, call, record.name, verb="DeployModel", response=response, seconds=seconds)


def undeploy(cloud: Cloud, call: Call) -> Reply:
    """Take a model off an endpoint."""
    body = canonical("UndeployModelRequest", call.json())
    wanted = text(body.get("deployedModelId"))
    with cloud.store.transaction():
        record = endpoint_named(cloud, call.name("endpoints"))
        rest = tuple(each for each in record.deployed if each.id != wanted)
        if len(rest) == len(record.deployed):
            raise Refusal("NOT_FOUND", f"Deployed model {wanted} is not on endpoint {record.name}.")
        traffic = split_of(body, {each.id for each in rest}) or record.traffic
        if rest and traffic.get(wanted):
            raise Refusal("FAILED_PRECONDITION", f"Deployed model {wanted} carries traffic; pass a split without it.")
        kept = {id_: share for id_, share in traffic.items() if id_ != wanted}
        cloud.store.put(record.name, msgspec.structs.replace(record, deployed=rest, traffic=kept))
        return begin(cloud, call, record.name, verb="UndeployModel", response={})


def serving(cloud: Cloud, name: str) -> Serving:
    """The model that answers the next call to an endpoint: by the traffic split, and by luck.

    Raises Refusal: 404 for no such endpoint, 400 FAILED_PRECONDITION while nothing is deployed or gets any traffic.
    """
    record = endpoint_named(cloud, name)
    ready = [each for each in record.deployed if each.ready <= cloud.now()]
    if not ready:
        raise Refusal("FAILED_PRECONDITION", f"Endpoint {name} has no deployed model, or it is not ready yet.")
    chosen = _by_traffic(ready, record.traffic, cloud.settings.luck())
    if chosen is None:
        raise Refusal("FAILED_PRECONDITION", f"No deployed model of endpoint {name} gets any traffic.")
    version = version_named(cloud, f"{chosen.model}@{chosen.version}")
    shown = text(chosen.body.get("displayName")) or text(record.body.get("displayName"))
    return Serving(endpoint=name, deployed=chosen, version=version, display_name=shown)


def _by_traffic(ready: list[Deployed], traffic: dict[str, int], luck: float) -> Deployed | None:
    """Whose part of the percents ``luck`` falls into."""
    carrying = [each for each in ready if traffic.get(each.id)]
    place, passed = luck * sum(traffic[each.id] for each in carrying), 0
    for each in carrying:
        passed += traffic[each.id]
        if place < passed:
            return each
    return None


def _deployed(
    cloud: Cloud, record: EndpointRecord, given: dict[str, object], *, version: VersionRecord, seconds: float
) -> Deployed:
    id_ = text(given.get("id")) or new_id()[:10]
    if DEPLOYED_ID.fullmatch(id_) is None:
        raise invalid("deployed_model.id", f"Invalid deployed model id: '{id_}'.")
    if any(each.id == id_ for each in record.deployed):
        raise Refusal("ALREADY_EXISTS", f"Deployed model {id_} is on endpoint {record.name} already.")
    own = {key: value for key, value in given.items() if key not in {"id", "model", "modelVersionId"}}
    return Deployed(
        id=id_,
        model=version.model,
        version=version.version,
        ready=cloud.now() + seconds / cloud.settings.speed,
        body={**own, "createTime": rfc3339(cloud.now())},
    )


def _check_resources(given: dict[str, object], version: VersionRecord) -> None:
    asked = [kind for kind in RESOURCES if kind in given]
    if version.base_model is None and not asked:
        raise invalid("deployed_model.prediction_resources", "dedicated_resources or automatic_resources is required.")
    if version.base_model is not None and asked:
        raise invalid("deployed_model.prediction_resources", "A tuned Gemini model takes no machine resources.")


def _split_with(record: EndpointRecord, body: dict[str, object], id_: str) -> dict[str, int] | None:
    """The endpoint's split once the model is there; a body without one leaves the traffic as it is then."""
    split = split_of(body, {THIS_MODEL, *(each.id for each in record.deployed)})
    return {id_ if key == THIS_MODEL else key: share for key, share in split.items()} or None


_ENDPOINT = "projects/{project}/locations/{location}/endpoints/{id}"
RULES = (
    Rule("POST", _ENDPOINT + ":deployModel", deploy),
    Rule("POST", _ENDPOINT + ":undeployModel", undeploy),
)
