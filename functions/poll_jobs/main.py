"""On ``poll-due``: ask Vertex AI how the job stands and write down what changed."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import job_ref
from tuneway.edge.logs import configure
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.poll import Poller

settings = from_env()
configure(settings.log_file)
poll = Poller(
    Lifecycle(plugs.documents(settings), plugs.events(settings), time.time),
    plugs.backend(settings),
)


@functions_framework.cloud_event
def poll_jobs(event: CloudEvent) -> None:
    """Bring the job up to date; repeating the call changes nothing."""
    poll(job_ref(event))
