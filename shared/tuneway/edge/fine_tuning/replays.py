"""``POST /v1/fine_tuning/jobs/{id}/replay``: the same job once more."""

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.fine_tuning.job_views import rendered
from tuneway.edge.fine_tuning.jobs import JOBS
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.replays import Replays


def rules(desk: JobDesk, inspector: Inspector) -> list[Rule]:
    """The door's rule; an admin may replay everybody's jobs, for their owners."""
    replays = Replays(desk, inspector)

    def replay(call: Call) -> Body:
        job = replays.start(
            call.path["job_id"],
            owner=call.grant.tenant,
            key_limit=call.grant.max_cost_usd,
            idempotency_key=call.headers.get("idempotency-key"),
        )
        return rendered(job)

    return [Rule("POST", f"{JOBS}/{{job_id}}/replay", Scope.TUNE, replay)]
