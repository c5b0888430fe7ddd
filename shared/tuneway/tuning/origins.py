"""Jobs and sweeps as the registry's lineage sees them (``ports.Origins``)."""

from collections.abc import Sequence

import msgspec

from tuneway.ports import Documents, Origin
from tuneway.state import Collection, fields_of
from tuneway.tuning.jobs import ENDED, Job
from tuneway.tuning.sweeps.sweep import Member, MemberState, Sweep

PREFIX = "vertex_ai/"


class JobOrigins:
    """Implements ``ports.Origins`` over the state."""

    def __init__(self, documents: Documents) -> None:
        self._jobs = Collection(documents, "jobs", Job)
        self._sweeps = Collection(documents, "sweeps", Sweep)

    def of(self, job: str) -> Origin | None:
        """The job, or None when it is unknown."""
        stored = self._jobs.known(job)
        if stored is None:
            return None
        found = stored.value
        return Origin(
            job=found.id,
            owner=found.owner,
            status=found.status,
            alias=found.alias,
            base_model=found.base_model,
            backend=found.backend,
            location=found.location,
            method=found.method,
            created_at=found.created_at,
            finished_at=found.finished_at,
            tuning_mode=found.tuning_mode,
            teacher=found.teacher,
            continues=found.continues,
            sweep=found.sweep,
            training_file=found.training_file,
            training_uri=found.training_uri,
            validation_file=found.validation_file,
            hyperparameters=_chosen(found),
            dataset=_plain(found.dataset),
            validation_dataset=_plain(found.validation_dataset),
            estimate=_plain(found.estimate),
            actual_cost=_plain(found.actual_cost),
            trained_tokens=found.trained_tokens,
            final_loss=found.final_loss,
            checkpoint_losses=found.checkpoint_losses,
            checkpoints=found.tuned.checkpoints if found.tuned else (),
            provider_job=found.provider_job,
        )

    def going_on_from(self, job: str) -> Sequence[str]:
        """The jobs that go on from the model of ``job`` and have not ended."""
        found = [each.value for each in self._jobs.find(("continues", "==", job))]
        return [each.id for each in found if each.status not in ENDED]

    def sweeps_with(self, job: str, *names: str) -> Sequence[str]:
        """The open sweeps that have ``job`` among their jobs, or are to tune a model of these names."""
        running = [each.value for each in self._sweeps.find(("open", "==", True))]
        return [sweep.id for sweep in running if any(_uses(member, job, names) for member in sweep.members)]


def _uses(member: Member, job: str, names: Sequence[str]) -> bool:
    if member.job == job:
        return True
    model = member.order.model.removeprefix(PREFIX)
    waiting = member.state is MemberState.WAITING
    return waiting and any(model == name or model.startswith(f"{name}@") for name in names)


def _chosen(job: Job) -> dict[str, object]:
    """What was chosen; the rest was left to the provider."""
    given = fields_of(job.hyperparameters)
    return {name: value for name, value in given.items() if value is not None}


def _plain(value: msgspec.Struct | None) -> dict[str, object] | None:
    return None if value is None else fields_of(value)
