"""``/v1/registry/deployments``: what models are deployed on, and for how much."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.access.keys import Grant, Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput
from tuneway.ports import Machine
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.inventory import Inventory
from tuneway.registry.route_book import ALIAS
from tuneway.registry.shelves import Deployment

ROOT = "/v1/registry/deployments"
TRUTH = {"": False, "false": False, "0": False, "true": True, "1": True}
MACHINE_TYPE = r"^[a-z][a-z0-9-]{1,62}$"
ACCELERATOR = r"^[A-Z][A-Z0-9_]{1,62}$"
# For the provider's eyes and for the handlers'.
INWARD = frozenset({"deadline", "lease_until", "attempts", "order"})


class CreateDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a new deployment; what is left out is chosen by the base model."""

    model: str
    version: str | None = None
    checkpoint: str | None = None
    machine_type: Annotated[str, Meta(pattern=MACHINE_TYPE)] | None = None
    accelerator_type: Annotated[str, Meta(pattern=ACCELERATOR)] | None = None
    accelerator_count: Annotated[int, Meta(ge=1, le=16)] | None = None
    replicas: Annotated[int, Meta(ge=1, le=100)] | None = None
    alias: str | None = None
    name: str | None = None


def rules(desk: DeploymentDesk, inventory: Inventory) -> list[Rule]:
    """Everybody who may tune has their own deployments; admins have all."""
    one = f"{ROOT}/{{deployment}}"

    def everything(call: Call) -> Body:
        found = inventory.deployments(owner=_tenant(call.grant))
        return {"object": "list", "data": [shown(each) for each in found]}

    def create(call: Call) -> Body:
        body = decoded(call.body(), CreateDeployment)
        owner = _tenant(call.grant)
        return shown(desk.create(body.model, body.version, _wish(body), owner=owner))

    def retrieve(call: Call) -> Body:
        return shown(desk.get(call.path["deployment"], owner=_tenant(call.grant)))

    def remove(call: Call) -> Body:
        force = _truth(call.query.get("force", ""), "force")
        return shown(desk.remove(call.path["deployment"], owner=_tenant(call.grant), force=force))

    return [
        Rule("GET", ROOT, Scope.TUNE, everything),
        Rule("POST", ROOT, Scope.TUNE, create),
        Rule("GET", one, Scope.TUNE, retrieve),
        Rule("DELETE", one, Scope.TUNE, remove),
    ]


def shown(deployment: Deployment) -> dict[str, object]:
    """The deployment as its owner sees it: its machine is there when it has one of its own."""
    plain = msgspec.convert(msgspec.to_builtins(deployment), dict[str, object])
    body = {name: value for name, value in plain.items() if name not in INWARD}
    order = deployment.order
    if order is not None:
        body["location"] = order.location
    if order is not None and order.machine is not None:
        body["machine"] = msgspec.to_builtins(order.machine)
    return {"object": "deployment", **body}


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


def _tenant(grant: Grant) -> str | None:
    """Whose deployments the caller may see; None means everybody's."""
    return None if Scope.ADMIN in grant.scopes else grant.owner
