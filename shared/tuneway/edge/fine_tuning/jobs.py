"""``/v1/fine_tuning/jobs`` in OpenAI's shapes, and what a person says to a held job."""

import re
from collections.abc import Mapping

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.fine_tuning.job_orders import Approve, CreateJob, Refuse, order
from tuneway.edge.fine_tuning.job_views import rendered, rendered_checkpoint, rendered_event
from tuneway.edge.fine_tuning.paging import after_of, going_on
from tuneway.edge.lists import page
from tuneway.errors import BadInput
from tuneway.tuning.approvals import Approvals
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.orders import Subject

JOBS = "/v1/fine_tuning/jobs"
METADATA = re.compile(r"metadata\[(?P<key>.+)\]", re.DOTALL)
NO_METADATA = ("null", "")  # OpenAI's way to ask for jobs without any, and how a client writes None


def rules(desk: JobDesk, approvals: Approvals) -> list[Rule]:
    """The door's rules for jobs; whether a key may approve a job depends on the job, and is decided there."""
    handlers, decisions = _Jobs(desk), _Decisions(approvals)
    job = f"{JOBS}/{{job_id}}"
    return [
        Rule("POST", JOBS, Scope.TUNE, handlers.create),
        Rule("GET", JOBS, Scope.TUNE, handlers.list),
        Rule("GET", job, Scope.TUNE, handlers.retrieve),
        Rule("POST", f"{job}/cancel", Scope.TUNE, handlers.cancel),
        Rule("POST", f"{job}/pause", Scope.TUNE, handlers.pause),
        Rule("POST", f"{job}/resume", Scope.TUNE, handlers.resume),
        Rule("POST", f"{job}/approve", Scope.TUNE, decisions.approve),
        Rule("POST", f"{job}/refuse", Scope.TUNE, decisions.refuse),
        Rule("GET", f"{job}/events", Scope.TUNE, handlers.events),
        Rule("GET", f"{job}/checkpoints", Scope.TUNE, handlers.checkpoints),
    ]


class _Jobs:
    def __init__(self, desk: JobDesk) -> None:
        self._desk = desk

    def create(self, call: Call) -> Body:
        owner = call.grant.owner

        def subject(model: str) -> Subject:
            return self._desk.subject(model, owner=owner)

        ordered = order(decoded(call.body(), CreateJob), call.headers.get("idempotency-key"), subject=subject)
        return rendered(self._desk.create(ordered, owner=owner, key_limit=call.grant.max_cost_usd))

    def list(self, call: Call) -> Body:
        limit = call.limit(default=20, most=100)
        metadata, owner = _metadata(call.query), call.grant.owner
        found = going_on(
            call, lambda after: self._desk.newest(owner=owner, after=after, limit=limit + 1, metadata=metadata)
        )
        return page([rendered(job) for job in found], limit)

    def retrieve(self, call: Call) -> Body:
        return rendered(self._desk.get(call.path["job_id"], owner=call.grant.tenant))

    def cancel(self, call: Call) -> Body:
        return rendered(self._desk.cancel(call.path["job_id"], owner=call.grant.tenant))

    def pause(self, call: Call) -> Body:
        return self._impossible(call, "paused")

    def resume(self, call: Call) -> Body:
        return self._impossible(call, "resumed")

    def events(self, call: Call) -> Body:
        limit = call.limit(default=20, most=100)
        found = self._desk.history(call.path["job_id"], owner=call.grant.tenant, after=after_of(call), limit=limit + 1)
        return page([rendered_event(happened) for happened in found], limit)

    def checkpoints(self, call: Call) -> Body:
        limit = call.limit(default=10, most=100)
        job = self._desk.get(call.path["job_id"], owner=call.grant.tenant)
        found = self._desk.checkpoints(job.id, owner=call.grant.tenant, after=after_of(call), limit=limit + 1)
        return page([rendered_checkpoint(job, point) for point in found], limit)

    def _impossible(self, call: Call, done: str) -> Body:
        job = self._desk.get(call.path["job_id"], owner=call.grant.tenant)
        raise BadInput(
            f"A job on {job.backend} cannot be {done}: the provider has no such call. Cancel it, and go on from one of "
            f'its checkpoints with a new job ("model": "{job.alias}@…").',
            code="unsupported_operation",
        )


class _Decisions:
    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def approve(self, call: Call) -> Body:
        body = decoded(call.body() or b"{}", Approve)
        job = self._approvals.approve(call.path["job_id"], grant=call.grant, max_cost_usd=body.max_cost_usd)
        return rendered(job)

    def refuse(self, call: Call) -> Body:
        body = decoded(call.body() or b"{}", Refuse)
        return rendered(self._approvals.refuse(call.path["job_id"], grant=call.grant, reason=body.reason))


def _metadata(query: Mapping[str, str]) -> dict[str, str] | None:
    """The filter ``metadata[k]=v``; an empty one asks for jobs without metadata, None is no filter."""
    plain = query.get("metadata")
    if plain is not None and plain not in NO_METADATA:
        raise BadInput("Write the filter as metadata[key]=value, or metadata=null.", param="metadata")
    named = {match["key"]: value for name, value in query.items() if (match := METADATA.fullmatch(name))}
    return named or (None if plain is None else {})
