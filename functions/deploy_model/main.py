"""On ``deploy-requested``: take a deployment one step on, or compare a model with its provider's registry."""

import functools
import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.deployment_events import deployment_event
from tuneway.edge.events import deploy_or_model_ref
from tuneway.edge.telemetry.echoes import echo
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.rests.resting import Outward
from tuneway.registry.hosting.rollout import Rollout
from tuneway.registry.models.mirror import Mirror, ModelRef
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.promote import promote
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.outcomes import FinishedJobs

settings = from_env()
logs = configure(settings)
documents, events = plugs.documents(settings), plugs.events(settings)
outcomes = FinishedJobs(Lifecycle(documents, events, time.time))
rollout = Rollout(
    Deploying(documents, events, time.time),
    plugs.deployers(settings),
    outcomes=outcomes,
    lease=settings.deploy_lease,
    decided=lambda job: promote(documents, outcomes, job=job, now=time.time),
    outward=Outward(echo=echo(logs), announce=deployment_event),
)
mirror = Mirror(ModelShelf(documents, now=time.time), functools.cache(lambda: plugs.listings(settings)))


@functions_framework.cloud_event
@observed_event(logs)
def deploy_model(event: CloudEvent) -> None:
    """Bring the deployment on, or the registries in step; repeating the call changes nothing."""
    ref = deploy_or_model_ref(event)
    if isinstance(ref, ModelRef):
        mirror(ref)
    else:
        rollout(ref)
