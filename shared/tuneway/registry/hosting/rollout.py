"""Take a deployment to where it answers, or away again, one call at a time: the tick waits, never a function.

``making``, ``resting`` and ``removing`` have the steps; here is which one comes next, and what the job is told.
"""

import logging
from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict, NotFound, TryLater
from tuneway.ports import Deployers, Outcomes
from tuneway.registry.hosting.answering import led_to
from tuneway.registry.hosting.claims import Claims, Step
from tuneway.registry.hosting.deploying import Deploying, DeployRef, Status
from tuneway.registry.hosting.making import Making
from tuneway.registry.hosting.removing import Removing
from tuneway.registry.hosting.rests.resting import Outward, Resting
from tuneway.registry.hosting.traffic.sharing import brought
from tuneway.registry.shelves import Deployment
from tuneway.routing.snapshot import current
from tuneway.state import Stored

ATTEMPTS = 20

log = logging.getLogger(__name__)


class Rollout:
    """The handler of ``deploy-requested``; ``lease`` (seconds) must be longer than the provider's longest call.

    ``decided`` hears of each job whose model answers now, or does not; ``outward`` is where deployments that sleep are
    told of.
    """

    def __init__(
        self,
        deploying: Deploying,
        deployers: Deployers,
        *,
        outcomes: Outcomes,
        lease: float,
        decided: Callable[[str], None] = lambda _: None,
        outward: Outward | None = None,
    ) -> None:
        self._deploying = deploying
        self._outcomes = outcomes
        self._decided = decided
        claims = self._claims = Claims(deploying, deployers, lease=lease)
        making, removing = Making(claims), Removing(claims)
        resting = self._resting = Resting(claims, outward or Outward())
        self._steps: dict[Status, Step] = {
            Status.REQUESTED: making.begin,
            Status.UPLOADING: making.advance,
            Status.CREATING_ENDPOINT: making.advance,
            Status.DEPLOYING: making.advance,
            Status.READY: self._settle,
            Status.DRAINING: resting.drain,
            Status.FALLING_ASLEEP: resting.fall,
            Status.ASLEEP: resting.sleep,
            Status.WAKING: resting.wake,
            Status.UNDEPLOYING: removing.take_away,
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

    def _settle(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """It answers: the job is told, once, and the endpoint's traffic shared; then it may rest."""
        deployment = stored.value
        main = deployment.checkpoint is None and not deployment.told
        if main and deployment.job is not None and deployment.alias is not None:
            self._say(deployment, deployment.job, deployment.alias)
            self._decided(deployment.job)
        if (said := brought(self._deploying.documents, deployment, self._claims.deployer)) is not None:
            return self._claims.waits(stored, said=said)
        shared = deployment.order is not None and deployment.order.shared
        stage = None if shared else deployment.stage
        return self._resting.look(stored, msgspec.structs.replace(deployment, told=True, stage=stage))

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
