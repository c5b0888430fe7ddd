"""``/v1/registry/deployments``: what models are deployed on, and for how much."""

import hashlib
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule, Tagged
from tuneway.edge.preconditions import ANY
from tuneway.edge.registry.resting import INWARD as RESTING_INWARD
from tuneway.edge.registry.resting import by_hand, slept
from tuneway.errors import BadInput, Conflict
from tuneway.ports import Machine
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.inventory import Inventory
from tuneway.registry.rest import Rest
from tuneway.registry.route_book import ALIAS
from tuneway.registry.shelves import Deployment
from tuneway.state import fields_of

ROOT = "/v1/registry/deployments"
TRUTH = {"": False, "false": False, "0": False, "true": True, "1": True}
MACHINE_TYPE = r"^[a-z][a-z0-9-]{1,62}$"
ACCELERATOR = r"^[A-Z][A-Z0-9_]{1,62}$"
# An empty name is no name left out: a script whose variable is not set would get another version than it meant.
Named = Annotated[str, Meta(min_length=1)]
Percent = Annotated[int, Meta(ge=0, le=100)]
# For the provider's eyes and for the handlers'.
INWARD = frozenset({"deadline", "lease_until", "attempts", "order", *RESTING_INWARD})


class CreateDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a new deployment; what is left out is chosen by the base model.

    ``endpoint`` is a deployment that it is put beside, with ``traffic`` percent of that endpoint's calls.
    """

    model: Named
    version: Named | None = None
    checkpoint: Named | None = None
    machine_type: Annotated[str, Meta(pattern=MACHINE_TYPE)] | None = None
    accelerator_type: Annotated[str, Meta(pattern=ACCELERATOR)] | None = None
    accelerator_count: Annotated[int, Meta(ge=1, le=16)] | None = None
    replicas: Annotated[int, Meta(ge=1, le=100)] | None = None
    alias: str | None = None
    name: Named | None = None
    endpoint: Named | None = None
    traffic: Percent | None = None
    rest: Rest | None = None


class ChangeDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a change: when it sleeps, null for never; or the percent of each deployment behind its endpoint."""

    traffic: dict[str, Percent] | UnsetType = UNSET
    rest: Rest | UnsetType | None = UNSET


def rules(desk: DeploymentDesk, inventory: Inventory) -> list[Rule]:
    """Everybody who may tune has their own deployments; admins have all."""
    one, traffic, resting = f"{ROOT}/{{deployment}}", desk.traffic, desk.resting

    def whole(deployment: Deployment) -> Body:
        split = traffic.split(deployment)
        return Tagged(shown(deployment, traffic=split, now=resting.now), {"etag": f'"{tag_of(deployment, split)}"'})

    def everything(call: Call) -> Body:
        found = inventory.deployments(owner=call.grant.tenant)
        splits = traffic.splits(found)
        return {"object": "list", "data": [shown(each, traffic=splits.get(each.id), now=resting.now) for each in found]}

    def create(call: Call) -> Body:
        body = decoded(call.body(), CreateDeployment)
        owner = call.grant.tenant
        return whole(desk.create(body.model, body.version, _wish(body), owner=owner))

    def retrieve(call: Call) -> Body:
        return whole(desk.get(call.path["deployment"], owner=call.grant.tenant))

    def change(call: Call) -> Body:
        wanted, id_ = decoded(call.body(), ChangeDeployment), call.path["deployment"]
        seen = _seen(desk, call, id_)
        return whole(_changed(desk, id_, wanted, owner=call.grant.tenant, seen=seen))

    def remove(call: Call) -> Body:
        force = _truth(call.query.get("force", ""), "force")
        return whole(desk.remove(call.path["deployment"], owner=call.grant.tenant, force=force))

    return [
        Rule("GET", ROOT, Scope.TUNE, everything),
        Rule("POST", ROOT, Scope.TUNE, create),
        Rule("GET", one, Scope.TUNE, retrieve),
        Rule("PATCH", one, Scope.TUNE, change),
        *by_hand(one, resting, whole),
        Rule("DELETE", one, Scope.TUNE, remove),
    ]


