"""An order for a tuning job: what the caller chose, the job it becomes, and what the provider is asked then."""

import hashlib
import re
from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Method, PreTuned, TuningRequest
from tuneway.tuning.allowance import Allowance
from tuneway.tuning.bases import BaseModel, TuningMode
from tuneway.tuning.cost import estimate
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import PATIENCE, Job, JobId, Status

MOST_ALIAS = 128
NO_ALIAS = re.compile(r"[^A-Za-z0-9._@-]")
PLACES = "gs://bucket/path, s3://bucket/path or https://host/path"
URIS = {
    "gs": re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/[^\0\r\n]{1,1024}"),
    "s3": re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\0\r\n]{1,1024}"),
    # No user or password before the host: what names a file is kept and shown.
    "https": re.compile(r"https://[^\s/?#@\\]{1,255}(?:[/?][^\s#]{0,2048})?"),
}


class JobOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a tuning job, checked as far as its own words go; ``max_cost_usd`` is the caller's own limit.

    ``on_beat`` leaves the first message to the tick.
    """

    model: str
    training_file: str
    hyperparameters: Hyperparameters
    method: Method = Method.SUPERVISED
    tuning_mode: TuningMode | None = None
    teacher: str | None = None
    validation_file: str | None = None
    columns: Columns | None = None
    suffix: str | None = None
    metadata: dict[str, str] | None = None
    max_cost_usd: float | None = None
    on_beat: bool = False
    idempotency_key: str | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is tuned: a base model, or on from what an earlier job made of it (``parent`` is that job)."""

    base: BaseModel
    pre_tuned: PreTuned | None = None
    parent: Job | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation adds to an order: whose it is, what it may cost, where it prefers to train, and the time."""

    owner: str
    allowance: Allowance
    location: str
    now: float


def job_id(order: JobOrder, owner: str, *, random: str) -> JobId:
    """The id of the job: one for each idempotency key of an owner, else a random one."""
    if order.idempotency_key is None:
        return JobId(f"ftjob-{random}")
    return JobId(f"ftjob-{named_by(order.idempotency_key, owner)}")


def named_by(idempotency_key: str, owner: str) -> str:
    """The part of an id that one key of one owner gives, and no other. Raises BadInput: it is empty."""
    if not idempotency_key.strip():
        said = (
            "The header Idempotency-Key is empty, so that all requests would be one. Give it a value, or leave it out."
        )
        raise BadInput(said, code="idempotency_key_empty")
    return hashlib.sha256(f"{owner}\0{idempotency_key}".encode()).hexdigest()[:24]


def check_uri(name: str, *, field: str, keeps: Callable[[str], bool]) -> bool:
    """Whether ``name`` is a URI, of an object that callers may name so: no tenant's own. Raises BadInput."""
    scheme, found, _ = name.partition("://")
    if not found:
        return False
    if keeps(name):
        raise BadInput(f"'{name}' is a file of tuneway's own. Name it by its id, file-….", param=field)
    if scheme not in URIS or not URIS[scheme].fullmatch(name):
        raise BadInput(f"'{name[:200]}' names no file: write {PLACES}.", param=field)
    return True


def accepted(order: JobOrder, subject: Subject, *, id_: JobId, terms: Terms) -> Job:
    """The job that the order becomes."""
    base, owner, now = subject.base, terms.owner, terms.now
    return Job(
        id=id_,
        owner=owner,
        base_model=base.name,
        location=subject.parent.location if subject.parent else _location(base, terms.location),
        alias=_alias(base.short, owner, suffix=order.suffix or "", end=id_[-8:]),
        backend=base.backend,
        method=order.method,
        tuning_mode=order.tuning_mode,
        teacher=order.teacher,
        pre_tuned=subject.pre_tuned,
        continues=subject.parent.id if subject.parent else None,
        allowance=terms.allowance,
        training_file=order.training_file,
        validation_file=order.validation_file,
        columns=order.columns,
        hyperparameters=order.hyperparameters,
        suffix=order.suffix,
        metadata=order.metadata,
        created_at=now,
        moved_at=now,
        deadline=now if order.on_beat else now + PATIENCE[Status.REQUESTED],
    )


def asked_for(job: Job) -> tuple[object, ...]:
    """What the caller chose."""
    return (
        job.base_model,
        job.pre_tuned,
        job.method,
        job.tuning_mode,
        job.teacher,
        job.training_file,
        job.validation_file,
        job.columns,
        job.hyperparameters,
        job.suffix,
        job.metadata,
        job.allowance.caller,
    )


def repriced(job: Job, base: BaseModel) -> Job:
    """The job with its estimate at the prices of today; one without a dataset has none."""
    if job.dataset is None:
        return job
    return msgspec.structs.replace(job, estimate=estimate(job.dataset, base, job.hyperparameters))


def to_request(job: Job, base: BaseModel, *, place: str | None) -> TuningRequest:
    """The provider's job; ``place`` is where a backend puts what it makes, such as ``gs://bucket``."""
    request = TuningRequest(
        token=job.id,
        location=job.location,
        base_model=base.name,
        training_uri=job.training_uri or job.training_file,
        validation_uri=job.validation_uri,
        display_name=job.alias,
        method=job.method,
        tuning_mode=job.tuning_mode,
        container=base.container,
        output_uri=f"{place}/jobs/{job.id}/output" if place else None,
        pre_tuned=job.pre_tuned,
        teacher=job.teacher,
    )
    # A hyperparameter has one name in the whole house.
    return msgspec.structs.replace(request, **msgspec.structs.asdict(job.hyperparameters))


def _alias(base: str, owner: str, *, suffix: str, end: str) -> str:
    """OpenAI's ``ft:{base}:{owner}:{suffix}:{end}``, of letters and of a length that every name of a model may have."""
    room = MOST_ALIAS - len(f"ft:{base}::{suffix}:{end}")
    return f"ft:{base}:{NO_ALIAS.sub('-', owner)[:room]}:{suffix}:{end}"


def _location(base: BaseModel, preferred: str) -> str:
    """The installation's own location where the base can be tuned there, else the base's first one."""
    locations = base.tuning_locations
    return preferred if preferred in locations or not locations else locations[0]
