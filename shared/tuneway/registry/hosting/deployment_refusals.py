"""What a deployment that is asked for, or is to be taken away, is refused with: the fact and the remedy."""

from collections.abc import Iterable

from tuneway.errors import BadInput, Conflict
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.hosting.traffic.sharing import GOING
from tuneway.registry.shelves import Deployment


class Raced(Conflict):
    """Somebody changed what is behind the endpoint; another look tells what that means."""


class InUse(Conflict):
    """Another try would end in the same way."""


def in_use(deployment: Deployment, led: Iterable[str]) -> InUse:
    """Routes lead to it."""
    names = ", ".join(f"'{alias}'" for alias in led)
    said = f"Deployment '{deployment.id}' answers under {names}. Point these elsewhere, or say force=true: they are"
    return InUse(f"{said} then gone, too.", param="force", code="deployment_in_use")


def in_use_by_others(deployment: Deployment) -> InUse:
    """Routes of others, who are not to be known, lead to it."""
    said = f"Deployment '{deployment.id}' is also used by routes that are not yours. Ask an admin to take it away."
    return InUse(said, param="force", code="deployment_in_use")


def taken(wanted: Deployment) -> Conflict:
    """Something else has its name."""
    said = f"The name '{wanted.id}' is taken by another deployment. Give this one another name."
    return Conflict(said, param="name", code="deployment_exists")


def elsewhere(there: Deployment, what: str) -> Conflict:
    """It is there, on another machine or endpoint."""
    return Conflict(
        f"Deployment '{there.id}' is there on another {what}. Give this one a name of its own, or delete "
        f"that one first: tuneway deployments delete {there.id}",
        param="name",
        code="deployment_exists",
    )


def refuse_unheeded(there: Deployment, wish: Wish) -> None:
    """Whoever asks again for what is there gets nothing else by it, and hears of that. Raises Conflict."""
    share = there.order.traffic if there.order else 0
    asked: dict[str, tuple[object, object, str]] = {
        "rest": (wish.rest, there.rest, f"tuneway deployments rest {there.id}"),
        "alias": (wish.alias, there.alias, "have an admin make a route to it"),
        "traffic": (wish.traffic, share, f"tuneway deployments traffic {there.id}=…"),
    }
    for field, (wanted, now, remedy) in asked.items():
        if wanted is not None and wanted != now:
            said = f"Deployment '{there.id}' is there with another '{field}'. Leave that out, and change it: {remedy}"
            raise Conflict(said, param=field, code="deployment_exists")


def occupied(wanted: Deployment, other: Deployment) -> Conflict:
    """Its endpoint was shared, and is not its own any more."""
    said = f"The endpoint '{wanted.id}' still serves '{other.id}'. Put this one beside it with endpoint={other.id}, or"
    if other.status in GOING:
        said = f"On the endpoint '{wanted.id}' something of '{other.id}' is left. Ask again once that is undeployed, or"
    return Conflict(f"{said} give it another name.", param="endpoint", code="endpoint_exists")


def no_share() -> BadInput:
    """A share of nothing."""
    said = "'traffic' is a share of an endpoint that others are on. Give endpoint, the id of a deployment there, too."
    return BadInput(said, param="traffic")


def no_such_endpoint(id_: str) -> BadInput:
    """Nothing of that name can be joined."""
    said = f"There is no deployment '{id_[:80]}' of the model's owner. Name one that is ready: tuneway deployments list"
    return BadInput(said, param="endpoint", code="deployment_not_found")


def still_left(there: Deployment) -> Conflict:
    """It ended, and not all of it is gone."""
    said = f"Something of deployment '{there.id}' was left behind. Take that away first: tuneway deployments delete"
    return Conflict(f"{said} {there.id}", param="name", code="left_behind")


def foreign(deployment: Deployment) -> BadInput:
    """It is known, and was made elsewhere."""
    said = f"Deployment '{deployment.id}' was not made by tuneway, which therefore does not take it away."
    return BadInput(f"{said} Do it where it was made.", param="deployment_id", code="not_ours")
