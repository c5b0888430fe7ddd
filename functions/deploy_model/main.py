"""On ``deploy-requested``: take a deployment one step on, towards answering or towards its end."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import deploy_ref
from tuneway.edge.logs import configure
from tuneway.registry.deploying import Deploying
from tuneway.registry.promote import promote
from tuneway.registry.rollout import Rollout
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.outcomes import FinishedJobs

settings = from_env()
configure(settings.log_file)
documents, events = plugs.documents(settings), plugs.events(settings)
outcomes = FinishedJobs(Lifecycle(documents, events, time.time))
rollout = Rollout(
    Deploying(documents, events, time.time),
    plugs.deployers(settings),
    outcomes=outcomes,
    lease=settings.deploy_lease,
    decided=lambda job: promote(documents, outcomes, job=job, now=time.time),
)


@functions_framework.cloud_event
def deploy_model(event: CloudEvent) -> None:
    """Bring the deployment on; repeating the call changes nothing."""
    rollout(deploy_ref(event))
