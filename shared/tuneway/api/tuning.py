"""Fine-tuning jobs of a deployed tuneway, by LiteLLM's names; and what one will cost, worked out here."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec
from typing_extensions import TypedDict, Unpack

from tuneway.adapters import plugs
from tuneway.api import deployed
from tuneway.api.answers import CostEstimate, FineTuningJob, FineTuningJobs, Record
from tuneway.api.errors import of_fault, refused
from tuneway.errors import TunewayError
from tuneway.settings import from_env
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning.cost import estimate
from tuneway.tuning.datasets.lint import lint

JOBS = "fine_tuning/jobs"
GCS = "gs://"


class Deployed(TypedDict, total=False):
    """Which tuneway: its address and a key for it, else ``TUNEWAY_URL`` and ``TUNEWAY_API_KEY``; seconds to wait."""

    base_url: str | None
    api_base: str | None
    api_key: str | None
    timeout: float | None
    custom_llm_provider: str | None


class JobOptions(Deployed, total=False):
    """What else a job may have; ``hyperparameters`` and ``method`` are OpenAI's objects."""

    validation_file: str | None
    hyperparameters: Mapping[str, object] | None
    method: Mapping[str, object] | None
    suffix: str | None
    metadata: Mapping[str, str] | None
    seed: int | None


def create_fine_tuning_job(model: str, training_file: str, **options: Unpack[JobOptions]) -> FineTuningJob:
    """Begin to tune ``model``; the job is answered at once. Raises APIError.

    A file is the id of one that was uploaded, a ``gs://`` URI, or a path on this computer, which is uploaded first.
    """
    fields = msgspec.convert(options, dict[str, object])
    there = _there(fields)
    files = {"training_file": training_file, "validation_file": options.get("validation_file")}
    fields |= {name: _file(there, value) for name, value in files.items() if value is not None}
    body = {name: value for name, value in fields.items() if value is not None and name not in _PLACES}
    return FineTuningJob.from_json(deployed.call(there, "POST", JOBS, body={"model": model, **body}))


def get_fine_tuning_job(fine_tuning_job_id: str, **where: Unpack[Deployed]) -> FineTuningJob:
    """The job as it stands. Raises APIError."""
    return _job("GET", fine_tuning_job_id, where)


def retrieve_fine_tuning_job(fine_tuning_job_id: str, **where: Unpack[Deployed]) -> FineTuningJob:
    """LiteLLM's name of ``get_fine_tuning_job``."""
    return get_fine_tuning_job(fine_tuning_job_id, **where)


def cancel_fine_tuning_job(fine_tuning_job_id: str, **where: Unpack[Deployed]) -> FineTuningJob:
    """End the job. Raises APIError."""
    return _job("POST", fine_tuning_job_id, where, action="/cancel")


def list_fine_tuning_jobs(
    *, after: str | None = None, limit: int | None = None, **where: Unpack[Deployed]
) -> FineTuningJobs:
    """The newest jobs; ``after`` is the last id of the page before. Raises APIError."""
    query = {"after": after, "limit": None if limit is None else str(limit)}
    given = {name: value for name, value in query.items() if value is not None}
    there = _there(msgspec.convert(where, dict[str, object]))
    return FineTuningJobs.from_json(deployed.call(there, "GET", JOBS, query=given))


def estimate_fine_tuning_cost(
    model: str,
    training_file: str,
    *,
    hyperparameters: Mapping[str, object] | None = None,
    method: Mapping[str, object] | None = None,
) -> CostEstimate:
    """What tuning ``model`` on the file (a path, or a ``gs://`` URI) will cost, with the price's source and date.

    Nothing is sent anywhere; every row of the file is checked. Raises APIError, BadRequestError for a file that could
    not be tuned on.
    """
    try:
        base = plugs.catalogue(from_env()).base(model, today=datetime.now(UTC).date())
        chosen = hyper.requested(hyperparameters, method, base=base)
        with _opened(training_file) as rows:
            report = lint(rows, limits=base.limits)
    except TunewayError as fault:
        raise of_fault(fault) from fault
    if not report.accepted:
        raise refused(report.summary, param="training_file")
    priced = msgspec.to_builtins(estimate(report, base, chosen))
    return CostEstimate({**msgspec.convert(priced, dict[str, object]), "dataset": msgspec.to_builtins(report)})


_PLACES = frozenset(Deployed.__annotations__)


def _job(method: str, id_: str, where: Deployed, *, action: str = "") -> FineTuningJob:
    there = _there(msgspec.convert(where, dict[str, object]))
    if not id_.replace("-", "").replace("_", "").isalnum():
        raise refused("A job's id is letters, digits and '-'.", param="fine_tuning_job_id")
    return FineTuningJob.from_json(deployed.call(there, method, f"{JOBS}/{id_}{action}"))


def _there(options: Mapping[str, object]) -> deployed.Tuneway:
    where = msgspec.convert({name: options[name] for name in _PLACES if name in options}, _Where)
    return deployed.located(where.base_url or where.api_base, where.api_key, where.timeout)


class _Where(msgspec.Struct, frozen=True, kw_only=True):
    base_url: str | None = None
    api_base: str | None = None
    api_key: str | None = None
    timeout: float | None = None


def _file(there: deployed.Tuneway, name: str) -> str:
    path = Path(name)
    if name.startswith(GCS) or not path.is_file():
        return name
    with path.open("rb") as content:
        return str(Record.from_json(deployed.upload(there, (path.name, content), purpose="fine-tune"))["id"])


def _opened(name: str) -> AbstractContextManager[IO[bytes]]:
    if name.startswith(GCS):
        return plugs.files(from_env()).read(name)
    try:
        return Path(name).open("rb")
    except OSError as exc:
        raise refused(f"The file cannot be read: {exc.strerror}.", param="training_file") from exc
