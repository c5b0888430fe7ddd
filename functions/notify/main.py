"""On ``tuning-events``: send the end of a job to the webhooks that asked for it."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import told
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.settings import from_env
from tuneway.tuning.notify import Notifier

settings = from_env()
logs = configure(settings)
documents = plugs.documents(settings)
notifier = Notifier(
    documents,
    plugs.webhooks(settings, documents, now=time.time),
    post=plugs.webhook_post(settings),
    now=time.time,
)


@functions_framework.cloud_event
@observed_event(logs)
def notify(event: CloudEvent) -> None:
    """Send what ends a job where it was not taken yet; repeating the call sends nothing twice."""
    if (happened := told(event)) is not None:
        notifier(happened)
