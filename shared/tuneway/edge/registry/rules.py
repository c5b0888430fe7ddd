"""``/v1/registry``: models, routes, keys and dead letters; deployments have a file of their own."""

from typing import Annotated

import msgspec

from tuneway.access.keys import Grant, Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.lists import listed
from tuneway.edge.registry import model_reading, route_files, route_probes, route_versions, routes
from tuneway.edge.registry.routes import RouteDesk
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.state import fields_of

ROOT = "/v1/registry"


class CreateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a new key; ``expires_at`` in Unix seconds, ``max_cost_usd`` for one tuning job."""

    owner: str
    scopes: tuple[Scope, ...]
    name: str = ""
    expires_at: float | None = None
    max_cost_usd: Annotated[float, msgspec.Meta(ge=0)] | None = None


def rules(
    inventory: Inventory, keyring: Keyring, *, letters: DeadLetters, book: RouteBook, desk: RouteDesk
) -> list[Rule]:
    """The door's rules; reading one's own models takes ``tune``, all else ``admin``."""
    return [
        *model_reading.rules(inventory),
        *routes.rules(desk, book),
        *route_files.rules(desk, book),
        *route_versions.rules(desk, book),
        *route_probes.rules(desk, book),
        *_key_rules(keyring),
        *_letter_rules(letters),
    ]


def _key_rules(keyring: Keyring) -> list[Rule]:
    def create(call: Call) -> Body:
        body = decoded(call.body(), CreateKey)
        key, id_, grant = keyring.create(
            owner=body.owner,
            scopes=body.scopes,
            name=body.name,
            expires_at=body.expires_at,
            max_cost_usd=body.max_cost_usd,
        )
        return {"key": key, **_key(id_, grant)}

    def revoke(call: Call) -> Body:
        keyring.revoke(call.path["key_id"])
        return {"object": "key", "id": call.path["key_id"], "deleted": True}

    return [
        Rule("GET", f"{ROOT}/keys", Scope.ADMIN, lambda _: listed([_key(*entry) for entry in keyring.list()])),
        Rule("POST", f"{ROOT}/keys", Scope.ADMIN, create),
        Rule("DELETE", f"{ROOT}/keys/{{key_id}}", Scope.ADMIN, revoke),
    ]


def _letter_rules(letters: DeadLetters) -> list[Rule]:
    path = f"{ROOT}/dead_letters"
    return [
        Rule("GET", path, Scope.ADMIN, lambda _: listed(letters.list())),
        Rule("POST", f"{path}/{{letter}}/replay", Scope.ADMIN, lambda call: letters.replay(call.path["letter"])),
    ]


def _key(id_: str, grant: Grant) -> dict[str, object]:
    return {"object": "key", "id": id_, **fields_of(grant)}
