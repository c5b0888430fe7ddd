"""What happens to a canary, told on ``tuning-events``: ``tuneway.canary.started``, ``.rolled_back`` and the like."""

import msgspec

from tuneway.ports import Message
from tuneway.registry.canaries.canary_plan import Canary, Moment
from tuneway.tuning.cloud_events import Event, announced


def canary_event(canary: Canary, moment: Moment) -> Message:
    """The event of a moment; told again it is the same one."""
    event = Event(
        id=f"{canary.id}-{moment.number}",
        type=f"canary.{moment.what}",
        source=f"/v1/registry/routes/{canary.alias}/canary",
        subject=canary.id,
        time=moment.at,
        data={
            "canary": canary.id,
            "alias": canary.alias,
            "candidate": canary.tried,
            "share": moment.share,
            "message": moment.message,
            "by": moment.by,
            "findings": msgspec.to_builtins(moment.findings),
        },
    )
    return announced(event, alias=canary.alias)