def shown(
    deployment: Deployment, *, traffic: Mapping[str, int] | None = None, now: float | None = None
) -> dict[str, object]:
    """The deployment as its owner sees it: its machine is there when it has one of its own.

    ``traffic`` are the percents of those behind its endpoint, by deployment; by ``now`` its sleep is counted.
    """
    plain = fields_of(deployment)
    body = {name: value for name, value in plain.items() if name not in INWARD}
    order = deployment.order
    if order is not None:
        body["location"] = order.location
    if order is not None and order.machine is not None:
        body["machine"] = msgspec.to_builtins(order.machine)
    if traffic is not None:
        body["traffic"] = dict(traffic)
    if now is not None:
        body |= slept(deployment, now=now)
    return {"object": "deployment", **body}


def tag_of(deployment: Deployment, split: Mapping[str, int] | None) -> str:
    """The version of what can be changed of it, as HTTP names it: its rest, and the split of its endpoint."""
    told = msgspec.json.encode([sorted((split or {}).items()), deployment.rest])
    return hashlib.sha256(told).hexdigest()[:16]


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a change is made from."""

    split: Mapping[str, int] | None
    rest: Rest | None


def _seen(desk: DeploymentDesk, call: Call, id_: str) -> _Seen | None:
    """What ``If-Match`` names; None when it names nothing. Raises Conflict when that is there no more, NotFound."""
    named = call.headers.get("if-match", "").strip()
    if named in ANY:
        return None
    there = desk.get(id_, owner=call.grant.tenant)
    split = desk.traffic.split(there)
    now = tag_of(there, split)
    if named.removeprefix("W/").strip('"') != now:
        said = f"Deployment '{id_}' has changed: it is at \"{now}\" now, not {named[:40]}. Read it, and ask again."
        raise Conflict(said, param="If-Match", code="stale_version")
    return _Seen(split=split, rest=there.rest)


def _changed(
    desk: DeploymentDesk, id_: str, wanted: ChangeDeployment, *, owner: str | None, seen: _Seen | None
) -> Deployment:
    match wanted:
        case ChangeDeployment(traffic=dict() as shares, rest=UnsetType()):
            return desk.traffic.share(id_, shares, owner=owner, was=seen.split if seen else None)
        case ChangeDeployment(traffic=UnsetType(), rest=Rest() | None as rest):
            return desk.resting.set_rest(id_, rest, owner=owner, was=seen.rest if seen else UNSET)
        case _:
            raise BadInput("Say what is to change: 'rest' or 'traffic', one at a time.", param="rest")


def _wish(body: CreateDeployment) -> Wish:
    if body.alias is not None and (ALIAS.fullmatch(body.alias) is None or body.alias.isdigit()):
        raise BadInput(
            f"'{body.alias[:128]}' cannot be an alias: 1 to 128 letters, digits and '._:@-', not digits alone.",
            param="alias",
        )
    return Wish(
        checkpoint=body.checkpoint,
        machine=_machine(body),
        replicas=body.replicas,
        alias=body.alias,
        name=body.name,
        endpoint=body.endpoint,
        traffic=body.traffic,
        rest=body.rest,
    )


def _machine(body: CreateDeployment) -> Machine | None:
    """A machine of the caller's own. Raises BadInput when its pieces do not make one."""
    if body.machine_type is None:
        for field in ("accelerator_type", "accelerator_count"):
            if getattr(body, field) is not None:
                raise BadInput(f"'{field}' goes with a machine. Give machine_type, too.", param="machine_type")
        return None
    if body.accelerator_count is not None and body.accelerator_type is None:
        raise BadInput("'accelerator_count' counts what? Give accelerator_type, too.", param="accelerator_type")
    return Machine(
        machine_type=body.machine_type,
        accelerator_type=body.accelerator_type,
        accelerator_count=body.accelerator_count or (1 if body.accelerator_type else 0),
    )


def _truth(text: str, param: str) -> bool:
    if text.lower() not in TRUTH:
        raise BadInput(f"'{param}' is true or false.", param=param)
    return TRUTH[text.lower()]
