"""On ``poll-due``: ask the provider how a job, or all of a place's jobs, stand and write down what changed."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import poll_ref
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.settings import from_env
from tuneway.tuning.beats import PlaceRef
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.poll import Poller
from tuneway.tuning.watching import Watcher

settings = from_env()
logs = configure(settings)
lifecycle, backends = Lifecycle(plugs.documents(settings), plugs.events(settings), time.time), plugs.backends(settings)
poll, watch = Poller(lifecycle, backends), Watcher(lifecycle, backends)


@functions_framework.cloud_event
@observed_event(logs)
def poll_jobs(event: CloudEvent) -> None:
    """Bring the job, or the place's jobs, up to date; repeating the call changes nothing."""
    ref = poll_ref(event)
    if isinstance(ref, PlaceRef):
        watch(ref)
    else:
        poll(ref)
