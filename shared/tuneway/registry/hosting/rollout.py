"""Take a deployment to where it answers, or away again, one call at a time: the tick waits, never a function.

Before each call of the provider a claim is written, so that a second handler stays away and a crash is mended by the
tick; each call looks at what is there before it makes anything. What cannot be deployed is taken away again before it
counts as failed.
"""

import logging
from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.ports import Deployer, Deployers, DeployOrder, Outcomes, Place, Work
from tuneway.registry.hosting.answering import answering, forgotten, led_to, target_of
from tuneway.registry.hosting.deploying import PATIENCE, Deploying, DeployRef, Status, moved
from tuneway.registry.hosting.remedies import left_behind, trouble
from tuneway.registry.shelves import Deployment, Trouble
from tuneway.routing.places import place_of
from tuneway.routing.snapshot import change, current
from tuneway.state import Stored

ATTEMPTS = 20
# How long a removal that is refused is tried all the same.
REFUSED_SECONDS = 3600.0
SAID: dict[Status, str] = {
    Status.UPLOADING: "Uploading the model.",
    Status.CREATING_ENDPOINT: "Creating its endpoint.",
    Status.DEPLOYING: "Deploying the model.",
}
# What follows a step that is done.
AFTER = {Status.UPLOADING: Status.CREATING_ENDPOINT, Status.CREATING_ENDPOINT: Status.DEPLOYING}

log = logging.getLogger(__name__)


