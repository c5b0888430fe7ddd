"""The registry door: models, deployments, routes, keys and dead letters."""

import secrets
import time

import flask
import functions_framework

from tuneway.adapters import plugs, prediction
from tuneway.adapters.catalogued import fates
from tuneway.adapters.retuning import retuner
from tuneway.edge.door import Door
from tuneway.edge.registry import canary as canary_edge
from tuneway.edge.registry import deployments as deployments_edge
from tuneway.edge.registry import model_registry, retirements
from tuneway.edge.registry import rules as edge
from tuneway.edge.registry import usage as usage_edge
from tuneway.edge.registry.routes import RouteDesk
from tuneway.edge.telemetry.logs import configure
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.settings import from_env

settings = from_env()
logs = configure(settings)
documents = plugs.documents(settings)
keyring = Keyring(documents, now=time.time, randomness=lambda: secrets.token_bytes(32))
book = RouteBook(documents, now=time.time)
deployments = Deployments(documents, now=time.time)
desk = RouteDesk(book, deployments, defaults=prediction.defaults(settings), means=plugs.route_means(settings))
events, inventory = plugs.events(settings), Inventory(documents)
letters = DeadLetters(documents, events, now=time.time)
rollouts = DeploymentDesk(
    Deploying(documents, events, time.time),
    inventory,
    plugs.orders(settings),
    usd_per_hour=settings.max_deployment_usd_per_hour,
)
rules = edge.rules(inventory, keyring, letters=letters, book=book, desk=desk)
rules += model_registry.built(documents, events, desk=desk, book=book, now=time.time)
rules += deployments_edge.rules(rollouts, inventory) + usage_edge.rules(documents, now=time.time)
rules += canary_edge.built(documents, events, now=time.time)
tuned_again = retuner(settings, documents, events)
rules += retirements.built(documents, events, fates=fates(settings), retuner=tuned_again, now=time.time)
door = Door(rules, keyring, now=time.time, logs=logs)


@functions_framework.http
def registry(request: flask.Request) -> flask.Response:
    """Answer ``/v1/registry/…``."""
    return door(request)
