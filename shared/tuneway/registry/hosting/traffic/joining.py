"""Put a deployment on the endpoint of another: what the two must have in common, and what is ordered then."""

import hashlib
from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import DeployOrder
from tuneway.registry.hosting.traffic.sharing import endpoint_id
from tuneway.registry.shelves import Deployment, DeploymentStatus, Moment

SHARING = "vertex"
SMALLEST, IDS = 1_000_000_000, 9_000_000_000


def joined(wanted: Deployment, there: Deployment, *, traffic: int, alias: str | None) -> Deployment:
    """``wanted`` beside ``there``, with ``traffic`` percent of the calls, under no alias but its own.

    Raises BadInput naming the field.
    """
    mine, theirs = wanted.order, there.order
    if mine is None or theirs is None:
        raise _refused(f"tuneway did not make the endpoint of '{there.id}'. Name a deployment that it made.")
    for fits, why in REASONS:
        if not fits(wanted, there):
            raise _refused(why(wanted, there))
    order = msgspec.structs.replace(
        mine,
        endpoint=endpoint_id(there),
        endpoint_mark=theirs.endpoint_mark or theirs.mark or theirs.id,
        deployed_id=deployed_id(mine),
        traffic=traffic,
        shared=True,
    )
    said = f" Beside '{there.id}' on one endpoint, with {traffic} % of its traffic."
    return msgspec.structs.replace(wanted, order=order, alias=alias, history=_more(wanted.history, said))


def deployed_id(order: DeployOrder) -> str:
    """What the model is called on an endpoint that is not its own: ten digits, always the same for this order.

    An endpoint's first one is called 1. Source: https://cloud.google.com/vertex-ai/docs/reference/rest (deployedModel).
    """
    digest = hashlib.sha256((order.mark or order.id).encode()).digest()
    return str(SMALLEST + int.from_bytes(digest[:8]) % IDS)


def _both_there(wanted: Deployment, there: Deployment) -> bool:
    return wanted.deployer == there.deployer == SHARING


def _location(deployment: Deployment) -> str:
    return deployment.order.location if deployment.order else ""


def _served(deployment: Deployment) -> str:
    return deployment.order.served_name if deployment.order else ""


Fits = Callable[[Deployment, Deployment], bool]
Why = Callable[[Deployment, Deployment], str]
REASONS: tuple[tuple[Fits, Why], ...] = (
    (
        _both_there,
        lambda wanted, _: (
            f"only models on machines of Vertex AI share an endpoint. Deploy '{wanted.model}' without 'endpoint', and "
            "share the calls by the weights of a route's targets."
        ),
    ),
    (
        lambda wanted, there: wanted.owner == there.owner,
        lambda _, there: f"'{there.id}' is not the model's owner's. Name one of that owner's deployments.",
    ),
    (
        lambda _, there: there.status is DeploymentStatus.READY,
        lambda _, there: f"'{there.id}' is {there.status}. Ask again when it is ready.",
    ),
    (
        lambda _, there: there.rest is None,
        lambda _, there: (
            f"'{there.id}' sleeps when nobody uses it, and the others would have to, too. End that first: tuneway "
            f"deployments rest {there.id} --never"
        ),
    ),
    (
        lambda wanted, there: _location(wanted) == _location(there),
        lambda wanted, there: (
            f"'{there.id}' is in {_location(there)}, and the weights are to be deployed in {_location(wanted)}. Name a "
            "deployment in the same location."
        ),
    ),
    (
        lambda wanted, there: _served(wanted) == _served(there),
        lambda wanted, there: (
            f"'{there.id}' serves its model as '{_served(there)}', and this one is served as '{_served(wanted)}': no "
            "call fits both. Name a deployment of the same base model."
        ),
    ),
)


def _more(history: tuple[Moment, ...], said: str) -> tuple[Moment, ...]:
    *before, last = history
    return (*before, msgspec.structs.replace(last, message=last.message + said))


def _refused(why: str) -> BadInput:
    return BadInput(f"The endpoint cannot be shared: {why}", param="endpoint", code="endpoint_not_shareable")
