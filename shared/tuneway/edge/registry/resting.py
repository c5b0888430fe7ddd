"""``/v1/registry/deployments/{id}``, ``…/sleep`` and ``…/wake``: when a deployment sleeps, and what that saves."""

from collections.abc import Callable

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.registry.hosting.deploying import NAPPING
from tuneway.registry.hosting.napping import saved, wake_seconds
from tuneway.registry.hosting.rests.resting_desk import RestingDesk
from tuneway.registry.shelves import Deployment

# For the handlers' eyes; what it comes to is shown.
INWARD = frozenset({"told", "nap", "rests"})


def by_hand(one: str, desk: RestingDesk, whole: Callable[[Deployment], Body]) -> list[Rule]:
    """What puts the deployment at the path ``one`` to sleep, and wakes it."""

    def sleep(call: Call) -> Body:
        return whole(desk.sleep(call.path["deployment"], owner=call.grant.tenant))

    def wake(call: Call) -> Body:
        return whole(desk.wake(call.path["deployment"], owner=call.grant.tenant))

    return [
        Rule("POST", f"{one}/sleep", Scope.TUNE, sleep),
        Rule("POST", f"{one}/wake", Scope.TUNE, wake),
    ]


def slept(deployment: Deployment, *, now: float) -> dict[str, object]:
    """When it was last used and what its sleep has saved, of one that may sleep or did; the last up to a minute late.

    ``sleep.saved_usd`` and ``sleep.seconds`` are of all its naps, the running one included; USD None where no price is
    known.
    """
    nap = deployment.nap
    if deployment.rest is None and deployment.status not in NAPPING and not nap.seconds:
        return {}
    sum_ = saved(deployment, now=now)
    return {
        "last_used": nap.last_used or None,
        "sleep": {
            "since": nap.since,
            "seconds": round(sum_.seconds, 3),
            "saved_usd": sum_.usd,
            "wakes_at": nap.wake_at,
            "wake_seconds": wake_seconds(deployment),
        },
    }
