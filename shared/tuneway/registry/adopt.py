"""Take a finished job's model in: version and checkpoints, deployments, alias and route, snapshot, in one commit."""

from contextlib import suppress

from tuneway.errors import AlreadyExists
from tuneway.ports import Documents, Outcome, Outcomes, Write
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import change
from tuneway.state import Collection


def adopt(documents: Documents, outcomes: Outcomes, *, job: str, since: int) -> None:
    """The handler of ``job-finished``: the model answers under its alias. Repeating the call changes nothing.

    A tuned Gemini model is deployed by Vertex AI itself, so its endpoint only needs to be written down.
    """
    outcome = outcomes.of(job)
    if outcome is None or (endpoint := outcome.tuned.endpoint) is None:
        return
    route = Route(
        alias=outcome.alias,
        targets=(Target(resource=endpoint, dialect="gemini", model=outcome.base_model),),
        created_at=outcome.finished_at,
        owner=outcome.owner,
    )
    # When it exists, an earlier delivery committed all of it and died before it could tell the job.
    with suppress(AlreadyExists):
        change(documents, lambda snapshot: snapshot.with_route(route), *_writes(documents, outcome, route))
    outcomes.settle(job, alias=outcome.alias, since=since)


def _writes(documents: Documents, outcome: Outcome, route: Route) -> list[Write]:
    resource, _, number = outcome.tuned.model.partition("@")
    model = Model(
        id=resource.rpartition("/")[2],
        owner=outcome.owner,
        base_model=outcome.base_model,
        resource=resource,
        created_at=outcome.finished_at,
    )
    version = Version(
        model=model.id,
        number=number or "1",
        resource=outcome.tuned.model,
        job=outcome.job,
        dataset_sha256=outcome.dataset_sha256,
        alias=outcome.alias,
        created_at=outcome.finished_at,
        checkpoints=outcome.tuned.checkpoints,
    )
    deployments = Collection(documents, "deployments", Deployment)
    return [
        Collection(documents, "models", Model).put(model.id, model),
        Collection(documents, f"models/{model.id}/versions", Version).create(version.number, version),
        *(deployments.put(d.id, d) for d in _deployments(outcome, version)),
        Collection(documents, "routes", Route).create(route.alias, route),
    ]


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
