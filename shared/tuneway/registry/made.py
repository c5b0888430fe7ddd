"""What a job made, as the registry keeps it: a model and a version of it."""

from tuneway.ports import Outcome
from tuneway.registry.naming import DEFAULT, dashed
from tuneway.registry.shelves import Model, Version


def registered_as(outcome: Outcome) -> tuple[str, str]:
    """The model and version under which a job's result registers itself."""
    if outcome.tuned.endpoint is None:
        # The provider gives it no short name: what answers nowhere yet is called by its job.
        return "ft-" + dashed(outcome.job.removeprefix("ftjob-"))[:40], "1"
    resource, _, number = outcome.tuned.model.partition("@")
    return resource.rpartition("/")[2], number or "1"


def model_of(outcome: Outcome) -> Model:
    """The model that a job made, with its first version as the one that is meant."""
    id_, number = registered_as(outcome)
    return Model(
        id=id_,
        owner=outcome.owner,
        base_model=outcome.base_model,
        resource=outcome.tuned.model.partition("@")[0],
        name=outcome.alias,
        alias=outcome.alias,
        aliases={DEFAULT: number},
        created_at=outcome.finished_at,
    )


def version_of(outcome: Outcome) -> Version:
    """The version that a job made, of the model under which it registers itself."""
    id_, number = registered_as(outcome)
    tuned = outcome.tuned
    return Version(
        model=id_,
        number=number,
        resource=tuned.model,
        job=outcome.job,
        dataset_sha256=outcome.dataset_sha256,
        alias=outcome.alias,
        created_at=outcome.finished_at,
        checkpoints=tuned.checkpoints,
        backend=outcome.backend,
        location=tuned.location or _place(outcome.location),
        weights=tuned.weights,
        endpoint=tuned.endpoint,
        base_model=outcome.base_model,
    )


def _place(location: str | None) -> str | None:
    # A job of location ``global`` ran in a region, which is no place for an endpoint of one's own.
    return location if location != "global" else None
