"""Tuning jobs of a deployed tuneway: OpenAI's JSON over HTTP; files of this computer are uploaded first."""

from collections.abc import Mapping
from pathlib import Path

from tuneway.api import deployed
from tuneway.api.answers import CostEstimate, FineTuningJob, FineTuningJobs, Record, read
from tuneway.api.errors import refused
from tuneway.api.job_options import Asked, Way

JOBS = "fine_tuning/jobs"
ESTIMATES = "fine_tuning/estimates"
FILES = ("training_file", "validation_file")


def create(asked: Asked) -> FineTuningJob:
    """The new job. Raises APIError."""
    there = _there(asked.way)
    body = {**asked.fields, **{name: _file(there, str(asked.fields[name])) for name in FILES if name in asked.fields}}
    return read(FineTuningJob, deployed.call(there, "POST", JOBS, body=body))


def get(way: Way, id_: str) -> FineTuningJob:
    """The job as it stands. Raises APIError."""
    return read(FineTuningJob, deployed.call(_there(way), "GET", f"{JOBS}/{_named(id_)}"))


def cancel(way: Way, id_: str) -> FineTuningJob:
    """The job that is being ended. Raises APIError."""
    return read(FineTuningJob, deployed.call(_there(way), "POST", f"{JOBS}/{_named(id_)}/cancel"))


def page(way: Way, *, after: str | None, limit: int | None) -> FineTuningJobs:
    """The newest jobs after one of them. Raises APIError."""
    query = {"after": after, "limit": None if limit is None else str(limit)}
    given = {name: value for name, value in query.items() if value is not None}
    return read(FineTuningJobs, deployed.call(_there(way), "GET", JOBS, query=given))


def estimate(way: Way, fields: Mapping[str, object]) -> CostEstimate:
    """What it costs by that tuneway's prices and past jobs. Raises APIError."""
    return read(CostEstimate, deployed.call(_there(way), "POST", ESTIMATES, body=fields))


def is_here(name: object) -> bool:
    """Whether the name of a file is a path on this computer."""
    return isinstance(name, str) and "://" not in name and Path(name).is_file()


def _there(way: Way) -> deployed.Tuneway:
    there = deployed.located(way.base_url or way.api_base, way.api_key, way.timeout)
    return deployed.marked(there, way.extra_headers)


def _named(id_: str) -> str:
    if not id_.replace("-", "").replace("_", "").isalnum():
        raise refused("A job's id is letters, digits and '-'.", param="fine_tuning_job_id")
    return id_


def _file(there: deployed.Tuneway, name: str) -> str:
    """Its id there; what is no file of this computer is named as it is."""
    if not is_here(name):
        return name
    path = Path(name)
    # The header that makes a job answer twice would make its two files one.
    plain = deployed.marked(there, [(key, value) for key, value in there.extra if key != "idempotency-key"])
    with path.open("rb") as content:
        return str(read(Record, deployed.upload(plain, (path.name, content), purpose="fine-tune"))["id"])
