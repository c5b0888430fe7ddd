"""What is to be deployed, and on what: from a registered version, or a checkpoint of it, to a deployment."""

import hashlib
import re

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import DeployOrder, Machine
from tuneway.registry.hosting.deployment_gate import Usual
from tuneway.registry.hosting.napping import may_rest
from tuneway.registry.hosting.windows import checked
from tuneway.registry.naming import dashed
from tuneway.registry.rest import Rest
from tuneway.registry.serving import HourlyCost, Serving
from tuneway.registry.shelves import Deployment, DeploymentStatus, Model, Moment, Version
from tuneway.routing.routes import Dialect

# Who serves what was tuned where. What managed tuning of Gemini makes, Google deploys itself.
DEPLOYERS = {"vertex_open": "vertex", "vertex_custom": "vertex", "bedrock": "bedrock"}
DIALECTS: dict[str, Dialect] = {"vertex": "openai", "bedrock": "bedrock"}
# Vertex AI names endpoints and models by it: https://cloud.google.com/vertex-ai/docs/reference/rest (endpointId).
NAME = re.compile(r"[a-z][a-z0-9-]{0,61}[a-z0-9]")
# The end of the names that tuneway gives where another tenant has the plain one.
APART = re.compile(r".*--[0-9a-f]{12}")
REQUESTED_SECONDS = 30.0
_SHOWN = 80


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may want of a deployment; None leaves it to tuneway.

    ``alias`` is the route to make once it is ready, ``name`` what the deployment is called. ``endpoint`` is another
    deployment that it is put beside, on one endpoint, with ``traffic`` percent of that one's calls. ``rest`` is when it
    may sleep.
    """

    checkpoint: str | None = None
    machine: Machine | None = None
    replicas: int | None = None
    alias: str | None = None
    name: str | None = None
    endpoint: str | None = None
    traffic: int | None = None
    rest: Rest | None = None


class Orders:
    """Makes deployments of versions, by what is known of serving; ``location`` is where, if the version says not."""

    def __init__(self, serving: Serving, *, location: str) -> None:
        self._serving = serving
        self._location = location

    def of(self, model: Model, version: Version, wish: Wish, *, now: float) -> Deployment:
        """The deployment, requested. Raises BadInput naming the field."""
        _refuse_withdrawn(model, version)
        deployer = DEPLOYERS.get(version.backend)
        if deployer is None:
            raise BadInput(
                f"Model '{model.id}' needs no deployment: Vertex AI serves it where it was tuned.",
                param="model",
                code="already_deployed",
            )
        machine = self._machine(model, wish) if deployer == "vertex" else None
        id_ = _named(model, version, wish)
        order = self._order(id_, model, version, wish=wish, machine=machine)
        if wish.rest is not None:
            checked(wish.rest)
            may_rest(id_, msgspec.structs.replace(order, endpoint=wish.endpoint or ""))
        return Deployment(
            id=id_,
            owner=model.owner,
            endpoint="",
            dialect=DIALECTS[deployer],
            created_at=now,
            model=model.id,
            version=version.number,
            checkpoint=wish.checkpoint,
            status=DeploymentStatus.REQUESTED,
            open=True,
            deployer=deployer,
            order=msgspec.structs.replace(order, token=f"{id_}-{int(now)}", mark=_digest(model.owner, id_)),
            alias=wish.alias or alias_of(version, wish.checkpoint),
            rest=wish.rest,
            job=version.job or None,
            hourly=self._serving.hourly(machine) if machine else None,
            moved_at=now,
            deadline=now + REQUESTED_SECONDS,
            history=(Moment(at=now, status=DeploymentStatus.REQUESTED, message=_requested(machine, self._serving)),),
        )

    def usual(self, base_model: str) -> Usual | None:
        """The machine that this base model is put on when nobody chooses one, and what that costs."""
        machine = self._serving.machine(base_model)
        return None if machine is None else Usual(machine, self._serving.hourly(machine))

    def _order(self, id_: str, model: Model, version: Version, *, wish: Wish, machine: Machine | None) -> DeployOrder:
        weights = _weights(version, wish.checkpoint)
        row = self._serving.row(model.base_model)
        plain = DeployOrder(
            id=id_,
            token=id_,
            location=version.location or self._location,
            display_name=(wish.alias or alias_of(version, wish.checkpoint))[:128],
            model=version.resource,
            label=f"cp-{wish.checkpoint}" if wish.checkpoint else "final",
        )
        if machine is None:
            return plain
        if weights is None:
            raise BadInput(f"Version '{version.number}' of '{model.id}' has no weights to deploy.", param="version")
        return msgspec.structs.replace(
            plain,
            weights=weights,
            machine=machine,
            container=self._serving.container(model.base_model, machine=machine, weights=weights),
            served_name=row.served_name if row else "",
        )

    def _machine(self, model: Model, wish: Wish) -> Machine:
        found = wish.machine or self._serving.machine(model.base_model)
        if found is None:
            raise BadInput(
                f"It is not known which machine '{model.base_model[:_SHOWN]}' fits. Give machine_type, and with it "
                "accelerator_type and accelerator_count.",
                param="machine_type",
                code="serving_unknown",
            )
        return msgspec.structs.replace(found, replicas=wish.replicas or found.replicas)


def cost_said(machine: Machine, hourly: HourlyCost) -> str:
    """The machine and what an hour of it costs, in words; where the price comes from stands in the deployment."""
    with_ = f" with {machine.accelerator_count} x {machine.accelerator_type}" if machine.accelerator_type else ""
    times = f"{machine.replicas} x " if machine.replicas > 1 else ""
    return f"{times}{machine.machine_type}{with_}, {hourly.said}"


def apart(deployment: Deployment) -> Deployment:
    """The same under a name that only its owner's deployments get: the plain one is somebody else's."""
    plain, order = deployment.id, deployment.order
    id_ = f"{plain[:49].rstrip('-')}--{_digest(deployment.owner, plain)[:12]}"
    if order is not None:
        mark = _digest(deployment.owner, id_)
        order = msgspec.structs.replace(order, id=id_, token=order.token.replace(plain, id_, 1), mark=mark)
    return msgspec.structs.replace(deployment, id=id_, order=order)


def same(one: Deployment, other: Deployment) -> bool:
    """Whether both serve the same weights for the same owner."""
    return _served(one) == _served(other)


def alias_of(version: Version, checkpoint: str | None) -> str:
    """The name that a version, or one of its checkpoints, answers under."""
    return version.alias if checkpoint is None else f"{version.alias}@cp-{checkpoint}"


def _refuse_withdrawn(model: Model, version: Version) -> None:
    """What is offered no more is deployed no more. Raises BadInput."""
    for state, what in ((model.state, f"Model '{model.id}'"), (version.state, f"Version '{version.number}'")):
        if state == "archived":
            said = f"{what} is archived. Restore it first: tuneway models restore"
            raise BadInput(said, param="model", code="archived")


def _requested(machine: Machine | None, serving: Serving) -> str:
    if machine is None:
        return "Requested: served on demand, billed by token, nothing while nobody asks."
    return f"Requested on {cost_said(machine, serving.hourly(machine))}."


def _served(deployment: Deployment) -> tuple[str, str, str, str | None]:
    return deployment.owner, deployment.model, deployment.version, deployment.checkpoint


def _digest(owner: str, id_: str) -> str:
    return hashlib.sha256(f"{owner}\0{id_}".encode()).hexdigest()[:32]


def _named(model: Model, version: Version, wish: Wish) -> str:
    """The id: the same wish has the same one, so that asking twice makes nothing twice."""
    tail = f"-cp-{dashed(wish.checkpoint)}" if wish.checkpoint else ""
    plain = f"{dashed(model.id)}-{version.number}{tail}"
    name = wish.name or (plain if plain[:1].isalpha() else f"m-{plain}")
    if NAME.fullmatch(name) is None or APART.fullmatch(name) is not None:
        raise BadInput(
            f"'{name[:_SHOWN]}' cannot name a deployment: 2 to 63 small letters, digits and '-', a letter first, "
            "and no end like that of the names which tuneway itself gives ('--' and 12 digits).",
            param="name",
            code="invalid_value",
        )
    return name


def _weights(version: Version, checkpoint: str | None) -> str | None:
    if checkpoint is None:
        return version.weights
    points = {point.id: point.weights for point in version.checkpoints}
    if checkpoint not in points:
        offer = f"Use one of: {', '.join(points)}." if points else "It has none; leave 'checkpoint' out."
        raise BadInput(
            f"Version '{version.number}' has no checkpoint '{checkpoint[:_SHOWN]}'. {offer}",
            param="checkpoint",
            code="checkpoint_not_found",
        )
    return points[checkpoint]
