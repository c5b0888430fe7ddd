"""``/v1/fine_tuning/sweeps``: many tuning jobs as one object, with its leaderboard."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.fine_tuning.paging import going_on
from tuneway.edge.fine_tuning.sweep_orders import CreateSweep, PromoteJob, sweep_order
from tuneway.edge.lists import page
from tuneway.state import fields_of
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning import outlook
from tuneway.tuning.jobs import Job
from tuneway.tuning.orders import Subject
from tuneway.tuning.sweeps.budget import budget, reserved
from tuneway.tuning.sweeps.desk import Seen, SweepDesk
from tuneway.tuning.sweeps.leaderboard import Row, leaderboard, notes
from tuneway.tuning.sweeps.sweep import Sweep

PATH = "/v1/fine_tuning/sweeps"
OBJECT = "fine_tuning.sweep"


def rules(desk: SweepDesk) -> list[Rule]:
    """The door's rules for sweeps."""
    handlers = _Sweeps(desk)
    sweep = f"{PATH}/{{sweep_id}}"
    return [
        Rule("POST", PATH, Scope.TUNE, handlers.create),
        Rule("GET", PATH, Scope.TUNE, handlers.list),
        Rule("GET", sweep, Scope.TUNE, handlers.retrieve),
        Rule("POST", f"{sweep}/cancel", Scope.TUNE, handlers.cancel),
        Rule("POST", f"{sweep}/promote", Scope.TUNE, handlers.promote),
    ]


class _Sweeps:
    def __init__(self, desk: SweepDesk) -> None:
        self._desk = desk

    def create(self, call: Call) -> Body:
        owner = call.grant.owner

        def subject(model: str) -> Subject:
            return self._desk.subject(model, owner=owner)

        ordered = sweep_order(decoded(call.body(), CreateSweep), call.headers.get("idempotency-key"), subject=subject)
        return rendered(self._desk.create(ordered, owner=owner, key_limit=call.grant.max_cost_usd))

    def list(self, call: Call) -> Body:
        limit = call.limit(default=20, most=100)
        owner = call.grant.owner
        found = going_on(call, lambda after: self._desk.newest(owner=owner, after=after, limit=limit + 1))
        return page([_head(sweep) for sweep in found], limit)

    def retrieve(self, call: Call) -> Body:
        return rendered(self._desk.get(call.path["sweep_id"], owner=call.grant.tenant))

    def cancel(self, call: Call) -> Body:
        return rendered(self._desk.cancel(call.path["sweep_id"], owner=call.grant.tenant))

    def promote(self, call: Call) -> Body:
        body = decoded(call.body(), PromoteJob)
        owner = call.grant.tenant
        return rendered(self._desk.promote(call.path["sweep_id"], job=body.job, alias=body.alias, owner=owner))


def rendered(seen: Seen) -> dict[str, object]:
    """The sweep with its money, its leaderboard, and what a reader of it should know."""
    sweep, jobs = seen.sweep, seen.jobs
    return {
        **_head(sweep),
        "cost": _cost(sweep, jobs),
        "leaderboard": [_row(row) for row in leaderboard(sweep, jobs)],
        "notes": notes(sweep),
    }


def _head(sweep: Sweep) -> dict[str, object]:
    states = Counter(member.result.status if member.result else str(member.state) for member in sweep.members)
    words = ("waiting", "started", "succeeded", "failed", "cancelled", "skipped")
    return {
        "object": OBJECT,
        "id": sweep.id,
        "name": sweep.name,
        "organization_id": sweep.owner,
        "created_at": int(sweep.created_at),
        "finished_at": None if sweep.finished_at is None else int(sweep.finished_at),
        "status": sweep.status,
        "stopped_by": msgspec.to_builtins(sweep.halted),
        "jobs": {"total": len(sweep.members), **{word: states[word] for word in words}},
        "concurrency": sweep.concurrency,
        "max_cost_usd": sweep.max_cost_usd,
        "max_jobs": sweep.max_jobs,
        "stop": msgspec.to_builtins(sweep.stop),
        "winner": sweep.winner,
        "promote": msgspec.to_builtins(sweep.promotion),
        "metadata": sweep.metadata,
    }


def _cost(sweep: Sweep, jobs: Mapping[str, Job]) -> dict[str, object]:
    """``unknown_jobs`` cost what nobody can say, so that they are in no sum."""
    now = budget(sweep, jobs)
    return {
        "currency": "USD",
        "ceiling": now.ceiling,
        "spent": round(now.spent, 6),
        "reserved": round(now.reserved, 6),
        "room": None if now.room is None else round(now.room, 6),
        "unknown_jobs": now.unknown + now.unpriced,
    }


def _row(row: Row) -> dict[str, object]:
    member, result, job = row.member, row.result, row.job
    return {
        "rank": row.rank,
        "ranked_by": row.ranked_by,
        "index": member.index,
        "job": member.job if job is not None else None,
        "status": row.status,
        "model": member.base_model,
        "training_file": member.order.training_file,
        "validation_file": member.order.validation_file,
        "hyperparameters": _chosen(member.order.hyperparameters),
        "validation_loss": result.validation_loss if result else None,
        "training_loss": result.training_loss if result else None,
        "cost_usd": result.cost_usd if result else None,
        "cost_basis": result.cost_basis if result else None,
        "estimate_usd": None if job is None or result else reserved(job),
        "progress": 0.0 if job is None else outlook.share(job),
        "fine_tuned_model": job.fine_tuned_model if job else None,
        "error": msgspec.to_builtins(result.trouble) if result else None,
        "reason": member.reason,
    }


def _chosen(given: hyper.Hyperparameters) -> dict[str, object]:
    """Those that were chosen, by their request names."""
    shown = fields_of(hyper.rendered(given))
    return {name: value for name, value in shown.items() if value != hyper.AUTO}
