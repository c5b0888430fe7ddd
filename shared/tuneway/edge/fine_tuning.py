"""``/v1/fine_tuning/jobs`` in OpenAI's shapes."""

from collections.abc import Mapping, Sequence

import msgspec

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning.desk import JobDesk, JobOrder
from tuneway.tuning.jobs import Job, JobEvent, Status

PUBLIC: dict[Status, str] = {
    Status.REQUESTED: "validating_files",
    Status.VALIDATING: "validating_files",
    Status.SUBMITTING: "queued",
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.CANCELLING: "running",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
MOST_SUFFIX = 64
MOST_METADATA = 16
MOST_METADATA_KEY = 64
MOST_METADATA_VALUE = 512


class CreateJob(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a creation. Fields OpenAI knows and Vertex AI has no use for are here to be refused by name."""

    model: str
    training_file: str
    validation_file: str | None = None
    hyperparameters: object = None
    method: object = None
    suffix: str | None = None
    metadata: dict[str, str] | None = None
    seed: int | None = None
    integrations: list[object] | None = None


def rules(desk: JobDesk) -> list[Rule]:
    """The door's rules for jobs."""
    handlers = _Jobs(desk)
    jobs = "/v1/fine_tuning/jobs"
    return [
        Rule("POST", jobs, Scope.TUNE, handlers.create),
        Rule("GET", jobs, Scope.TUNE, handlers.list),
        Rule("GET", f"{jobs}/{{job_id}}", Scope.TUNE, handlers.retrieve),
        Rule("POST", f"{jobs}/{{job_id}}/cancel", Scope.TUNE, handlers.cancel),
        Rule("GET", f"{jobs}/{{job_id}}/events", Scope.TUNE, handlers.events),
    ]


class _Jobs:
    def __init__(self, desk: JobDesk) -> None:
        self._desk = desk

    def create(self, call: Call) -> Body:
        order = _order(decoded(call.body(), CreateJob), call.headers.get("idempotency-key"), self._desk)
        return rendered(self._desk.create(order, owner=call.grant.owner))

    def list(self, call: Call) -> Body:
        if any(name.startswith("metadata") for name in call.query):
            raise BadInput("Jobs cannot be filtered by metadata; leave it out.", param="metadata")
        limit = call.limit(default=20, most=100)
        found = self._desk.newest(owner=call.grant.owner, after=call.query.get("after"), limit=limit + 1)
        return page([rendered(job) for job in found], limit)

    def retrieve(self, call: Call) -> Body:
        return rendered(self._desk.get(call.path["job_id"], owner=call.grant.owner))

    def cancel(self, call: Call) -> Body:
        return rendered(self._desk.cancel(call.path["job_id"], owner=call.grant.owner))

    def events(self, call: Call) -> Body:
        limit = call.limit(default=20, most=100)
        found = self._desk.history(
            call.path["job_id"], owner=call.grant.owner, after=call.query.get("after"), limit=limit + 1
        )
        return page([rendered_event(happened) for happened in found], limit)


def page(rows: Sequence[dict[str, object]], limit: int) -> dict[str, object]:
    """OpenAI's list of at most ``limit`` rows, made from one row more; its document wants texts at both ends."""
    shown = rows[:limit]
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else ("", "")
    return {"object": "list", "data": shown, "has_more": len(rows) > limit, "first_id": first, "last_id": last}


def rendered(job: Job) -> dict[str, object]:
    """The job as OpenAI shows it; ``succeeded`` once the model answers, so that its name can be used at once."""
    answering = job.status is not Status.SUCCEEDED or job.fine_tuned_model is not None
    hyperparameters = msgspec.to_builtins(hyper.rendered(job.hyperparameters))
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "model": job.base_model,
        "created_at": int(job.created_at),
        "finished_at": int(job.finished_at) if job.finished_at and answering else None,
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": job.owner,
        "result_files": [],
        "status": PUBLIC[job.status] if answering else "running",
        "validation_file": job.validation_file,
        "training_file": job.training_file,
        "hyperparameters": hyperparameters,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "trained_tokens": job.trained_tokens if answering else None,
        "error": msgspec.to_builtins(job.error),
        "seed": 0,
        "estimated_finish": _estimated_finish(job),
        "integrations": [],
        "metadata": job.metadata,
        "tuneway": {
            "status": job.status,
            "estimate": msgspec.to_builtins(job.estimate),
            "dataset": msgspec.to_builtins(job.dataset),
            "validation_dataset": msgspec.to_builtins(job.validation_dataset),
            "progress": msgspec.to_builtins(job.progress),
            "provider_job": job.provider_job,
            "tuned": msgspec.to_builtins(job.tuned),
        },
    }


def rendered_event(happened: JobEvent) -> dict[str, object]:
    """The event as OpenAI shows it."""
    return {
        "object": "fine_tuning.job.event",
        "id": happened.id,
        "created_at": int(happened.created_at),
        "level": happened.level,
        "message": happened.message,
        "type": "message",
        "data": {"status": happened.status},
    }


def _order(body: CreateJob, idempotency_key: str | None, desk: JobDesk) -> JobOrder:
    if body.seed is not None:
        raise BadInput("Tuning on Vertex AI takes no seed; leave it out.", param="seed", code="unsupported_parameter")
    if body.integrations:
        raise BadInput("Integrations are not supported; leave them out.", param="integrations")
    if body.suffix is not None and not _is_suffix(body.suffix):
        raise BadInput(f"A suffix is 1 to {MOST_SUFFIX} letters, digits, '-', '_' or '.'.", param="suffix")
    _check_metadata(body.metadata or {})
    return JobOrder(
        model=body.model,
        training_file=body.training_file,
        validation_file=body.validation_file,
        hyperparameters=hyper.requested(body.hyperparameters, body.method, base=desk.base(body.model)),
        suffix=body.suffix,
        metadata=body.metadata,
        idempotency_key=idempotency_key,
    )


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > MOST_METADATA:
        raise BadInput(f"Metadata has at most {MOST_METADATA} entries.", param="metadata")
    for key, value in metadata.items():
        if len(key) > MOST_METADATA_KEY or len(value) > MOST_METADATA_VALUE:
            limits = f"{MOST_METADATA_KEY} characters, a value {MOST_METADATA_VALUE}"
            raise BadInput(f"A key of metadata has at most {limits}.", param=f"metadata.{key[:MOST_METADATA_KEY]}")


def _is_suffix(suffix: str) -> bool:
    return 0 < len(suffix) <= MOST_SUFFIX and suffix.isascii() and all(c.isalnum() or c in "-_." for c in suffix)


def _estimated_finish(job: Job) -> int | None:
    progress = job.progress
    if job.status is not Status.RUNNING or not job.started_at or progress is None:
        return None
    if not progress.steps_done or not progress.steps_total:
        return None
    return int(job.started_at + (progress.seen_at - job.started_at) * progress.steps_total / progress.steps_done)
