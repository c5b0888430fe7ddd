"""``/v1/webhook_endpoints`` in OpenAI's shapes: where an owner wants to be told of ended jobs."""

import msgspec

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.fine_tuning.paging import after_of
from tuneway.edge.lists import page
from tuneway.errors import NotFound
from tuneway.tuning.webhooks import Webhook, Webhooks, Wish

ENDPOINTS = "/v1/webhook_endpoints"
SHOWN = 4


class CreateWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a creation."""

    name: str
    url: str
    event_types: tuple[str, ...]


class UpdateWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a change; what is absent stays."""

    name: str | None = None
    url: str | None = None
    event_types: tuple[str, ...] | None = None


class RotateSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a rotation."""

    keep_old_secret_active_for_24_hours: bool = False


def rules(webhooks: Webhooks) -> list[Rule]:
    """The door's rules for webhooks."""
    handlers = _Endpoints(webhooks)
    endpoint = f"{ENDPOINTS}/{{webhook_id}}"
    return [
        Rule("POST", ENDPOINTS, Scope.TUNE, handlers.create),
        Rule("GET", ENDPOINTS, Scope.TUNE, handlers.list),
        Rule("GET", endpoint, Scope.TUNE, handlers.retrieve),
        Rule("POST", endpoint, Scope.TUNE, handlers.update),
        Rule("DELETE", endpoint, Scope.TUNE, handlers.delete),
        Rule("POST", f"{endpoint}/rotate_secret", Scope.TUNE, handlers.rotate),
    ]


class _Endpoints:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def create(self, call: Call) -> Body:
        body = decoded(call.body(), CreateWebhook)
        wish = Wish(name=body.name, url=body.url, event_types=body.event_types)
        webhook, secret = self._webhooks.create(owner=call.grant.owner, wish=wish)
        return _with_secret(webhook, secret)

    def list(self, call: Call) -> Body:
        limit = call.limit(default=20, most=100)
        rows = [_rendered(webhook) for webhook in self._webhooks.owned(call.grant.owner)]
        return page(_after(rows, after_of(call))[: limit + 1], limit)

    def retrieve(self, call: Call) -> Body:
        return _rendered(self._webhooks.get(call.path["webhook_id"], owner=call.grant.tenant))

    def update(self, call: Call) -> Body:
        body = decoded(call.body(), UpdateWebhook)
        wish = Wish(name=body.name, url=body.url, event_types=body.event_types)
        return _rendered(self._webhooks.update(call.path["webhook_id"], owner=call.grant.tenant, wish=wish))

    def delete(self, call: Call) -> Body:
        id_ = call.path["webhook_id"]
        self._webhooks.delete(id_, owner=call.grant.tenant)
        return {"id": id_, "object": "webhook_endpoint.deleted", "deleted": True}

    def rotate(self, call: Call) -> Body:
        keep = decoded(call.body() or b"{}", RotateSecret).keep_old_secret_active_for_24_hours
        owner = call.grant.tenant
        return _with_secret(*self._webhooks.rotate(call.path["webhook_id"], owner=owner, keep_old=keep))


def _rendered(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "object": "webhook_endpoint",
        "created_at": int(webhook.created_at),
        "updated_at": int(webhook.updated_at),
        "name": webhook.name,
        "url": webhook.url,
        "event_types": webhook.event_types,
    }


def _with_secret(webhook: Webhook, secret: str) -> dict[str, object]:
    hint = f"whsec_…{secret[-SHOWN:]}"
    return {**_rendered(webhook), "signing_secret": secret, "signing_secret_hint": hint}


def _after(rows: list[dict[str, object]], id_: str | None) -> list[dict[str, object]]:
    if id_ is None:
        return rows
    for position, row in enumerate(rows):
        if row["id"] == id_:
            return rows[position + 1 :]
    raise NotFound(f"There is no webhook '{id_}' to go on after.", param="after")
