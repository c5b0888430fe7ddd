"""``/v1/registry/routes/{alias}/canary``: try a model on a part of a route's calls, by hand and by measure."""

import secrets
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.canary_events import canary_event
from tuneway.edge.door import Body, Call, Rule
from tuneway.ports import Documents, Events
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import OPEN, Canary, Plan
from tuneway.registry.canaries.canary_verdict import Measured, wanting
from tuneway.registry.canaries.evidence import Mean
from tuneway.registry.counts.tallies import Tally
from tuneway.registry.counts.usage_report import latency_of
from tuneway.state import fields_of

ROOT = "/v1/registry/routes/{alias}/canary"
Score = Annotated[float, Meta(ge=0, le=1)]
Batch = Annotated[tuple[Score, ...], Meta(max_length=10_000)]
HIDDEN = frozenset({"before", "looked", "told", "open", "scores"})


class StartCanary(Plan, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a new canary: another route's alias or one of the route's own targets, and the plan."""

    candidate: str


class PutScores(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scores that a judge gave to answers of both sides, from 0 to 1; ``batch`` names them, to be taken once."""

    batch: Annotated[str, Meta(min_length=1, max_length=128)]
    candidate: Batch = ()
    stable: Batch = ()


def built(documents: Documents, events: Events, *, now: Callable[[], float]) -> list[Rule]:
    """The rules, with all behind them."""
    canaries = Canaries(documents, events, now=now, announce=canary_event)
    return rules(CanaryDesk(canaries, new_id=lambda: secrets.token_hex(6)))


def rules(desk: CanaryDesk) -> list[Rule]:
    """Canaries are for admins, as routes are."""

    def start(call: Call) -> Body:
        asked = decoded(call.body(), StartCanary)
        plan = Plan(**{name: getattr(asked, name) for name in Plan.__struct_fields__})
        return shown(desk, desk.start(call.path["alias"], asked.candidate, plan, by=call.grant.owner))

    def get(call: Call) -> Body:
        return shown(desk, desk.canaries.stored(call.path["alias"]).value)

    def past(call: Call) -> Body:
        return {"object": "list", "data": [_told(canary) for canary in desk.past(call.path["alias"])]}

    def scores(call: Call) -> Body:
        asked = decoded(call.body(), PutScores)
        alias, batch = call.path["alias"], asked.batch
        return shown(desk, desk.score(alias, batch, candidate=asked.candidate, stable=asked.stable))

    return [
        Rule("POST", ROOT, Scope.ADMIN, start),
        Rule("GET", ROOT, Scope.ADMIN, get),
        Rule("GET", f"{ROOT}/past", Scope.ADMIN, past),
        Rule("POST", f"{ROOT}/scores", Scope.ADMIN, scores),
        Rule("POST", f"{ROOT}/pause", Scope.ADMIN, _by_hand(desk, desk.pause)),
        Rule("POST", f"{ROOT}/resume", Scope.ADMIN, _by_hand(desk, desk.resume)),
        Rule("POST", f"{ROOT}/promote", Scope.ADMIN, _by_hand(desk, desk.promote)),
        Rule("POST", f"{ROOT}/abort", Scope.ADMIN, _by_hand(desk, desk.abort)),
    ]


class _Order(Protocol):
    def __call__(self, alias: str, *, by: str) -> Canary: ...


def _by_hand(desk: CanaryDesk, order: _Order) -> Callable[[Call], Body]:
    return lambda call: shown(desk, order(call.path["alias"], by=call.grant.owner))


def shown(desk: CanaryDesk, canary: Canary) -> dict[str, object]:
    """A canary as JSON; under way, with what was measured in its step and what it waits for."""
    if canary.state not in OPEN:
        return _told(canary)
    measured = desk.canaries.measured(canary)
    return {
        **_told(canary),
        "measured": _measured(measured),
        "waits_for": wanting(canary, measured, now=desk.canaries.now()),
    }


def _told(canary: Canary) -> dict[str, object]:
    fields = fields_of(canary)
    return {
        "object": "route.canary",
        **{name: value for name, value in fields.items() if name not in HIDDEN},
        "candidate": canary.tried,
        "stable": sorted(canary.stable),
        "share": canary.share,
        "scores": {side: mean.count for side, mean in _scored(canary)},
    }


def _scored(canary: Canary) -> tuple[tuple[str, Mean], ...]:
    return (("candidate", canary.scores.candidate), ("stable", canary.scores.stable))


def _measured(measured: Measured) -> dict[str, object]:
    return {"candidate": _side(measured.candidate), "stable": _side(measured.stable)}


def _side(tally: Tally) -> dict[str, object]:
    return {
        "requests": tally.judged,
        "errors": tally.errors,
        "error_rate": tally.errors / tally.judged if tally.judged else None,
        "cost_usd_per_request": tally.cost_usd / tally.priced if tally.priced else None,
        "latency_ms": latency_of(tally),
    }
