"""Have a tuned model answer under a second name: the alias that its job was promoted to."""

from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict, TryLater
from tuneway.ports import Documents, Outcome, Outcomes, Write
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import change
from tuneway.state import Collection, Stored


def promote(
    documents: Documents, outcomes: Outcomes, *, job: str, now: Callable[[], float], since: int | None = None
) -> None:
    """What follows once a job's model answers, or does not. Repeating the call changes nothing. Raises TryLater.

    A route that is there keeps everything but its targets. One of another tenant, or of all, is left alone.
    """
    outcome = outcomes.of(job)
    if outcome is None or outcome.promote_to is None:
        return
    routes = Collection(documents, "routes", Route)
    own, there = routes.known(outcome.alias), routes.known(outcome.promote_to)
    if refusal := _refusal(outcome, own, there):
        outcomes.promoted(job, since=since, refusal=refusal)
    elif own is not None:
        _route(documents, routes, outcome, own=own.value, there=there, at=now())
        outcomes.promoted(job, since=since)


def _route(
    documents: Documents,
    routes: Collection[Route],
    outcome: Outcome,
    *,
    own: Route,
    there: Stored[Route] | None,
    at: float,
) -> None:
    alias = outcome.promote_to or outcome.alias
    before = there.value if there else Route(alias=alias, targets=(), created_at=at, owner=outcome.owner)
    if before.targets == own.targets:
        return
    after = msgspec.structs.replace(before, targets=own.targets, created_at=at)
    write: Write = routes.replace(there, after) if there else routes.create(alias, after)
    try:
        change(documents, lambda snapshot: snapshot.with_route(after), write)
    except Conflict as fault:
        raise TryLater(f"The route '{alias}' keeps changing. Try again.") from fault


def _refusal(outcome: Outcome, own: Stored[Route] | None, there: Stored[Route] | None) -> str | None:
    if own is None:
        return f"The model does not answer as '{outcome.alias}', so '{outcome.promote_to}' was left as it is."
    if there is not None and there.value.owner != outcome.owner:
        return f"The alias '{outcome.promote_to}' is in use. Promote to another."
    return None
