"""One call of the provider at a time: a claim before it, what it said after it.

A claim keeps a second handler away, and lets the tick mend a crash. Each call looks at what is there before it makes or
takes away anything.
"""

import logging
from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict, NotFound, TryLater, TunewayError
from tuneway.ports import Deployer, Deployers, DeployOrder, Work
from tuneway.registry.hosting.deploying import PATIENCE, Deploying
from tuneway.registry.shelves import Deployment, DeploymentStatus
from tuneway.state import Stored

Step = Callable[[Stored[Deployment]], Stored[Deployment]]

log = logging.getLogger(__name__)


class Claims:
    """``lease`` (seconds) must be longer than the provider's longest call."""

    def __init__(self, deploying: Deploying, deployers: Deployers, *, lease: float) -> None:
        self.deploying = deploying
        self._deployers = deployers
        self._lease = lease

    def claim(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """If this attempt dies, the tick sends the deployment again once the lease is over.

        Raises Conflict when somebody moves it on at once: then this step is not what comes next.
        """
        until = self.deploying.now() + self._lease
        attempts = stored.value.attempts + 1
        mine = msgspec.structs.replace(stored.value, attempts=attempts, lease_until=until, deadline=until)
        claimed = self.deploying.note(stored, mine)
        if claimed.value != mine:
            raise Conflict(f"Deployment {stored.id} was changed just after it was claimed. Look again.")
        return claimed

    def waits(
        self,
        claimed: Stored[Deployment],
        *,
        operation: str | None = None,
        stage: str | None = None,
        said: str | None = None,
    ) -> Stored[Deployment]:
        """The next beat looks again. To fail the message instead would only repeat it sooner."""
        if said is not None:
            log.warning("Deployment %s stays as it is for now: %s", claimed.id, said)
        kept = claimed.value
        return self.deploying.note(
            claimed,
            msgspec.structs.replace(
                kept,
                operation=operation or (kept.operation if said is not None else None),
                stage=(said or stage or kept.stage),
                lease_until=0.0,
                deadline=self.deploying.now(),
            ),
        )

    def release(self, claimed: Stored[Deployment], *, operation: str | None = None) -> None:
        """Give the claim back, when it is still there, so that the next attempt need not wait for its end."""
        now = self.deploying.shelf.get(claimed.id)
        kept, mine = now.value, claimed.value
        if (kept.status, kept.attempts, kept.lease_until) != (mine.status, mine.attempts, mine.lease_until):
            return
        after = msgspec.structs.replace(kept, lease_until=0.0, operation=operation or kept.operation)
        self.deploying.note(now, after)

    def hand_over(self, claimed: Stored[Deployment], work: Work) -> None:
        """Undeployed meanwhile: what was begun must be known to the one who takes it away."""
        now = self.deploying.shelf.get(claimed.id)
        if now.value.status is DeploymentStatus.UNDEPLOYING and now.value.operation is None:
            self.deploying.note(now, msgspec.structs.replace(now.value, operation=work.operation))

    def operation(self, deployment: Deployment) -> Work | None:
        """The operation that was begun, unless it is over and well: then the thing itself has to be looked at."""
        if deployment.operation is None:
            return None
        try:
            work = self.deployer(deployment).status(deployment.operation)
        except NotFound:
            return None
        return None if work.done and work.error is None else work

    def cleared(self, deployment: Deployment, clear: Callable[[Deployment, Deployer], Work]) -> Work:
        """What is still under way, or else the next thing taken away.

        One that failed is over, too: what it was to do is then tried again.
        """
        under_way = self.operation(deployment)
        if under_way is not None and not under_way.done:
            return under_way
        return clear(deployment, self.deployer(deployment))

    def overdue(self, deployment: Deployment) -> bool:
        """Whether its step takes longer than it may."""
        return self.deploying.now() - deployment.moved_at > PATIENCE[deployment.status]

    def deployer(self, deployment: Deployment) -> Deployer:
        """Who deploys it. Raises TryLater."""
        try:
            return self._deployers.of(deployment.deployer or "")
        except TunewayError as fault:
            # Whoever took it away can bring it back; what it deployed may still be there and cost.
            raise TryLater(fault.message) from fault


def order_of(deployment: Deployment) -> DeployOrder:
    """What is to be deployed. Raises TryLater when the deployment says not."""
    if deployment.order is None:
        raise TryLater(f"Deployment {deployment.id} says not what to deploy.")
    return deployment.order
