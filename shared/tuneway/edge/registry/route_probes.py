"""``POST /v1/registry/routes/{alias}:probe``: what its targets really can, found out by asking them."""

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.registry.routes import ROOT, RouteDesk, author
from tuneway.registry.route_book import RouteBook
from tuneway.routing.probes import RouteProbe
from tuneway.state import fields_of


def rules(desk: RouteDesk, book: RouteBook) -> list[Rule]:
    """For admins, as routes are: a probe costs a few tokens of each target."""
    one = f"{ROOT}/{{alias}}"

    def post(call: Call) -> Body:
        route = book.get(call.path["alias"])
        found = desk.means.probe(route.targets)
        return shown(book.keep_probe(route, found, by=author(call.grant)), version=route.version)

    def get(call: Call) -> Body:
        route = book.get(call.path["alias"])
        return shown(book.probe(route.alias), version=route.version)

    return [
        Rule("POST", f"{one}:probe", Scope.ADMIN, post),
        Rule("POST", f"{one}/probe", Scope.ADMIN, post),
        Rule("GET", f"{one}/probe", Scope.ADMIN, get),
    ]


def shown(probe: RouteProbe, *, version: int) -> dict[str, object]:
    """A probe as JSON; ``outdated`` where the route is another by now."""
    fields = fields_of(probe)
    fields["created_at"] = fields.pop("at")
    fields["author"] = fields.pop("by")
    return {"object": "route.probe", **fields, "cost_usd": probe.cost_usd, "outdated": probe.version != version}
