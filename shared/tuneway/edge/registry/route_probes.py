"""``POST /v1/registry/routes/{alias}:probe``: what its targets really can, found out by asking them."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.registry.routes import ROOT, RouteDesk, author
from tuneway.prediction.asleep import CODE
from tuneway.registry.route_book import RouteBook
from tuneway.registry.route_means import Means
from tuneway.routing.fragments import Asleep
from tuneway.routing.names import place
from tuneway.routing.places import place_of
from tuneway.routing.probes import STARS, Finding, RouteProbe, TargetProbe
from tuneway.routing.routes import Target
from tuneway.state import fields_of


def rules(desk: RouteDesk, book: RouteBook) -> list[Rule]:
    """For admins, as routes are: a probe costs a few tokens of each target."""
    one = f"{ROOT}/{{alias}}"

    def post(call: Call) -> Body:
        route = book.get(call.path["alias"])
        found = _probed(route.targets, desk.means, book.asleep())
        return shown(book.keep_probe(route, found, by=author(call.grant)), version=route.version)

    def get(call: Call) -> Body:
        route = book.get(call.path["alias"])
        return shown(book.probe(route.alias), version=route.version)

    return [
        Rule("POST", f"{one}:probe", Scope.ADMIN, post),
        Rule("POST", f"{one}/probe", Scope.ADMIN, post),
        Rule("GET", f"{one}/probe", Scope.ADMIN, get),
    ]


def _probed(targets: Sequence[Target], means: Means, asleep: Mapping[str, Asleep]) -> list[TargetProbe]:
    """What each can, in their order; what is asleep is neither asked nor woken."""
    said = [asleep.get(place_of(target)) for target in targets]
    awake = [target for target, resting in zip(targets, said, strict=True) if resting is None]
    found = iter(means.probe(awake) if awake else ())
    rows = [
        next(found, None) if resting is None else _resting(target, resting)
        for target, resting in zip(targets, said, strict=True)
    ]
    return [row for row in rows if row is not None]


def _resting(target: Target, said: Asleep) -> TargetProbe:
    unasked = Finding(works=False, reason="Not asked, because the target is asleep.", code=CODE)
    return TargetProbe(
        target=place(target),
        provider=target.provider,
        dialect=target.dialect,
        answers=Finding(works=False, reason=f"It is asleep. {_waking(said)}", code=CODE),
        stars=dict.fromkeys(map(str, STARS), unasked),
        cost_usd=0.0,
        asleep=True,
    )


def _waking(said: Asleep) -> str:
    """Who wakes it: a probe does not."""
    if said.ready_at is not None:
        return "It is being woken: probe it again when it answers."
    at = "" if said.wakes_at is None else datetime.fromtimestamp(said.wakes_at, UTC).strftime(" at %Y-%m-%d %H:%M UTC")
    itself = f"It wakes by itself{at}, or is" if at else "It is"
    way = "by hand" if said.strict else "by a call"
    seconds = math.ceil(said.seconds)
    return (
        f"{itself} woken {way} (tuneway deployments wake), which takes about {seconds} seconds; a probe wakes nothing."
    )


def shown(probe: RouteProbe, *, version: int) -> dict[str, object]:
    """A probe as JSON; ``outdated`` where the route is another by now."""
    fields = fields_of(probe)
    fields["created_at"] = fields.pop("at")
    fields["author"] = fields.pop("by")
    return {"object": "route.probe", **fields, "cost_usd": probe.cost_usd, "outdated": probe.version != version}
