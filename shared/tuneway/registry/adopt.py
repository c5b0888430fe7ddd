"""Take a finished job's model in: version and checkpoints, deployments, alias and route, snapshot, in one commit."""

from contextlib import suppress

import msgspec

from tuneway.errors import AlreadyExists, Conflict, TryLater
from tuneway.ports import Documents, Outcome, Outcomes, Write
from tuneway.registry.hosting.intake import Intake
from tuneway.registry.made import model_of, registered_as, version_of
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot, change
from tuneway.state import Collection, Stored

ATTEMPTS = 20


def adopt(documents: Documents, outcomes: Outcomes, *, job: str, since: int, intake: Intake | None = None) -> bool:
    """The handler of ``job-finished``: the model answers under its alias. Repeating the call changes nothing.

    A tuned Gemini model is deployed by Vertex AI itself, so its endpoint only needs to be written down. What has to be
    deployed first goes to ``intake``: False then, while it is not decided yet whether the model answers.
    """
    outcome = outcomes.of(job)
    if outcome is None:
        return True
    if outcome.tuned.endpoint is None:
        return intake is None or intake(outcome)
    _take_over(documents, outcome, endpoint=outcome.tuned.endpoint)
    outcomes.settle(job, alias=outcome.alias, since=since)
    return True


def _take_over(documents: Documents, outcome: Outcome, *, endpoint: str) -> None:
    routes = _routes(outcome, endpoint)
    models = Collection(documents, "models", Model)
    id_, _ = registered_as(outcome)
    for _ in range(ATTEMPTS):
        before = models.known(id_)
        try:
            # When it exists, an earlier delivery committed all of it and died before it could tell the job.
            with suppress(AlreadyExists):
                writes = _writes(documents, outcome, routes, before=before)
                change(documents, lambda snapshot: _with(snapshot, routes, owner=outcome.owner), *writes)
        except Conflict:
            if models.known(id_) == before:
                raise
            continue
        if before is not None or models.known(id_) is None or _has(documents, outcome, id_):
            return
    raise TryLater(f"Model {id_} keeps changing. Ask again.")


def _has(documents: Documents, outcome: Outcome, id_: str) -> bool:
    """Whether the version is there: another version of a new model may have been first."""
    versions = Collection(documents, f"models/{id_}/versions", Version)
    return any(each.value.job == outcome.job for each in versions.find())


def _with(snapshot: Snapshot, routes: list[Route], *, owner: str) -> Snapshot:
    """The routes; and the places, which stay the owner's when a route is gone."""
    for route in routes:
        snapshot = snapshot.with_route(route)
        for target in route.targets:
            snapshot = snapshot.with_place(place_of(target), owner)
    return snapshot


def _routes(outcome: Outcome, endpoint: str) -> list[Route]:
    """The model under its alias, and each checkpoint that has a place of its own under ``alias@cp-1``."""
    points = {f"{outcome.alias}@cp-{point.id}": point.endpoint for point in outcome.tuned.checkpoints}
    return [
        Route(
            alias=alias,
            targets=(Target(resource=place, dialect="gemini", model=outcome.base_model),),
            created_at=outcome.finished_at,
            owner=outcome.owner,
        )
        for alias, place in {outcome.alias: endpoint, **points}.items()
        if place is not None
    ]


def _model(outcome: Outcome, before: Stored[Model] | None) -> Model:
    """The model with the newest version's alias; what people made of it since its first version stays."""
    if before is not None:
        return msgspec.structs.replace(before.value, alias=outcome.alias)
    # Vertex AI registers it as well: the two are compared with the next tick.
    return msgspec.structs.replace(model_of(outcome), mirror_due=0.0)


def _writes(
    documents: Documents, outcome: Outcome, routes: list[Route], *, before: Stored[Model] | None
) -> list[Write]:
    model = _model(outcome, before)
    models, version = Collection(documents, "models", Model), version_of(outcome)
    deployments = Collection(documents, "deployments", Deployment)
    return [
        models.create(model.id, model) if before is None else models.replace(before, model),
        _version_write(documents, version),
        *(deployments.put(d.id, d) for d in _deployments(outcome, version)),
        *(Collection(documents, "routes", Route).create(route.alias, route) for route in routes),
    ]


def _version_write(documents: Documents, version: Version) -> Write:
    """The provider's registry may have told of it first: then the job is what was still missing."""
    versions = Collection(documents, f"models/{version.model}/versions", Version)
    there = versions.known(version.number)
    if there is None or there.value.job:
        return versions.create(version.number, version)
    said = there.value
    return versions.replace(there, msgspec.structs.replace(version, labels=said.labels, description=said.description))


def _deployments(outcome: Outcome, version: Version) -> list[Deployment]:
    # The final endpoint is usually the last checkpoint's too.
    places = {outcome.tuned.endpoint: ""} | {point.endpoint: point.id for point in outcome.tuned.checkpoints}
    return [
        Deployment(
            id=endpoint.rpartition("/")[2],
            owner=outcome.owner,
            endpoint=endpoint,
            dialect="gemini",
            model=version.model,
            version=version.number,
            created_at=version.created_at,
            checkpoint=checkpoint or None,
        )
        for endpoint, checkpoint in places.items()
        if endpoint is not None
    ]
