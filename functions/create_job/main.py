"""On ``job-requested``: lint, estimate and submit the job."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from tuneway.adapters import plugs
from tuneway.edge.events import job_ref
from tuneway.edge.telemetry.logs import configure
from tuneway.edge.telemetry.observed import observed_event
from tuneway.settings import from_env
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.submit import Submitter
from tuneway.tuning.validate import Datasets, Means

settings = from_env()
logs = configure(settings)
documents, catalogue = plugs.documents(settings), plugs.catalogue(settings)
submit = Submitter(
    Lifecycle(documents, plugs.events(settings), time.time),
    plugs.backends(settings),
    datasets=Datasets(
        documents,
        plugs.sources(settings),
        catalogue=catalogue,
        bucket=settings.bucket,
        now=time.time,
        means=Means(outputs=plugs.outputs(settings), tables=plugs.tables),
    ),
    catalogue=catalogue,
    lease=settings.submit_lease,
    outputs=plugs.outputs(settings),
)


@functions_framework.cloud_event
@observed_event(logs)
def create_job(event: CloudEvent) -> None:
    """Take the job as far as it goes; repeating the call changes nothing."""
    submit(job_ref(event))
