"""The tuning door: files and fine-tuning jobs in OpenAI's shapes."""

import secrets
import time

import flask
import functions_framework

from tuneway.adapters import plugs
from tuneway.edge import files, fine_tuning
from tuneway.edge.door import Door
from tuneway.edge.logs import configure
from tuneway.registry.keyring import Keyring
from tuneway.settings import from_env
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.files import FileShelf
from tuneway.tuning.lifecycle import Lifecycle


def new_id() -> str:
    """24 hex digits."""
    return secrets.token_hex(12)


settings = from_env()
configure(settings.log_file)
documents = plugs.documents(settings)
shelf = FileShelf(documents, plugs.files(settings), bucket=settings.bucket, now=time.time, new_id=new_id)
desk = JobDesk(
    Lifecycle(documents, plugs.events(settings), time.time),
    shelf,
    catalogue=plugs.catalogue(settings),
    location=settings.location,
    new_id=new_id,
)
keyring = Keyring(documents, now=time.time, randomness=lambda: secrets.token_bytes(32))
door = Door([*fine_tuning.rules(desk), *files.rules(shelf)], keyring, now=time.time)


@functions_framework.http
def tuning(request: flask.Request) -> flask.Response:
    """Answer ``/v1/fine_tuning/…`` and ``/v1/files…``."""
    return door(request)
