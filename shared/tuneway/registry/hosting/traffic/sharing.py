"""Who is behind an endpoint, and how its traffic is shared among them.

Each deployment's order says which percent it is to have. Of those that answer the shares always make a hundred: one
that rests keeps its own for when it is back, and the others carry it meanwhile.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Deployer, DeployOrder, Documents, Write
from tuneway.registry.hosting.traffic.shares import among, beside
from tuneway.registry.shelves import Deployment, DeploymentStatus, Moment
from tuneway.state import Collection, Stored

GOING = frozenset({DeploymentStatus.UNDEPLOYING, DeploymentStatus.UNDEPLOYED, DeploymentStatus.FAILED})
GONE = frozenset({DeploymentStatus.UNDEPLOYED, DeploymentStatus.FAILED})
ATTEMPTS = 20
# As many lines of a history as the others keep.
REMEMBERED = 50


def endpoint_id(deployment: Deployment) -> str:
    """The id of the endpoint that it is put on: its own, or that of another which it joins."""
    return (deployment.order.endpoint if deployment.order else "") or deployment.id


def behind(documents: Documents, endpoint: str) -> list[Stored[Deployment]]:
    """Those that are on the endpoint, or will be, and are not on their way out, oldest first."""
    return [each for each in _all_behind(documents, endpoint) if each.value.status not in GOING]


def _all_behind(documents: Documents, endpoint: str) -> list[Stored[Deployment]]:
    shelf = Collection(documents, "deployments", Deployment)
    first = shelf.known(endpoint)
    found = {each.id: each for each in shelf.find(("order.endpoint", "==", endpoint))}
    if first is not None and endpoint_id(first.value) == endpoint:
        found[first.id] = first
    return sorted(found.values(), key=lambda each: (each.value.created_at, each.id))


def others(documents: Documents, deployment: Deployment) -> list[Stored[Deployment]]:
    """Those that are behind its endpoint beside it."""
    return [each for each in behind(documents, endpoint_id(deployment)) if each.id != deployment.id]


def lingering(documents: Documents, deployment: Deployment) -> list[Deployment]:
    """The others of whom something may be on its endpoint still, those on their way out included."""
    found = [each.value for each in _all_behind(documents, endpoint_id(deployment)) if each.id != deployment.id]
    return [each for each in found if not nothing_left(each)]


def nothing_left(deployment: Deployment) -> bool:
    """Whether it ended, and all of it is gone."""
    left = deployment.error is not None and deployment.error.code == "left_behind"
    return deployment.status in GONE and not left


def arrived(found: Iterable[Stored[Deployment]]) -> list[Stored[Deployment]]:
    """Those of them that answer there, or rest."""
    return [each for each in found if each.value.endpoint]


def traffic(deployment: Deployment) -> int:
    """The percent that it is to have."""
    return deployment.order.traffic if deployment.order else 0


def shares(members: Sequence[Deployment]) -> dict[str, int]:
    """The percent of the traffic that each gets now, by deployment: those that do not answer get none."""
    answering = {each.id: traffic(each) for each in members if each.status is DeploymentStatus.READY}
    return {each.id: 0 for each in members} | among(answering)


def given(stored: Stored[Deployment], share: int, *, said: str, now: float) -> Deployment:
    """The same with another share from now on, and a line about it in its history."""
    deployment = stored.value
    order = msgspec.structs.replace(deployment.order, traffic=share) if deployment.order else None
    after = msgspec.structs.replace(deployment, order=order)
    return _noted(after, f"{share} % of its endpoint's traffic: {said}", now=now)


def opened(deployment: Deployment, *, now: float) -> Deployment:
    """The same with the handler awake, who brings the provider to what is wanted."""
    if deployment.status is not DeploymentStatus.READY:
        return deployment
    return msgspec.structs.replace(deployment, open=True, deadline=now)


def shared_with(
    documents: Documents, members: Iterable[Stored[Deployment]], newcomer: str, *, now: float
) -> list[Write]:
    """The writes by which ``members`` know that they are not alone; they fail when one has changed.

    The line in their histories makes each another document: whoever counted them without the newcomer writes in vain.
    """
    shelf = Collection(documents, "deployments", Deployment)
    said = f"'{newcomer}' is put beside it."
    return [shelf.replace(each, _noted(_marked(each.value, shared=True), said, now=now)) for each in members]


def left_alone(documents: Documents, gone: Deployment) -> list[Write]:
    """The write by which the last one on an endpoint knows that nobody else is there any more; none where some are."""
    if gone.order is None or not gone.order.shared:
        return []
    found = [each for each in _all_behind(documents, endpoint_id(gone)) if each.id != gone.id]
    left = [each for each in found if each.value.status not in GONE]
    if len(left) != 1 or left[0].value.status in GOING:
        return []
    shelf = Collection(documents, "deployments", Deployment)
    return [shelf.replace(left[0], _marked(left[0].value, shared=False))]


def room_made(documents: Documents, ready: Deployment, *, now: float) -> list[Write]:
    """The writes by which the others make room for one that answers from now on; alone, it needs none."""
    if ready.order is None or not ready.order.shared:
        return []
    there = arrived(others(documents, ready))
    left = beside({each.id: traffic(each.value) for each in there}, ready.order.traffic)
    shelf = Collection(documents, "deployments", Deployment)
    said = f"'{ready.id}' is there, with {ready.order.traffic} %."
    return [
        shelf.replace(each, given(each, left[each.id], said=said, now=now))
        for each in there
        if left[each.id] != traffic(each.value)
    ]


def to_take_away(documents: Documents, deployment: Deployment, order: DeployOrder) -> DeployOrder:
    """The order for a removal: the endpoint stays as long as others need it."""
    if not order.shared:
        return order
    return msgspec.structs.replace(order, keep_endpoint=bool(others(documents, deployment)))


def still_there(documents: Documents, deployment: Deployment) -> bool:
    """Whether its place answers without it, too."""
    return deployment.order is not None and deployment.order.shared and bool(arrived(others(documents, deployment)))


def brought(documents: Documents, deployment: Deployment, deployer: Callable[[Deployment], Deployer]) -> str | None:
    """Have the provider share the traffic as it is wanted now; why that has to wait, and None when it is so.

    Repeating the call changes nothing. An endpoint that is gone shares nothing. Raises TryLater when it keeps changing.
    """
    order = deployment.order
    if order is None or not order.shared:
        return None
    try:
        _share(documents, order, deployer(deployment))
    except NotFound:
        return None
    except (TryLater, BadInput, NotAllowed) as fault:
        return fault.message
    return None


def _noted(deployment: Deployment, said: str, *, now: float) -> Deployment:
    line = Moment(at=now, status=deployment.status, message=said)
    return msgspec.structs.replace(deployment, history=(*deployment.history, line)[-REMEMBERED:])


def _marked(deployment: Deployment, *, shared: bool) -> Deployment:
    order = msgspec.structs.replace(deployment.order, shared=shared) if deployment.order else None
    return msgspec.structs.replace(deployment, order=order)


def _share(documents: Documents, order: DeployOrder, deployer: Deployer) -> None:
    """Looks again after each call: another handler may have brought a newer split before this older one."""
    endpoint = order.endpoint or order.id
    for _ in range(ATTEMPTS):
        wanted = _by_deployed_id(documents, endpoint)
        deployer.share(order, wanted)
        if _by_deployed_id(documents, endpoint) == wanted:
            return
    raise TryLater(f"The traffic of endpoint '{endpoint}' keeps changing. Ask again.")


def _by_deployed_id(documents: Documents, endpoint: str) -> Mapping[str, int]:
    members = [each.value for each in arrived(behind(documents, endpoint))]
    by_id = shares(members)
    ready = [each for each in members if each.status is DeploymentStatus.READY]
    return {each.order.deployed_id: by_id[each.id] for each in ready if each.order}
