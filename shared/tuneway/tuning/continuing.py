"""Tuning on from a tuned model: which job of the owner's made the model that a name means."""

from collections.abc import Iterable

from tuneway.errors import BadInput
from tuneway.ports import Checkpoint, PreTuned
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.lifecycle import Lifecycle

PREFIXES = ("vertex_ai/",)
RESOURCES = ("projects/", "arn:")
SHOWN = 120
# preTunedModel is documented for Gemini alone (Google Cloud documentation on continuous tuning, 2026-09-25).
FROM_THE_START = frozenset({"vertex_open", "vertex_custom"})


class TunedModels:
    """The models that finished jobs made, by their names."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._jobs = lifecycle.jobs

    def named(self, name: str, *, owner: str) -> tuple[Job, PreTuned] | None:
        """The owner's job and what to go on from; None when ``name`` names no tuned model at all.

        Takes ``ft:…`` and the provider's own name of the model, each with ``@checkpoint`` behind it or without, the
        latter behind ``vertex_ai/`` or not. Raises BadInput (``model``) when the owner has no such model, finished.
        """
        bare = next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)
        if not bare.startswith(("ft:", *RESOURCES)):
            return None
        for wanted, checkpoint in _readings(bare):
            if job := self._made(wanted, owner):
                return job, _pre_tuned(job, checkpoint)
        raise BadInput(
            f"There is no tuned model '{name[:SHOWN]}' of yours to go on from. GET /v1/fine_tuning/jobs lists them.",
            param="model",
            code="model_not_found",
        )

    def _made(self, name: str, owner: str) -> Job | None:
        found = self._by_resource(name) if name.startswith(RESOURCES) else self._by_alias(name)
        mine = [job for job in found if job.owner == owner]
        return max(mine, key=lambda job: job.created_at, default=None)

    def _by_alias(self, name: str) -> Iterable[Job]:
        return [stored.value for stored in self._jobs.find(("alias", "==", name))]

    def _by_resource(self, name: str) -> Iterable[Job]:
        exact = self._jobs.find(("tuned.model", "==", name))
        # Without its version, a model of Vertex AI is its newest version: 'A' is what follows '@'.
        versions = self._jobs.find(("tuned.model", ">", f"{name}@"), ("tuned.model", "<", f"{name}A"))
        return [stored.value for stored in (exact or versions)]


def _readings(name: str) -> list[tuple[str, str | None]]:
    """What a name may mean: a model, or a checkpoint of the model before the last ``@``."""
    model, at, checkpoint = name.rpartition("@")
    return [(name, None), *([(model, checkpoint)] if at and model and checkpoint else [])]


def _pre_tuned(job: Job, checkpoint: str | None) -> PreTuned:
    if job.status is not Status.SUCCEEDED or job.tuned is None:
        said = f"The model '{job.alias}' is {job.status}, so there is nothing to go on from yet. Wait for job {job.id}."
        raise BadInput(said, param="model", code="model_not_ready")
    if job.backend in FROM_THE_START:
        said = f"'{job.alias}' was tuned on {job.backend}, which cannot go on from a tuned model."
        remedy = f"Tune '{job.base_model}' again, with all the rows."
        raise BadInput(f"{said} {remedy}", param="model", code="unsupported_parameter")
    found = None if checkpoint is None else _known(checkpoint, job.tuned.checkpoints, job)
    return PreTuned(model=job.tuned.model, checkpoint=found)


def _known(checkpoint: str, known: Iterable[Checkpoint], job: Job) -> str:
    """The checkpoint's id, given as such or as in the alias it is called by (``@cp-3``)."""
    ids = [point.id for point in known]
    found = next((id_ for id_ in ids if checkpoint in {id_, f"cp-{id_}"}), None)
    if found is None:
        offer = f"Use one of: {', '.join(ids)}." if ids else "It has none; leave '@…' out."
        said = f"The model '{job.alias}' has no checkpoint '{checkpoint[:SHOWN]}'. {offer}"
        raise BadInput(said, param="model", code="checkpoint_not_found")
    return found