class Rollout:
    """The handler of ``deploy-requested``; ``lease`` (seconds) must be longer than the provider's longest call.

    ``decided`` hears of each job whose model answers now, or does not.
    """

    def __init__(
        self,
        deploying: Deploying,
        deployers: Deployers,
        *,
        outcomes: Outcomes,
        lease: float,
        decided: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._deploying = deploying
        self._deployers = deployers
        self._outcomes = outcomes
        self._lease = lease
        self._decided = decided
        self._steps: dict[Status, Callable[[Stored[Deployment]], Stored[Deployment]]] = {
            Status.REQUESTED: self._begin,
            Status.UPLOADING: self._advance,
            Status.CREATING_ENDPOINT: self._advance,
            Status.DEPLOYING: self._advance,
            Status.UNDEPLOYING: self._take_away,
            Status.READY: self._settle,
            Status.FAILED: self._close,
            Status.UNDEPLOYED: self._close,
        }

    def __call__(self, ref: DeployRef) -> None:
        """Bring the deployment as far as it goes now; repeating the call changes nothing. Raises TryLater."""
        for _ in range(ATTEMPTS):
            try:
                stored = self._deploying.shelf.get(ref.deployment_id)
                self._followed(stored)
            except Conflict:
                continue
            except NotFound:
                log.warning("There is no deployment %s any more.", ref.deployment_id)
            return
        raise TryLater(f"Deployment {ref.deployment_id} keeps changing. Ask again.")

    def _followed(self, stored: Stored[Deployment]) -> None:
        """Step by step, until somebody has to be waited for."""
        while stored.value.open and self._deploying.now() >= stored.value.lease_until:
            after = self._steps[stored.value.status](stored)
            if after.value.open and after.value.status is stored.value.status:
                return
            stored = after

    def _begin(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        first = Status.UPLOADING if _order(stored.value).weights else Status.DEPLOYING
        return self._deploying.move(stored, first, SAID[first])

    def _advance(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """One of the steps that make something."""
        deployment = stored.value
        if self._overdue(deployment):
            stalled = (
                f"{SAID[deployment.status].rstrip('.')} did not end in {PATIENCE[deployment.status] / 3600:g} hours."
            )
            return self._abandon(stored, Trouble(code="deployment_stalled", message=f"{stalled} Deploy it again."))
        claimed = self._claim(stored)
        try:
            work = self._made(claimed.value)
        except TryLater as fault:
            return self._wait(claimed, said=fault.message)
        except (BadInput, NotAllowed, NotFound) as fault:
            return self._abandon(claimed, trouble(fault.message, code=fault.code))
        if work.error is not None:
            return self._abandon(claimed, trouble(work.error, cause=work.cause))
        return self._done(claimed, work) if work.done else self._under_way(claimed, work)

    def _made(self, deployment: Deployment) -> Work:
        deployer = self._deployer(deployment)
        make: dict[Status, Callable[[DeployOrder], Work]] = {
            Status.UPLOADING: deployer.upload,
            Status.CREATING_ENDPOINT: deployer.create_endpoint,
            Status.DEPLOYING: deployer.deploy,
        }
        under_way = self._operation(deployment, deployer)
        return under_way or make[deployment.status](_order(deployment))

    def _operation(self, deployment: Deployment, deployer: Deployer) -> Work | None:
        """The operation that was begun, unless it is over and well: then the thing itself has to be looked at."""
        if deployment.operation is None:
            return None
        try:
            work = deployer.status(deployment.operation)
        except NotFound:
            return None
        return None if work.done and work.error is None else work

    def _under_way(self, claimed: Stored[Deployment], work: Work) -> Stored[Deployment]:
        try:
            return self._wait(claimed, operation=work.operation, stage=work.stage)
        except Conflict:
            # Undeployed meanwhile: what was begun must be known to the one who takes it away.
            now = self._deploying.shelf.get(claimed.id)
            if now.value.status is Status.UNDEPLOYING and now.value.operation is None:
                self._deploying.note(now, msgspec.structs.replace(now.value, operation=work.operation))
            raise

    def _done(self, claimed: Stored[Deployment], work: Work) -> Stored[Deployment]:
        following = AFTER.get(claimed.value.status)
        if following is not None:
            return self._deploying.move(claimed, following, SAID[following], lease_until=0.0)
        if work.place is None:
            raise TryLater(f"Deployment {claimed.id} is said to be done, and not where it answers.")
        return self._answers(claimed, work.place)

    def _answers(self, claimed: Stored[Deployment], place: Place) -> Stored[Deployment]:
        """Ready, its version, its route and the snapshot in one commit: no alias points nowhere."""
        ready = moved(
            claimed.value,
            Status.READY,
            f"It answers at {place.resource}.",
            now=self._deploying.now(),
            endpoint=place.resource,
            host=place.host,
            lease_until=0.0,
        )
        documents = self._deploying.documents
        route, writes = answering(documents, ready, now=self._deploying.now())
        place_held = place_of(target_of(ready))
        try:
            change(
                documents,
                lambda snapshot: (snapshot.with_route(route) if route else snapshot).with_place(
                    place_held, ready.owner
                ),
                self._deploying.shelf.replace(claimed, ready),
                *writes,
            )
        except Conflict:
            self._release(claimed)
            raise
        return self._deploying.shelf.get(claimed.id)

    def _abandon(self, stored: Stored[Deployment], error: Trouble) -> Stored[Deployment]:
        """It cannot be had: take away what there is of it."""
        return self._deploying.move(stored, Status.UNDEPLOYING, error.message, error=error, lease_until=0.0)

    def _take_away(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """One of the steps that remove something, until nothing is there."""
        if self._overdue(stored.value):
            return self._left(stored, "It could not be taken away in a day")
        claimed = self._claim(stored)
        try:
            work = self._removed(claimed.value)
        except TryLater as fault:
            return self._wait(claimed, said=fault.message)
        except (BadInput, NotAllowed, NotFound) as fault:
            # It costs until it is gone, and what stands in the way now may pass: it is not given up at once.
            if self._deploying.now() - claimed.value.moved_at < REFUSED_SECONDS:
                return self._wait(claimed, said=fault.message)
            return self._left(claimed, fault.message)
        if not work.done:
            return self._wait(claimed, operation=work.operation, stage=work.stage)
        ended = Status.UNDEPLOYED if claimed.value.error is None else Status.FAILED
        return self._gone(claimed, ended)

    def _removed(self, deployment: Deployment) -> Work:
        deployer = self._deployer(deployment)
        under_way = self._operation(deployment, deployer)
        # One that failed is over, too: what it was to do is then tried again.
        if under_way is not None and not under_way.done:
            return under_way
        return deployer.remove(_order(deployment))

    def _gone(self, claimed: Stored[Deployment], ended: Status) -> Stored[Deployment]:
        said = "Nothing of it is left."
        after = moved(claimed.value, ended, said, now=self._deploying.now(), endpoint="", host=None, lease_until=0.0)
        writes = forgotten(self._deploying.documents, claimed.value)
        write = self._deploying.shelf.replace(claimed, after)
        if claimed.value.endpoint:
            left = place_of(target_of(claimed.value))
            change(self._deploying.documents, lambda snapshot: snapshot.without_place(left), write, *writes)
        else:
            self._deploying.documents.commit(write, *writes)
        return self._deploying.shelf.get(claimed.id)

    def _left(self, stored: Stored[Deployment], why: str) -> Stored[Deployment]:
        error = left_behind(stored.value, why)
        return self._deploying.move(stored, Status.FAILED, error.message, error=error, lease_until=0.0)

    def _settle(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        deployment = stored.value
        if deployment.job is not None and deployment.alias is not None and deployment.checkpoint is None:
            self._say(deployment, deployment.job, deployment.alias)
            self._decided(deployment.job)
        return self._deploying.note(stored, msgspec.structs.replace(deployment, open=False))

    def _say(self, deployment: Deployment, job: str, alias: str) -> None:
        """The job's model answers under the alias only where that leads here."""
        route = current(self._deploying.documents).routes.get(alias)
        if route is not None and led_to(route, deployment):
            return self._outcomes.settle(job, alias=alias)
        said = f"The model is deployed as '{deployment.id}', but the alias '{alias}' does not lead there."
        return self._outcomes.close(job, message=f"{said} Have an admin make a route to {deployment.endpoint}.")

    def _close(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        deployment = stored.value
        if deployment.job is not None and deployment.checkpoint is None:
            why = deployment.error.message if deployment.error else "It was undeployed."
            said = f"The model is tuned and registered, but does not answer: {why}"
            self._outcomes.close(deployment.job, message=said)
            self._decided(deployment.job)
        return self._deploying.note(stored, msgspec.structs.replace(deployment, open=False))

    def _claim(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """If this attempt dies, the tick sends the deployment again once the lease is over."""
        until = self._deploying.now() + self._lease
        attempts = stored.value.attempts + 1
        return self._deploying.note(
            stored, msgspec.structs.replace(stored.value, attempts=attempts, lease_until=until, deadline=until)
        )

    def _wait(
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
        return self._deploying.note(
            claimed,
            msgspec.structs.replace(
                kept,
                operation=operation or (kept.operation if said is not None else None),
                stage=(said or stage or kept.stage),
                lease_until=0.0,
                deadline=self._deploying.now(),
            ),
        )

    def _release(self, claimed: Stored[Deployment]) -> None:
        """Give the claim back, when it is still there, so that the next attempt need not wait for its end."""
        now = self._deploying.shelf.get(claimed.id)
        if now.version == claimed.version:
            self._deploying.note(now, msgspec.structs.replace(now.value, lease_until=0.0))

    def _overdue(self, deployment: Deployment) -> bool:
        return self._deploying.now() - deployment.moved_at > PATIENCE[deployment.status]

    def _deployer(self, deployment: Deployment) -> Deployer:
        try:
            return self._deployers.of(deployment.deployer or "")
        except TunewayError as fault:
            # Whoever took it away can bring it back; what it deployed may still be there and cost.
            raise TryLater(fault.message) from fault


def _order(deployment: Deployment) -> DeployOrder:
    if deployment.order is None:
        raise TryLater(f"Deployment {deployment.id} says not what to deploy.")
    return deployment.order
