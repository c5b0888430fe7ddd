"""Tuning jobs on Amazon Bedrock: model customization jobs, by plain REST."""

from collections.abc import Iterator, Sequence

import msgspec

from tuneway.adapters.aws_addresses import host, region_of
from tuneway.adapters.aws_refusals import AwsRefused
from tuneway.adapters.bedrock_control import NAME_TAKEN, BedrockControl, decoded, segment
from tuneway.adapters.bedrock_job import PREFIX, Job, from_job, job_name, to_body, token_in
from tuneway.errors import BadInput, NotFound, TryLater
from tuneway.ports import ProviderJob, ProviderState, TuningRequest

JOBS = "/model-customization-jobs"
PAGE = 100
# A job only ever goes from the first to the second, so in this order none is missed.
UNFINISHED = ("InProgress", "Stopping")


class _Created(msgspec.Struct, frozen=True, rename="camel"):
    job_arn: str


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    model_customization_job_summaries: list[Job] = []
    next_token: str | None = None


class BedrockTuning:
    """``ports.TuningBackend`` in one AWS account; ``role`` is the ARN that Bedrock takes on to read and write in S3."""

    def __init__(self, control: BedrockControl, *, role: str | None) -> None:
        self._control = control
        self._role = role

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        """The job started earlier with this token: its name tells it, and no two jobs share a name."""
        job = self._named(token, location)
        return from_job(job) if job is not None and _is_of(job, token) else None

    def create(self, request: TuningRequest) -> ProviderJob:
        """Start the job; one that was started with this token before is given instead."""
        body = to_body(request, role=self._role)
        host("bedrock", request.location)
        try:
            answer = self._control.create(JOBS, body, region=request.location)
        except (BadInput, TryLater) as refusal:
            return self._taken(request, refusal)
        return ProviderJob(name=decoded(answer, _Created).job_arn, state=ProviderState.QUEUED, token=request.token)

    def get(self, name: str) -> ProviderJob:
        """The job now. Raises NotFound."""
        return from_job(self._job(name, region=region_of(name)))

    def unfinished(self, location: str, *, waiting: bool = True) -> Iterator[ProviderJob]:
        """The location's jobs that bear our names and have not ended; one that is stopped meanwhile may come twice.

        To Bedrock a job that waits is in progress like any other.
        """
        del waiting
        for status in UNFINISHED:
            for job in self._listed(status, location):
                if token_in(job.job_name) is not None:
                    yield from_job(job)

    def named(self, tokens: Sequence[str], *, location: str) -> None:
        """None: a listing of Bedrock's tells neither what a job made nor why it failed, and takes one name at most."""
        del tokens, location

    def cancel(self, name: str) -> None:
        """Ask for the end; a job that has ended, or is about to, stays as it is."""
        region = region_of(name)
        try:
            self._control.ask("POST", f"{JOBS}/{segment(name)}/stop", region=region)
        except (BadInput, TryLater):
            if self._job(name, region=region).status == "InProgress":
                raise

    def _taken(self, request: TuningRequest, refusal: BadInput | TryLater) -> ProviderJob:
        """The job whose name is taken because it is the very one: AWS knows a token again only for so long."""
        cause = refusal.__cause__
        job = None
        if isinstance(cause, AwsRefused) and cause.code in NAME_TAKEN:
            job = self._named(request.token, request.location)
        if job is None:
            raise refusal
        if not _is_of(job, request.token):
            raise BadInput(f"Bedrock has a job '{job.job_name}' that tuneway did not start. Create the job again.")
        return from_job(job)

    def _named(self, token: str, location: str) -> Job | None:
        try:
            return self._job(job_name(token), region=location)
        except NotFound:
            return None

    def _job(self, name: str, *, region: str) -> Job:
        return decoded(self._control.get(f"{JOBS}/{segment(name)}", region=region), Job)

    def _listed(self, status: str, location: str) -> Iterator[Job]:
        query = {"statusEquals": status, "nameContains": PREFIX, "maxResults": str(PAGE)}
        while True:
            page = decoded(self._control.get(JOBS, region=location, query=query), _Page)
            yield from page.model_customization_job_summaries
            if not page.next_token:
                return
            query = {**query, "nextToken": page.next_token}


def _is_of(job: Job, token: str) -> bool:
    """Whether the job was started with this token, as far as Bedrock tells it."""
    return job.client_request_token in {None, token}
