"""The tuning door: files and fine-tuning jobs in OpenAI's shapes."""

import secrets
import time

import flask
import functions_framework

from tuneway.adapters import plugs
from tuneway.edge.door import Door
from tuneway.edge.fine_tuning import base_models, estimates, files, jobs, replays, sweeps, validations, webhooks
from tuneway.edge.telemetry.logs import configure
from tuneway.registry.keyring import Keyring
from tuneway.settings import from_env
from tuneway.tuning.approvals import Approvals
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.estimates import Quotes
from tuneway.tuning.files import FileShelf
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.sweeps.desk import SweepDesk
from tuneway.tuning.sweeps.store import Sweeps


def new_id() -> str:
    """24 hex digits."""
    return secrets.token_hex(12)


settings = from_env()
logs = configure(settings)
documents = plugs.documents(settings)
copies, bucket = plugs.outputs(settings).get("bedrock"), settings.bucket
shelf = FileShelf(documents, plugs.files(settings), bucket=bucket, copies=copies, now=time.time, new_id=new_id)
events = plugs.events(settings)
lifecycle = Lifecycle(documents, events, time.time)
catalogue = plugs.catalogue(settings)
desk = JobDesk(
    lifecycle,
    shelf,
    catalogue=catalogue,
    installation=plugs.installation(settings),
    new_id=new_id,
)
approvals = Approvals(lifecycle, max_cost_usd=settings.max_cost_usd)
inspector = Inspector(shelf, plugs.sources(settings), catalogue=catalogue, now=time.time, tables=plugs.tables)
quotes = Quotes(lifecycle.jobs, inspector, now=time.time)
keyring = Keyring(documents, now=time.time, randomness=lambda: secrets.token_bytes(32))
sweep_desk = SweepDesk(Sweeps(documents, events, lifecycle), desk, new_id=new_id)
rules = [*jobs.rules(desk, approvals), *files.rules(shelf), *estimates.rules(desk, quotes)]
rules += [*validations.rules(inspector), *base_models.rules(catalogue, now=time.time), *sweeps.rules(sweep_desk)]
rules += webhooks.rules(plugs.webhooks(settings, documents, now=time.time, new_id=new_id))
rules += replays.rules(desk, inspector)
door = Door(rules, keyring, now=time.time, logs=logs)


@functions_framework.http
def tuning(request: flask.Request) -> flask.Response:
    """Answer ``/v1/fine_tuning/…``, ``/v1/files…`` and ``/v1/webhook_endpoints…``."""
    return door(request)
