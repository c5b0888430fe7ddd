"""On ``usage-recorded``: count a request where its owner, its key, its route and its target are counted."""

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.edge.usage_events import recorded
from tuneway.registry.counts.usage_recorder import Recorder
from tuneway.settings import from_env

settings = from_env()
logs = configure(settings)
record = Recorder(plugs.documents(settings))


@functions_framework.cloud_event
@observed_event(logs)
def record_usage(event: CloudEvent) -> None:
    """Count it once; repeating the call counts nothing twice."""
    record(recorded(event))
