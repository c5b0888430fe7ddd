"""What a deployment means for the rest of the registry: its version's endpoint, its target, the route made for it."""

from collections.abc import Callable

import msgspec

from tuneway.ports import Documents, Write
from tuneway.registry.hosting.traffic.sharing import arrived, left_alone, others, room_made
from tuneway.registry.shelves import Deployment, Version
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current
from tuneway.state import Collection, Stored

VLLM = "vllm"


def target_of(deployment: Deployment) -> Target:
    """How the deployment is called."""
    return _TARGETS[deployment.deployer or "vertex"](deployment)


def answering(documents: Documents, ready: Deployment, *, now: float) -> tuple[Route | None, list[Write]]:
    """The route made for a deployment that is ready, and the writes that make it known; a route that is there stays."""
    version = _version(documents, ready)
    writes = room_made(documents, ready, now=now)
    if version is not None:
        writes.append(_known_at(documents, version, ready, endpoint=ready.endpoint))
    if ready.alias is None or ready.alias in current(documents).routes:
        return None, writes
    route = Route(alias=ready.alias, targets=(target_of(ready),), created_at=now, owner=ready.owner)
    return route, [*writes, Collection(documents, "routes", Route).create(route.alias, route)]


def forgotten(documents: Documents, gone: Deployment) -> list[Write]:
    """The writes that make the version know that it does not answer there any more, unless another of it does.

    The last one that is left on an endpoint knows that it is alone there.
    """
    writes = left_alone(documents, gone)
    version = None if _twins(documents, gone) else _version(documents, gone)
    if version is None or not gone.endpoint or gone.endpoint not in _endpoints(version.value):
        return writes
    return [*writes, _known_at(documents, version, gone, endpoint=None)]


def led_to(route: Route, deployment: Deployment) -> tuple[Target, ...]:
    """The route's targets that are this deployment."""
    return tuple(target for target in route.targets if deployment.endpoint in {target.resource, target.model} - {""})


def _vertex(deployment: Deployment) -> Target:
    """A container that speaks OpenAI's words; its own host is the only way to a dedicated endpoint."""
    served = deployment.order.served_name if deployment.order else ""
    return Target(resource=deployment.endpoint, dialect="openai", host=deployment.host, model=served, profile=VLLM)


def _bedrock(deployment: Deployment) -> Target:
    """On demand, the deployment's ARN is the model to call."""
    region = deployment.order.location if deployment.order else None
    return Target(provider="bedrock", dialect="bedrock", model=deployment.endpoint, region=region)


_TARGETS: dict[str, Callable[[Deployment], Target]] = {"vertex": _vertex, "bedrock": _bedrock}


def _version(documents: Documents, deployment: Deployment) -> Stored[Version] | None:
    return Collection(documents, f"models/{deployment.model}/versions", Version).known(deployment.version)


def _twins(documents: Documents, gone: Deployment) -> bool:
    """Whether the same weights answer on the same endpoint from other machines, too."""
    if gone.order is None or not gone.order.shared:
        return False
    served = (gone.model, gone.version, gone.checkpoint)
    found = (each.value for each in arrived(others(documents, gone)))
    return any((each.model, each.version, each.checkpoint) == served for each in found)


def _known_at(documents: Documents, version: Stored[Version], deployment: Deployment, *, endpoint: str | None) -> Write:
    """The version with this endpoint for itself, or for the checkpoint that is deployed."""
    value = version.value
    if deployment.checkpoint is None:
        after = msgspec.structs.replace(value, endpoint=endpoint)
    else:
        points = tuple(
            msgspec.structs.replace(point, endpoint=endpoint) if point.id == deployment.checkpoint else point
            for point in value.checkpoints
        )
        after = msgspec.structs.replace(value, checkpoints=points)
    return Collection(documents, f"models/{value.model}/versions", Version).replace(version, after)


def _endpoints(version: Version) -> set[str | None]:
    return {version.endpoint, *(point.endpoint for point in version.checkpoints)}
