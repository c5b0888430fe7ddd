"""The registry door: models, deployments, routes, keys and dead letters."""

import secrets
import time

import flask
import functions_framework

from tuneway.adapters import plugs, prediction
from tuneway.edge import deployments as deployments_edge
from tuneway.edge import registry as edge
from tuneway.edge.door import Door
from tuneway.edge.logs import configure
from tuneway.edge.routes import RouteDesk
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.deploying import Deploying
from tuneway.registry.deployment_desk import DeploymentDesk
from tuneway.registry.deployments import Deployments
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.settings import from_env

settings = from_env()
configure(settings.log_file)
documents = plugs.documents(settings)
keyring = Keyring(documents, now=time.time, randomness=lambda: secrets.token_bytes(32))
book = RouteBook(documents, now=time.time)
deployments = Deployments(documents, now=time.time)
desk = RouteDesk(book, deployments, defaults=prediction.defaults(settings), detect=plugs.detector(settings))
events, inventory = plugs.events(settings), Inventory(documents)
letters = DeadLetters(documents, events, now=time.time)
rollouts = DeploymentDesk(
    Deploying(documents, events, time.time),
    inventory,
    plugs.orders(settings),
    usd_per_hour=settings.max_deployment_usd_per_hour,
)
rules = edge.rules(inventory, keyring, letters=letters, book=book, desk=desk)
door = Door([*rules, *deployments_edge.rules(rollouts, inventory)], keyring, now=time.time)


@functions_framework.http
def registry(request: flask.Request) -> flask.Response:
    """Answer ``/v1/registry/…``."""
    return door(request)
