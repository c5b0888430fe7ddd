"""How models are tuned again: tuning's own desk over the plugs, for the registry's door."""

import secrets
import time

from tuneway.adapters import plugs
from tuneway.ports import Documents, Events
from tuneway.ports.retirements import Retuner
from tuneway.settings import Settings
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.files import FileRecords
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.retuning import JobRetuner


def retuner(settings: Settings, documents: Documents, events: Events) -> Retuner:
    """Jobs made again on another base; their files are read, never written."""
    catalogue = plugs.catalogue(settings)
    records = FileRecords(documents, bucket=settings.bucket, copies=plugs.outputs(settings).get("bedrock"))
    desk = JobDesk(
        Lifecycle(documents, events, time.time),
        records,
        catalogue=catalogue,
        installation=plugs.installation(settings),
        new_id=lambda: secrets.token_hex(12),
    )
    inspector = Inspector(records, plugs.sources(settings), catalogue=catalogue, now=time.time)
    return JobRetuner(desk, inspector, catalogue=catalogue, now=time.time)
