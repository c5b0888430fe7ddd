"""``GET /v1/registry/models…``: what is registered."""

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.lists import listed, page
from tuneway.edge.registry.model_bodies import labels_asked, shown, shown_aliases, shown_version, tagged, truth
from tuneway.registry.inventory import Inventory, Sought

MODELS = "/v1/registry/models"
PAGE, MOST = 100, 1000


def rules(inventory: Inventory) -> list[Rule]:
    """Everybody who may tune sees their own models; admins see all."""

    def models(call: Call) -> Body:
        limit = call.limit(default=PAGE, most=MOST)
        found = inventory.page(
            owner=call.grant.tenant,
            after=call.query.get("after"),
            limit=limit + 1,
            sought=Sought(labels=labels_asked(call), archived=truth(call, "archived")),
        )
        return page([shown(model) for model in found], limit)

    def model(call: Call) -> Body:
        found = inventory.model(call.path["model"], owner=call.grant.tenant)
        return tagged(shown(found), found.revision)

    def aliases(call: Call) -> Body:
        return shown_aliases(inventory.model(call.path["model"], owner=call.grant.tenant))

    def versions(call: Call) -> Body:
        owner = call.grant.tenant
        of = inventory.model(call.path["model"], owner=owner)
        return listed([shown_version(each, of) for each in inventory.versions(of.id, owner=owner)])

    def version(call: Call) -> Body:
        owner = call.grant.tenant
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
