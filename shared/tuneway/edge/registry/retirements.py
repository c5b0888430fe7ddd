"""``/v1/registry/retirements`` and ``…/retunes``: what retires when, and models tuned again on what follows."""

import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.canary_events import canary_event
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.lists import listed, page
from tuneway.edge.registry.model_bodies import who_asks
from tuneway.edge.registry.model_reading import MODELS
from tuneway.edge.retirement_events import retune_event
from tuneway.edge.whole_numbers import whole
from tuneway.errors import BadInput
from tuneway.ports import Documents, Events
from tuneway.ports.retirements import Fates, Retuner, RetuneWish
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_plan import Plan
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.retirements.radar import Radar, Retiring, priced
from tuneway.registry.retirements.retune import Retune
from tuneway.registry.retirements.retune_book import RetuneBook
from tuneway.registry.retirements.retune_desk import Planned, RetuneDesk, RetuneOrder
from tuneway.registry.retirements.retune_steps import Means, RetuneSteps
from tuneway.state import fields_of
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.origins import JobOrigins
from tuneway.tuning.outcomes import FinishedJobs
from tuneway.tuning.retuning import FollowedJobs

RETIREMENTS = "/v1/registry/retirements"
RETUNES = "/v1/registry/retunes"
PAGE, MOST = 20, 100
FARTHEST = 36_500
HIDDEN = frozenset({"asked", "admin", "told", "open", "cancel_asked"})


class StartRetune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a re-tune; all of it may be left out. ``canary`` is a plan, true for the usual one, or false."""

    base_model: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    version: str | None = None
    max_cost_usd: Annotated[float, Meta(ge=0)] | None = None
    hyperparameters: dict[str, object] | None = None
    canary: Plan | bool = True
    dry_run: bool = False

    @property
    def plan(self) -> Plan | None:
        """The canary's plan; None for no canary."""
        match self.canary:
            case Plan():
                return self.canary
            case wanted:
                return Plan() if wanted else None


def steps(documents: Documents, events: Events, *, fates: Fates, now: Callable[[], float]) -> RetuneSteps:
    """Re-tunes over the state, for the door and the tick."""
    lifecycle = Lifecycle(documents, events, now)
    means = Means(
        shelf=ModelShelf(documents, now=now),
        canaries=Canaries(documents, events, now=now, announce=canary_event),
        following=FollowedJobs(lifecycle),
        outcomes=FinishedJobs(lifecycle),
        origins=JobOrigins(documents),
        fates=fates,
    )
    return RetuneSteps(RetuneBook(documents, events, now=now, announce=retune_event), means)


def built(
    documents: Documents, events: Events, *, fates: Fates, retuner: Retuner, now: Callable[[], float]
) -> list[Rule]:
    """The rules, with all behind them."""
    shelf = ModelShelf(documents, now=now)
    desk = RetuneDesk(
        steps(documents, events, fates=fates, now=now), shelf, retuner, new_id=lambda: secrets.token_hex(12)
    )
    return [*retirement_rules(Radar(shelf, fates), retuner), *retune_rules(desk)]


def retirement_rules(radar: Radar, retuner: Retuner) -> list[Rule]:
    """Everybody who may tune sees what is their own; admins see all."""

    def retiring(call: Call) -> Body:
        seen = radar.look(owner=who_asks(call.grant).owner, within=_days(call.query))
        rows = [_shown_row(priced(row, retuner)) for row in seen.rows]
        return {**listed(rows), "undated": seen.undated, "unknown": seen.unknown}

    return [Rule("GET", RETIREMENTS, Scope.TUNE, retiring)]


def retune_rules(desk: RetuneDesk) -> list[Rule]:
    """Everybody who may tune re-tunes their own models; an admin's canary may go on routes without an owner."""

    def start(call: Call) -> Body:
        body = decoded(call.body(), StartRetune) if call.body() else StartRetune()
        order = RetuneOrder(
            wish=RetuneWish(
                base_model=body.base_model, hyperparameters=body.hyperparameters, max_cost_usd=body.max_cost_usd
            ),
            version=body.version,
            plan=body.plan,
            key_limit=call.grant.max_cost_usd,
            idempotency_key=call.headers.get("idempotency-key"),
        )
        who = who_asks(call.grant)
        if body.dry_run:
            return _shown_plan(desk.planned(call.path["model"], order, who=who))
        return shown(desk.start(call.path["model"], order, who=who))

    def get(call: Call) -> Body:
        return shown(desk.book.owned(call.path["retune"], who_asks(call.grant).owner).value)

    def cancel(call: Call) -> Body:
        return shown(desk.cancel(call.path["retune"], who=who_asks(call.grant)))

    def several(call: Call) -> Body:
        limit = call.limit(default=PAGE, most=MOST)
        model = call.path.get("model") or call.query.get("model")
        owner, after = who_asks(call.grant).owner, call.query.get("after")
        found = desk.book.newest(owner=owner, model=model, after=after, limit=limit + 1)
        return page([shown(each) for each in found], limit)

    one = f"{RETUNES}/{{retune}}"
    of_model = f"{MODELS}/{{model}}/retunes"
    return [
        Rule("POST", of_model, Scope.TUNE, start),
        Rule("GET", of_model, Scope.TUNE, several),
        Rule("GET", RETUNES, Scope.TUNE, several),
        Rule("GET", one, Scope.TUNE, get),
        Rule("DELETE", one, Scope.TUNE, cancel),
    ]


def shown(retune: Retune) -> dict[str, object]:
    """A re-tune as JSON."""
    fields = {name: value for name, value in fields_of(retune).items() if name not in HIDDEN}
    return {"object": "registry.retune", **fields}


def _shown_plan(planned: Planned) -> dict[str, object]:
    """What a re-tune would be, as JSON: as the re-tune shows it, but for what there is not."""
    quote = fields_of(planned.quote)
    kind: Literal["registry.retune.plan"] = "registry.retune.plan"
    return {
        "object": kind,
        "model": planned.model,
        "version": planned.version,
        "old_base": planned.old_base,
        **quote,
        "alias": planned.alias,
    }


def _shown_row(row: Retiring) -> dict[str, object]:
    return {"object": "registry.retirement", **fields_of(row)}


def _days(query: Mapping[str, str]) -> int | None:
    """Raises BadInput."""
    text = query.get("within")
    if text is None:
        return None
    days = whole(text, least=0, most=FARTHEST)
    if days is None:
        raise BadInput(f"'within' is a number of days from 0 to {FARTHEST}.", param="within")
    return days
