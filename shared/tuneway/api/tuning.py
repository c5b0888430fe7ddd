"""Fine-tuning jobs, by LiteLLM's names: on Vertex AI from this computer, or of a deployed tuneway."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from typing_extensions import Unpack

from tuneway.api import deployed_jobs
from tuneway.api.answers import CostEstimate, FineTuningJob, FineTuningJobs
from tuneway.api.errors import of_fault, refused
from tuneway.api.job_options import Asked, EstimateOptions, JobOptions, Way, Where, asked, is_direct
from tuneway.api.later import twin
from tuneway.errors import TunewayError

if TYPE_CHECKING:
    from tuneway.api.direct_jobs import Vertex

LONGEST_ID = 300


def create_fine_tuning_job(
    model: str,
    training_file: str,
    hyperparameters: Mapping[str, object] | None = None,
    **options: Unpack[JobOptions],
) -> FineTuningJob:
    """Begin to tune ``model``; see ``JobOptions`` for what it takes. Raises APIError.

    A file is a path on this computer, an object (``gs://``, ``s3://``, ``https://``), or the id of one that was
    uploaded to a deployed tuneway. On Vertex AI every row is checked here before anything is started, and the job's id
    is Google's name of it; a deployed tuneway answers at once and checks afterwards.
    """
    plain = {"model": model, "training_file": training_file, "hyperparameters": hyperparameters or None}
    question = asked({**plain, **_given(options)})
    if not is_direct(question.way, model):
        return deployed_jobs.create(question)
    with _on_vertex(question.way) as jobs:
        return jobs.create(question)


def get_fine_tuning_job(fine_tuning_job_id: str, **where: Unpack[Where]) -> FineTuningJob:
    """The job as it stands. Raises APIError."""
    way = _way(where, fine_tuning_job_id)
    if not is_direct(way, fine_tuning_job_id):
        return deployed_jobs.get(way, fine_tuning_job_id)
    with _on_vertex(way) as jobs:
        return jobs.get(fine_tuning_job_id)


def retrieve_fine_tuning_job(fine_tuning_job_id: str, **where: Unpack[Where]) -> FineTuningJob:
    """LiteLLM's name of ``get_fine_tuning_job``."""
    return get_fine_tuning_job(fine_tuning_job_id, **where)


def cancel_fine_tuning_job(fine_tuning_job_id: str, **where: Unpack[Where]) -> FineTuningJob:
    """End the job; one that has ended otherwise stays as it is on Vertex AI. Raises APIError."""
    way = _way(where, fine_tuning_job_id)
    if not is_direct(way, fine_tuning_job_id):
        return deployed_jobs.cancel(way, fine_tuning_job_id)
    with _on_vertex(way) as jobs:
        return jobs.cancel(fine_tuning_job_id)


def list_fine_tuning_jobs(after: str | None = None, limit: int | None = None, **where: Unpack[Where]) -> FineTuningJobs:
    """The newest jobs, on Vertex AI those of one location; ``after`` is the last id of the page before.

    Raises APIError.
    """
    way = _way(where, after)
    if not is_direct(way, after or ""):
        return deployed_jobs.page(way, after=after, limit=limit)
    with _on_vertex(way) as jobs:
        return jobs.page(after=after, limit=limit)


def estimate_fine_tuning_cost(
    model: str, training_file: str | None = None, **options: Unpack[EstimateOptions]
) -> CostEstimate:
    """What tuning ``model`` will cost, with the price's source and date; see ``EstimateOptions``. Raises APIError.

    Without ``base_url`` (or ``api_base``) it is worked out here: files of this computer are read and every row is
    checked, and nothing is sent anywhere. A deployed tuneway answers by its own prices and past jobs; of a file of this
    computer it is told the tokens alone.
    """
    question = asked({"model": model, "training_file": training_file, **_given(options)})
    with _told():
        from tuneway.api import direct_estimates

        nobody = question.way.base_url is None and question.way.api_base is None
        if nobody or is_direct(question.way, model):
            return direct_estimates.estimate(question.way, question.fields)
        fields = dict(question.fields)
        if deployed_jobs.is_here(training_file):
            counted = direct_estimates.tokens(question.way, str(fields.pop("training_file")))
            fields["tokens"] = {"low": counted.low, "high": counted.high}
        return deployed_jobs.estimate(question.way, fields)


acreate_fine_tuning_job = twin(create_fine_tuning_job)
aget_fine_tuning_job = twin(get_fine_tuning_job)
aretrieve_fine_tuning_job = twin(retrieve_fine_tuning_job)
acancel_fine_tuning_job = twin(cancel_fine_tuning_job)
alist_fine_tuning_jobs = twin(list_fine_tuning_jobs)
aestimate_fine_tuning_cost = twin(estimate_fine_tuning_cost)


@contextmanager
def _told() -> Generator[None]:
    """Whatever the core raises, as the errors that callers know."""
    try:
        yield
    except TunewayError as fault:
        raise of_fault(fault) from fault


@contextmanager
def _on_vertex(way: Way) -> "Generator[Vertex]":
    """The jobs there, imported by the first who asks: callers of a deployed tuneway need none of it."""
    with _told():
        from tuneway.api.direct_jobs import vertex

        with vertex(way) as jobs:
            yield jobs


def _way(where: Where, id_: str | None) -> Way:
    """Where to. Raises BadRequestError, also for what such a call does not take."""
    question: Asked = asked(_given(where))
    for name in question.fields:
        raise refused(f"This call takes no '{name}'. Leave it out.", param=name)
    if id_ is not None and len(id_) > LONGEST_ID:
        raise refused(f"A job's id has at most {LONGEST_ID} characters.", param="fine_tuning_job_id")
    return question.way


def _given(options: JobOptions | Where | EstimateOptions) -> Mapping[str, object]:
    return msgspec.convert(options, dict[str, object])
