"""On ``usage-recorded``: count a request where it belongs, and note it of deployments that may sleep, or do."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.edge.usage_events import recorded
from tuneway.registry.counts.usage_recorder import Recorder
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.rests.stirring import Echo, Stirring
from tuneway.settings import from_env

settings = from_env()
logs = configure(settings)
documents = plugs.documents(settings)
record = Recorder(documents)
stirring = Stirring(Deploying(documents, plugs.events(settings), time.time))


@functions_framework.cloud_event
@observed_event(logs)
def record_usage(event: CloudEvent) -> None:
    """Count it once; repeating the call counts nothing twice."""
    found = recorded(event)
    if isinstance(found, Echo):
        stirring.heard(found)
    else:
        record(found)
        stirring.used(found)
