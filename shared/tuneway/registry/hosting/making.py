"""Make a deployment answer: upload, endpoint, model; and then its version, its route and the snapshot at once.

What cannot be deployed is taken away again before it counts as failed.
"""

from collections.abc import Callable

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import DeployOrder, Place, Work
from tuneway.registry.hosting.answering import answering, target_of
from tuneway.registry.hosting.claims import Claims, order_of
from tuneway.registry.hosting.deploying import PATIENCE, Status, moved
from tuneway.registry.hosting.remedies import trouble
from tuneway.registry.shelves import Deployment, Trouble
from tuneway.routing.places import place_of
from tuneway.routing.snapshot import change
from tuneway.state import Stored

SAID: dict[Status, str] = {
    Status.UPLOADING: "Uploading the model.",
    Status.CREATING_ENDPOINT: "Creating its endpoint.",
    Status.DEPLOYING: "Deploying the model.",
}
# What follows a step that is done.
AFTER = {Status.UPLOADING: Status.CREATING_ENDPOINT, Status.CREATING_ENDPOINT: Status.DEPLOYING}


class Making:
    """The steps from ``requested`` to ``ready``."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._deploying = claims.deploying

    def begin(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """The first of its steps."""
        first = Status.UPLOADING if order_of(stored.value).weights else Status.DEPLOYING
        return self._deploying.move(stored, first, SAID[first])

    def advance(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """One of the steps that make something."""
        deployment = stored.value
        if self._claims.overdue(deployment):
            stalled = (
                f"{SAID[deployment.status].rstrip('.')} did not end in {PATIENCE[deployment.status] / 3600:g} hours."
            )
            return self._abandon(stored, Trouble(code="deployment_stalled", message=f"{stalled} Deploy it again."))
        claimed = self._claims.claim(stored)
        try:
            work = self._made(claimed.value)
        except TryLater as fault:
            return self._claims.waits(claimed, said=fault.message)
        except (BadInput, NotAllowed, NotFound) as fault:
            return self._abandon(claimed, trouble(fault.message, code=fault.code))
        if work.error is not None:
            return self._abandon(claimed, trouble(work.error, cause=work.cause))
        return self._done(claimed, work) if work.done else self._under_way(claimed, work)

    def _made(self, deployment: Deployment) -> Work:
        deployer = self._claims.deployer(deployment)
        make: dict[Status, Callable[[DeployOrder], Work]] = {
            Status.UPLOADING: deployer.upload,
            Status.CREATING_ENDPOINT: deployer.create_endpoint,
            Status.DEPLOYING: deployer.deploy,
        }
        under_way = self._claims.operation(deployment)
        return under_way or make[deployment.status](order_of(deployment))

    def _under_way(self, claimed: Stored[Deployment], work: Work) -> Stored[Deployment]:
        try:
            return self._claims.waits(claimed, operation=work.operation, stage=work.stage)
        except Conflict:
            self._claims.hand_over(claimed, work)
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
            self._claims.release(claimed)
            raise
        return self._deploying.shelf.get(claimed.id)

    def _abandon(self, stored: Stored[Deployment], error: Trouble) -> Stored[Deployment]:
        """It cannot be had: take away what there is of it."""
        return self._deploying.move(stored, Status.UNDEPLOYING, error.message, error=error, lease_until=0.0)
