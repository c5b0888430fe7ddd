"""The port for training jobs, over any of Vertex AI's collections of jobs."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from tuneway.adapters.vertex_rest import VertexRest, mapped
from tuneway.errors import BadInput
from tuneway.ports import ProviderJob, ProviderState, TuningRequest

TOKEN_LABEL = "tuneway-job"  # noqa: S105 - the name of a label, not a secret
PAGE = "100"
UNFINISHED = frozenset({ProviderState.QUEUED, ProviderState.RUNNING})
ENDS = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
# Said by what it leaves out, so that a state that Google adds later is listed.
NOT_ENDED = " AND ".join(f'state!="JOB_STATE_{end}"' for end in ENDS)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """What tells whose a listed job is; a job that is somebody else's is read no further."""

    labels: dict[str, str] = {}
    create_time: datetime = LONG_AGO
    output_uri: str = ""


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    """One page of either collection."""

    tuning_jobs: list[msgspec.Raw] = []
    custom_jobs: list[msgspec.Raw] = []
    next_page_token: str = ""


class JobKind(msgspec.Struct, frozen=True, kw_only=True):
    """How one sort of job is written and read.

    ``takes`` picks its jobs out of a collection that holds several sorts. ``find_filter`` is asked of the server with
    the token in the place of ``{token}``; empty where it is documented nowhere which filters the server takes: a
    filter that hid the job would cost a second one.
    """

    to_body: Callable[[TuningRequest], Mapping[str, object]]
    from_json: Callable[[bytes], ProviderJob]
    takes: Callable[[Listed], bool]
    find_filter: str = ""
    unfinished_filter: str = NOT_ENDED


class VertexJobs:
    """``ports.TuningBackend`` for one kind of job."""

    def __init__(self, rest: VertexRest, kind: JobKind) -> None:
        self._rest = rest
        self._kind = kind
        self._refused: set[str] = set()

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        """The job started earlier with this token; the oldest, should there be several."""
        wanted = self._kind.find_filter.format(token=token)
        found = [each for each in self._listed(location, wanted) if each[0].labels[TOKEN_LABEL] == token]
        return self._read(min(found, key=lambda each: each[0].create_time)[1]) if found else None

    def create(self, request: TuningRequest) -> ProviderJob:
        """Start the job. After TryLater it may exist all the same."""
        body = self._kind.to_body(request)
        return self._read(self._rest.create(request.location, body))

    def get(self, name: str) -> ProviderJob:
        """The job now, with its progress. Raises NotFound."""
        return self._read(self._rest.get(name))

    def unfinished(self, location: str) -> Iterator[ProviderJob]:
        """The location's jobs of this kind that carry a token and have not ended, read page by page."""
        for _, body in self._listed(location, self._kind.unfinished_filter):
            job = self._read(body)
            if job.state in UNFINISHED:
                yield job

    def cancel(self, name: str) -> None:
        """Ask for the end; a job that has ended stays as it is."""
        self._rest.cancel(name)

    def _listed(self, location: str, wanted: str) -> Iterator[tuple[Listed, msgspec.Raw]]:
        """Our jobs of this kind, and perhaps some that the filter was to leave out."""
        for page in self._pages(location, wanted):
            for body in (*page.tuning_jobs, *page.custom_jobs):
                with mapped():
                    job = msgspec.json.decode(body, type=Listed)
                if TOKEN_LABEL in job.labels and self._kind.takes(job):
                    yield job, body

    def _pages(self, location: str, wanted: str) -> Iterator[_Page]:
        first = self._first_page(location, wanted)
        token = first.next_page_token
        yield first
        while token:
            page = self._page(location, wanted, token=token)
            token = page.next_page_token
            yield page

    def _first_page(self, location: str, wanted: str) -> _Page:
        try:
            return self._page(location, wanted)
        except BadInput:
            if not self._sent(wanted):
                raise
            # Which filters this server takes is learned once; what it refuses is asked for no more.
            self._refused.add(wanted)
            return self._page(location, wanted)

    def _page(self, location: str, wanted: str, *, token: str = "") -> _Page:
        query = {"pageSize": PAGE, "filter": self._sent(wanted), "pageToken": token}
        body = self._rest.page(location, query={name: value for name, value in query.items() if value})
        with mapped():
            return msgspec.json.decode(body, type=_Page)

    def _sent(self, wanted: str) -> str:
        return "" if wanted in self._refused else wanted

    def _read(self, body: bytes | msgspec.Raw) -> ProviderJob:
        with mapped():
            return self._kind.from_json(bytes(body))
