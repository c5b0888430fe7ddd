"""``/v1/registry``: models, deployments, routes, keys and dead letters."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tuneway.access.keys import Grant, Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.routing.identifiers import Alias, DedicatedEndpoint, HostedModel, parse, resource
from tuneway.routing.routes import Route, Target

ROOT = "/v1/registry"


class PutRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a route: an identifier such as ``vertex_ai/my-project/us-central1/endpoints/123``."""

    identifier: str
    dialect: Literal["gemini", "instances"] = "gemini"
    host: str | None = None
    raw: bool = False
    drop_params: tuple[str, ...] = ()
    owner: str | None = None


class CreateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a new key; ``expires_at`` in Unix seconds."""

    owner: str
    scopes: tuple[Scope, ...]
    name: str = ""
    expires_at: float | None = None


class Places(msgspec.Struct, frozen=True):
    """Where identifiers that name no project or location belong."""

    project: str
    location: str


def rules(
    inventory: Inventory, book: RouteBook, keyring: Keyring, *, letters: DeadLetters, places: Places
) -> list[Rule]:
    """The door's rules; reading one's own models takes ``tune``, all else ``admin``."""
    return [*_inventory_rules(inventory), *_route_rules(book, places), *_key_rules(keyring), *_letter_rules(letters)]


def _inventory_rules(inventory: Inventory) -> list[Rule]:
    def models(call: Call) -> Body:
        return _list(inventory.models(owner=_tenant(call.grant)))

    def model(call: Call) -> Body:
        return inventory.model(call.path["model"], owner=_tenant(call.grant))

    def versions(call: Call) -> Body:
        return _list(inventory.versions(call.path["model"], owner=_tenant(call.grant)))

    def version(call: Call) -> Body:
        return inventory.version(call.path["model"], call.path["version"], owner=_tenant(call.grant))

    def deployments(call: Call) -> Body:
        return _list(inventory.deployments(owner=_tenant(call.grant)))

    return [
        Rule("GET", f"{ROOT}/models", Scope.TUNE, models),
        Rule("GET", f"{ROOT}/models/{{model}}", Scope.TUNE, model),
        Rule("GET", f"{ROOT}/models/{{model}}/versions", Scope.TUNE, versions),
        Rule("GET", f"{ROOT}/models/{{model}}/versions/{{version}}", Scope.TUNE, version),
        Rule("GET", f"{ROOT}/deployments", Scope.TUNE, deployments),
    ]


def _route_rules(book: RouteBook, places: Places) -> list[Rule]:
    def put(call: Call) -> Body:
        body = decoded(call.body(), PutRoute)
        return _shown(book.put(call.path["alias"], _target(body, places), owner=body.owner))

    def remove(call: Call) -> Body:
        book.remove(call.path["alias"])
        return {"object": "route", "alias": call.path["alias"], "deleted": True}

    return [
        Rule("GET", f"{ROOT}/routes", Scope.ADMIN, lambda _: _list([_shown(route) for route in book.list()])),
        Rule("GET", f"{ROOT}/routes/{{alias}}", Scope.ADMIN, lambda call: _shown(book.get(call.path["alias"]))),
        Rule("PUT", f"{ROOT}/routes/{{alias}}", Scope.ADMIN, put),
        Rule("DELETE", f"{ROOT}/routes/{{alias}}", Scope.ADMIN, remove),
    ]


def _key_rules(keyring: Keyring) -> list[Rule]:
    def create(call: Call) -> Body:
        body = decoded(call.body(), CreateKey)
        key, id_, grant = keyring.create(
            owner=body.owner, scopes=body.scopes, name=body.name, expires_at=body.expires_at
        )
        return {"key": key, **_key(id_, grant)}

    def revoke(call: Call) -> Body:
        keyring.revoke(call.path["key_id"])
        return {"object": "key", "id": call.path["key_id"], "deleted": True}

    return [
        Rule("GET", f"{ROOT}/keys", Scope.ADMIN, lambda _: _list([_key(*entry) for entry in keyring.list()])),
        Rule("POST", f"{ROOT}/keys", Scope.ADMIN, create),
        Rule("DELETE", f"{ROOT}/keys/{{key_id}}", Scope.ADMIN, revoke),
    ]


def _letter_rules(letters: DeadLetters) -> list[Rule]:
    path = f"{ROOT}/dead_letters"
    return [
        Rule("GET", path, Scope.ADMIN, lambda _: _list(letters.list())),
        Rule("POST", f"{path}/{{letter}}/replay", Scope.ADMIN, lambda call: letters.replay(call.path["letter"])),
    ]


def _target(body: PutRoute, places: Places) -> Target:
    identifier = parse(body.identifier)
    if isinstance(identifier, Alias):
        raise BadInput(
            f"'{body.identifier}' is an alias. Write vertex_ai/{{project}}/{{location}}/endpoints/{{id}}.",
            param="identifier",
        )
    if isinstance(identifier, HostedModel):
        raise BadInput(f"A route cannot lead to models of '{identifier.vendor}' yet.", param="identifier")
    return Target(
        resource=resource(identifier, project=places.project, location=places.location),
        dialect=body.dialect,
        host=body.host or (identifier.host if isinstance(identifier, DedicatedEndpoint) else None),
        raw=body.raw,
        drop_params=body.drop_params,
    )


def _tenant(grant: Grant) -> str | None:
    """Whose things the caller may see; None means everybody's."""
    return None if Scope.ADMIN in grant.scopes else grant.owner


def _list(rows: Sequence[object]) -> dict[str, object]:
    return {"object": "list", "data": rows}


def _shown(route: Route) -> dict[str, object]:
    return {"object": "route", **msgspec.convert(msgspec.to_builtins(route), dict[str, object])}


def _key(id_: str, grant: Grant) -> dict[str, object]:
    return {"object": "key", "id": id_, **msgspec.convert(msgspec.to_builtins(grant), dict[str, object])}
