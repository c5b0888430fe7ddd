"""Take a deployment from among those that share an endpoint: what it carried goes to the others."""

from collections.abc import Sequence

from tuneway.errors import Conflict
from tuneway.ports import Documents, Write
from tuneway.registry.hosting.traffic.shares import among
from tuneway.registry.hosting.traffic.sharing import arrived, endpoint_id, given, opened, others, shares, traffic
from tuneway.registry.shelves import Deployment
from tuneway.state import Collection, Stored


class Unshared(Conflict):
    """Nobody is there whom the traffic was meant for; another try would end in the same way."""


def heirs(documents: Documents, going: Deployment) -> list[Stored[Deployment]]:
    """Those that answer where it does and stay."""
    if going.order is None or not going.order.shared or not going.endpoint:
        return []
    return arrived(others(documents, going))


def handed_over(
    documents: Documents, going: Deployment, found: Sequence[Stored[Deployment]], *, force: bool, now: float
) -> list[Write]:
    """The writes by which they take over; each is guarded, so that not all of them go at once.

    Raises Unshared when it carries something, and all others were to carry nothing: ``force`` shares it equally.
    """
    weights = {each.id: traffic(each.value) for each in found}
    carried = shares([going, *(each.value for each in found)])[going.id]
    if carried and not any(weights.values()) and not force:
        raise _nobody_else(going, carried, list(weights))
    after = among(weights)
    shelf = Collection(documents, "deployments", Deployment)
    said = f"'{going.id}' is taken away."
    return [
        shelf.replace(
            each,
            opened(each.value, now=now)
            if after[each.id] == weights[each.id]
            else opened(given(each, after[each.id], said=said, now=now), now=now),
        )
        for each in found
    ]


def _nobody_else(going: Deployment, carried: int, left: Sequence[str]) -> Unshared:
    names = ", ".join(f"'{name}'" for name in left)
    first, *rest = left
    split = " ".join([f"{first}=100", *(f"{name}=0" for name in rest), f"{going.id}=0"])
    return Unshared(
        f"Deployment '{going.id}' carries {carried} % of the traffic of endpoint '{endpoint_id(going)}', and the "
        f"others there ({names}) are to carry none. Share it out first: tuneway deployments traffic {split}; or say "
        "force=true, which shares it equally among them.",
        param="force",
        code="deployment_carries_traffic",
    )
