"""On an object finalised in the watched bucket: lint it, keep the report and announce it."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import stored_object
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.settings import from_env
from tuneway.tuning.watched import WatchedFiles

settings = from_env()
logs = configure(settings)
watched = WatchedFiles(
    plugs.documents(settings),
    plugs.events(settings),
    plugs.files(settings),
    prefix=settings.watch_prefix,
    tables=plugs.tables,
    now=time.time,
)


@functions_framework.cloud_event
@observed_event(logs)
def lint_dataset(event: CloudEvent) -> None:
    """Lint the object if it lies under ``TUNEWAY_WATCH_PREFIX``; repeating the call changes nothing."""
    watched(stored_object(event))
