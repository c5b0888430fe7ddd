"""On ``sweep-due``: start the jobs of a sweep that have a place, stop what its rules say, promote its winner."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import sweep_ref
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.sweeps.conductor import Conductor
from tuneway.tuning.sweeps.quotas import Quotas
from tuneway.tuning.sweeps.store import Sweeps

settings = from_env()
logs = configure(settings)
documents, events = plugs.documents(settings), plugs.events(settings)
conduct = Conductor(
    Sweeps(documents, events, Lifecycle(documents, events, time.time)),
    catalogue=plugs.catalogue(settings),
    quotas=Quotas(settings.tuning_quotas),
    location=settings.location,
    max_cost_usd=settings.max_cost_usd,
)


@functions_framework.cloud_event
@observed_event(logs)
def conduct_sweep(event: CloudEvent) -> None:
    """Take the sweep on as far as it goes; repeating the call changes nothing."""
    conduct(sweep_ref(event))
