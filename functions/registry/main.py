"""The registry door: models, deployments, routes, keys and dead letters."""

import secrets
import time

import flask
import functions_framework

from tuneway.adapters import plugs
from tuneway.edge import registry as edge
from tuneway.edge.door import Door
from tuneway.edge.logs import configure
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.settings import from_env

settings = from_env()
configure(settings.log_file)
documents = plugs.documents(settings)
keyring = Keyring(documents, now=time.time, randomness=lambda: secrets.token_bytes(32))
rules = edge.rules(
    Inventory(documents),
    RouteBook(documents, now=time.time),
    keyring,
    letters=DeadLetters(documents, plugs.events(settings), now=time.time),
    places=edge.Places(settings.project, settings.location),
)
door = Door(rules, keyring, now=time.time)


@functions_framework.http
def registry(request: flask.Request) -> flask.Response:
    """Answer ``/v1/registry/…``."""
    return door(request)
