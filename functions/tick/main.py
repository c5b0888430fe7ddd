"""The scheduler's beat: wake every open job, deployment and sweep that is due."""

import time

import flask
import functions_framework

from tuneway.adapters import plugs
from tuneway.edge.logs import configure
from tuneway.registry.deploying import Deploying
from tuneway.settings import from_env
from tuneway.tuning import tick as beat
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.sweeps.store import wake

settings = from_env()
configure(settings.log_file)
documents, events = plugs.documents(settings), plugs.events(settings)
lifecycle = Lifecycle(documents, events, time.time)
deploying = Deploying(documents, events, time.time)


@functions_framework.http
def tick(_: flask.Request) -> dict[str, int]:
    """Answer how many messages were sent. Only Cloud Scheduler may call this; the platform sees to that."""
    return {"woken": beat.tick(lifecycle) + deploying.tick() + wake(documents, events, now=time.time())}
