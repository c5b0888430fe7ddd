"""Have a tuned model answer under a second name: the alias that its job was promoted to.

A name such as ``shop@prod`` is an alias of a registered model's versions. What the job made becomes a version of that
model then, and is given the alias, so that the name and the registry say the same.
"""

from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.ports import Documents, Outcome, Outcomes, Write
from tuneway.registry.made import registered_as
from tuneway.registry.models.model_desk import ModelDesk, Who
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.registering import Into, Registering
from tuneway.registry.models.version_names import VersionName, version_name
from tuneway.registry.shelves import Model
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
    shelf = ModelShelf(documents, now=now)
    routes = Collection(documents, "routes", Route)
    own, there = routes.known(outcome.alias), routes.known(outcome.promote_to)
    named = version_name(shelf, outcome.promote_to)
    if refusal := _refusal(outcome, own, there=there, named=named):
        outcomes.promoted(job, since=since, refusal=refusal)
    elif named is not None:
        outcomes.promoted(job, since=since, refusal=_pointed(shelf, outcomes, outcome=outcome, named=named))
    elif own is not None:
        _route(documents, routes, outcome, own=own.value, there=there, at=now())
        outcomes.promoted(job, since=since)


def _pointed(shelf: ModelShelf, outcomes: Outcomes, *, outcome: Outcome, named: VersionName) -> str | None:
    """Give what the job made the alias, as a version of the alias's model; why not, where that cannot be."""
    who = Who(owner=outcome.owner, name=outcome.owner)
    try:
        number = _number(Registering(shelf, outcomes), outcome, named.model, who=who)
        ModelDesk(shelf).point(named.model.id, named.alias, number, who=who, expected=None)
    except (BadInput, NotFound) as fault:
        return f"'{outcome.promote_to}' was left as it is. {fault.message}"
    return None


def _number(registering: Registering, outcome: Outcome, model: Model, *, who: Who) -> str:
    """The version that the job made of the model, registered there if it is not yet. Raises BadInput."""
    own, number = registered_as(outcome)
    if own == model.id:
        return number
    if model.resource or model.name != model.id:
        raise BadInput(
            f"The versions of '{model.id}' are its provider's, and job '{outcome.job}' made none of them. Promote to "
            f"another name, or give the job's model one: tuneway models register NAME --job {outcome.job}"
        )
    _, version = registering.from_job(outcome.job, Into(name=model.id, owner=outcome.owner), who=who)
    return version.number


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


def _refusal(
    outcome: Outcome, own: Stored[Route] | None, *, there: Stored[Route] | None, named: VersionName | None
) -> str | None:
    if own is None:
        return f"The model does not answer as '{outcome.alias}', so '{outcome.promote_to}' was left as it is."
    owner = named.model.owner if named else there.value.owner if there else outcome.owner
    if owner != outcome.owner:
        return f"The alias '{outcome.promote_to}' is in use. Promote to another."
    return None
