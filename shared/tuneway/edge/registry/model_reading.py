"""``GET /v1/registry/models…``: what is registered."""

from collections.abc import Sequence

from tuneway.access.keys import Grant, Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.registry.model_bodies import labels_asked, shown, shown_aliases, shown_version, tagged, truth
from tuneway.registry.inventory import Inventory, Sought

MODELS = "/v1/registry/models"
PAGE, MOST = 100, 1000


def rules(inventory: Inventory) -> list[Rule]:
    """Everybody who may tune sees their own models; admins see all."""

    def models(call: Call) -> Body:
        limit = call.limit(default=PAGE, most=MOST)
        found = inventory.page(
            owner=_tenant(call.grant),
            after=call.query.get("after"),
            limit=limit + 1,
            sought=Sought(labels=labels_asked(call), archived=truth(call, "archived")),
        )
        return _page([shown(model) for model in found], limit)

    def model(call: Call) -> Body:
        found = inventory.model(call.path["model"], owner=_tenant(call.grant))
        return tagged(shown(found), found.revision)

    def aliases(call: Call) -> Body:
        return shown_aliases(inventory.model(call.path["model"], owner=_tenant(call.grant)))

    def versions(call: Call) -> Body:
        owner = _tenant(call.grant)
        of = inventory.model(call.path["model"], owner=owner)
        return _list([shown_version(each, of) for each in inventory.versions(of.id, owner=owner)])

    def version(call: Call) -> Body:
        owner = _tenant(call.grant)
        of = inventory.model(call.path["model"], owner=owner)
        named = call.path["version"]
        found = inventory.version(of.id, of.aliases.get(named, named), owner=owner)
        return tagged(shown_version(found, of), found.revision)

    one = f"{MODELS}/{{model}}"
    return [
        Rule("GET", MODELS, Scope.TUNE, models),
        Rule("GET", one, Scope.TUNE, model),
        Rule("GET", f"{one}/aliases", Scope.TUNE, aliases),
        Rule("GET", f"{one}/versions", Scope.TUNE, versions),
        Rule("GET", f"{one}/versions/{{version}}", Scope.TUNE, version),
    ]


def _tenant(grant: Grant) -> str | None:
    """Whose things the caller may see; None means everybody's."""
    return None if Scope.ADMIN in grant.scopes else grant.owner


def _list(rows: Sequence[object]) -> dict[str, object]:
    return {"object": "list", "data": rows}


def _page(rows: Sequence[dict[str, object]], limit: int) -> dict[str, object]:
    """A list of at most ``limit`` rows, made from one row more."""
    some = rows[:limit]
    first, last = (some[0]["id"], some[-1]["id"]) if some else ("", "")
    return {"object": "list", "data": some, "has_more": len(rows) > limit, "first_id": first, "last_id": last}
