"""Take a deployment away, one thing at a time, until nothing of it is left."""

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Deployer, Work
from tuneway.registry.hosting.answering import forgotten, target_of
from tuneway.registry.hosting.claims import Claims, order_of
from tuneway.registry.hosting.deploying import Status, moved
from tuneway.registry.hosting.remedies import left_behind
from tuneway.registry.hosting.traffic.sharing import still_there, to_take_away
from tuneway.registry.shelves import Deployment
from tuneway.routing.places import place_of
from tuneway.routing.snapshot import change
from tuneway.state import Stored

# How long a removal that is refused is tried all the same.
REFUSED_SECONDS = 3600.0


class Removing:
    """The steps from ``undeploying`` to ``undeployed``."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._deploying = claims.deploying

    def take_away(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """One of the steps that remove something, until nothing is there."""
        if self._claims.overdue(stored.value):
            return self._left(stored, "It could not be taken away in a day")
        claimed = self._claims.claim(stored)
        try:
            work = self._claims.cleared(claimed.value, self._removed)
        except TryLater as fault:
            return self._claims.waits(claimed, said=fault.message)
        except (BadInput, NotAllowed, NotFound) as fault:
            # It costs until it is gone, and what stands in the way now may pass: it is not given up at once.
            if self._deploying.now() - claimed.value.moved_at < REFUSED_SECONDS:
                return self._claims.waits(claimed, said=fault.message)
            return self._left(claimed, fault.message)
        if not work.done:
            return self._claims.waits(claimed, operation=work.operation, stage=work.stage)
        ended = Status.UNDEPLOYED if claimed.value.error is None else Status.FAILED
        return self._gone(claimed, ended)

    def _removed(self, deployment: Deployment, deployer: Deployer) -> Work:
        return deployer.remove(to_take_away(self._deploying.documents, deployment, order_of(deployment)))

    def _gone(self, claimed: Stored[Deployment], ended: Status) -> Stored[Deployment]:
        said = "Nothing of it is left."
        after = moved(claimed.value, ended, said, now=self._deploying.now(), endpoint="", host=None, lease_until=0.0)
        writes = forgotten(self._deploying.documents, claimed.value)
        write = self._deploying.shelf.replace(claimed, after)
        if claimed.value.endpoint and not still_there(self._deploying.documents, claimed.value):
            left = place_of(target_of(claimed.value))
            change(
                self._deploying.documents,
                lambda snapshot: snapshot.without_place(left).without_sleep(left),
                write,
                *writes,
            )
        else:
            self._deploying.documents.commit(write, *writes)
        return self._deploying.shelf.get(claimed.id)

    def _left(self, stored: Stored[Deployment], why: str) -> Stored[Deployment]:
        error = left_behind(stored.value, why)
        now = self._deploying.now()
        after = moved(stored.value, Status.FAILED, error.message, now=now, error=error, lease_until=0.0)
        if not stored.value.endpoint:
            return self._deploying.note(stored, after)
        left = place_of(target_of(stored.value))
        write = self._deploying.shelf.replace(stored, after)
        change(self._deploying.documents, lambda snapshot: snapshot.without_sleep(left), write)
        return self._deploying.shelf.get(stored.id)
