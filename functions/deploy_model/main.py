"""On ``job-finished``: register the model, route its alias and publish the snapshot."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import job_ref
from tuneway.edge.logs import configure
from tuneway.registry.adopt import adopt
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.outcomes import FinishedJobs

settings = from_env()
configure(settings.log_file)
documents = plugs.documents(settings)
outcomes = FinishedJobs(Lifecycle(documents, plugs.events(settings), time.time))


@functions_framework.cloud_event
def deploy_model(event: CloudEvent) -> None:
    """Make the job's model answer under its alias; repeating the call changes nothing."""
    ref = job_ref(event)
    adopt(documents, outcomes, job=ref.job_id, since=ref.since)
