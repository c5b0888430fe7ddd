"""The scheduler's beat: wake every open job that is due."""

import time

import flask
import functions_framework

from tuneway.adapters import plugs
from tuneway.edge.logs import configure
from tuneway.settings import from_env
from tuneway.tuning import tick as beat
from tuneway.tuning.lifecycle import Lifecycle

settings = from_env()
configure(settings.log_file)
lifecycle = Lifecycle(plugs.documents(settings), plugs.events(settings), time.time)


@functions_framework.http
def tick(_: flask.Request) -> dict[str, int]:
    """Answer how many messages were sent. Only Cloud Scheduler may call this; the platform sees to that."""
    return {"woken": beat.tick(lifecycle)}
