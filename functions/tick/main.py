"""The scheduler's beat: wake what is open and due, look after canaries and re-tunes, warn of retirements."""

import time

import flask
import functions_framework

from tuneway import underway
from tuneway.adapters import plugs
from tuneway.adapters.catalogued import fates
from tuneway.edge.canary_events import canary_event
from tuneway.edge.registry import retirements
from tuneway.edge.retirement_events import retiring_event
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed_requests import observed_request
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.models.mirror import MirrorBeat
from tuneway.registry.retirements.notices import NoticeBeat
from tuneway.settings import from_env
from tuneway.tuning import tick as beat
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.sweeps.store import wake

settings = from_env()
logs = configure(settings)
documents, events = plugs.documents(settings), plugs.events(settings)
lifecycle = Lifecycle(documents, events, time.time)
deploying = Deploying(documents, events, time.time)
mirrors = MirrorBeat(documents, events, time.time)
canaries = Canaries(documents, events, now=time.time, announce=canary_event)
dates = fates(settings)
retunes = retirements.steps(documents, events, fates=dates, now=time.time)
notices = NoticeBeat(documents, events, now=time.time, fates=dates, announce=retiring_event)


@functions_framework.http
@observed_request(logs)
def tick(_: flask.Request) -> dict[str, int]:
    """Answer how many messages were sent. Only Cloud Scheduler may call this; the platform sees to that."""
    return {"woken": underway.beat(documents, rooms, now=time.time()) + mirrors.tick() + notices.tick()}


def rooms() -> int:
    """All that is due; nothing is asked while nothing is under way."""
    jobs = beat.tick(lifecycle) + wake(documents, events, now=time.time())
    return jobs + deploying.tick() + canaries.tick() + retunes.tick()
