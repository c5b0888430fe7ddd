"""Told on ``tuning-events``: bases that retire (``tuneway.model.retiring``), and re-tunes (``tuneway.retune.…``)."""

from tuneway.ports import Message
from tuneway.registry.retirements.notices import Notice, said
from tuneway.registry.retirements.radar import Retiring
from tuneway.registry.retirements.retune import Moment, Retune
from tuneway.tuning.cloud_events import Event, announced


def retiring_event(notice: Notice, row: Retiring) -> Message:
    """The warning of a day that comes nearer; told again it is the same one."""
    event = Event(
        id=notice.id,
        type="model.retiring",
        source="/v1/registry/retirements",
        subject=row.id,
        time=notice.at,
        data={
            "kind": row.kind,
            "model": row.id,
            "owner": row.owner,
            "base_model": row.base_model,
            "retires_on": row.retires_on,
            "announced": row.announced,
            "days_left": row.days_left,
            "threshold": notice.threshold,
            "successor": row.successor,
            "routes": [each.route for each in row.routes],
            "replaced_by": row.replaced_by,
            "message": said(row),
        },
    )
    return announced(event, model=row.id, threshold=str(notice.threshold))


def retune_event(retune: Retune, moment: Moment) -> Message:
    """The event of a moment; told again it is the same one."""
    event = Event(
        id=f"{retune.id}-{moment.number}",
        type=f"retune.{moment.what}",
        source=f"/v1/registry/retunes/{retune.id}",
        subject=retune.id,
        time=moment.at,
        data={
            "retune": retune.id,
            "model": retune.model,
            "version": retune.version,
            "base_model": retune.base_model,
            "job_id": retune.job,
            "new": retune.new,
            "canary": retune.canary,
            "message": moment.message,
        },
    )
    return announced(event, retune=retune.id, model=retune.model)
