"""On ``job-finished``: register the model; one that answers already is routed, any other is deployed."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import job_ref
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.registry.adopt import adopt
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.intake import Intake
from tuneway.registry.models.promote import promote
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.outcomes import FinishedJobs

settings = from_env()
logs = configure(settings)
documents = plugs.documents(settings)
events = plugs.events(settings)
outcomes = FinishedJobs(Lifecycle(documents, events, time.time))
intake = Intake(
    Deploying(documents, events, time.time),
    outcomes,
    plugs.orders(settings),
    automatic=settings.deploy_open_models == "auto",
    usd_per_hour=settings.max_deployment_usd_per_hour,
)


@functions_framework.cloud_event
@observed_event(logs)
def register_model(event: CloudEvent) -> None:
    """Make the job's model answer under its alias; repeating the call changes nothing."""
    ref = job_ref(event)
    if adopt(documents, outcomes, job=ref.job_id, since=ref.since, intake=intake):
        promote(documents, outcomes, job=ref.job_id, since=ref.since, now=time.time)
