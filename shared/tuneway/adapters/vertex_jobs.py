"""The port for training jobs, over any of Vertex AI's collections of jobs."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from tuneway.adapters.vertex_rest import VertexRest, mapped
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import ProviderJob, ProviderState, TuningRequest

TOKEN_LABEL = "tuneway-job"  # noqa: S105 - the name of a label, not a secret
PAGE = "100"
UNFINISHED = frozenset({ProviderState.QUEUED, ProviderState.RUNNING})
ENDS = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
# Said by what it leaves out, so that a state that Google adds later is listed.
NOT_ENDED = " AND ".join(f'state!="JOB_STATE_{end}"' for end in ENDS)
NOT_WAITING = 'state!="JOB_STATE_QUEUED" AND state!="JOB_STATE_PENDING"'
# So many tokens make a URL of 4 KB; no page holds more than 100 jobs.
NAMES = 60
NAMED = f'labels.{TOKEN_LABEL}="{{token}}"'
NAME = re.compile(r"[a-z0-9_-]{1,63}")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """What tells whose a listed job is; a job that is somebody else's is read no further."""

    labels: dict[str, str] = {}
    create_time: datetime = LONG_AGO
    output_uri: str = ""


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """One page of either collection."""

    tuning_jobs: list[msgspec.Raw] = []
    custom_jobs: list[msgspec.Raw] = []
    next_page_token: str = ""

    @property
    def bodies(self) -> list[msgspec.Raw]:
        """The jobs on it."""
        return self.tuning_jobs + self.custom_jobs


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

    def unfinished(self, location: str, *, waiting: bool = True) -> Iterator[ProviderJob]:
        """The location's jobs of this kind that carry a token and have not ended, read page by page."""
        wanted = self._kind.unfinished_filter
        for _, body in self._listed(location, wanted if waiting else f"{wanted} AND {NOT_WAITING}"):
            job = self._read(body)
            if job.state in UNFINISHED:
                yield job

    def named(self, tokens: Sequence[str], *, location: str) -> list[ProviderJob] | None:
        """The jobs with these tokens, by a filter that one of two kinds of job documents; None when it does not hold.

        Whether it does is seen in what comes back, and what does not hold once is not asked for again.
        """
        found: list[ProviderJob] = []
        for first in range(0, len(tokens), NAMES):
            batch = self._batch(location, [token for token in tokens[first : first + NAMES] if NAME.fullmatch(token)])
            if batch is None:
                return None
            found += batch
        return found

    def cancel(self, name: str) -> None:
        """Ask for the end; a job that has ended stays as it is."""
        self._rest.cancel(name)

    def _batch(self, location: str, tokens: Sequence[str]) -> list[ProviderJob] | None:
        if NAMED in self._refused:
            return None
        try:
            page = (
                self._page(location, " OR ".join(NAMED.format(token=token) for token in tokens)) if tokens else Page()
            )
        except (BadInput, NotAllowed, NotFound):
            self._refused.add(NAMED)
            return None
        except TryLater:
            # A proxy may find the address too long; where it is the provider that is away, the next call shows it.
            return None
        jobs = [self._read(body) for body in page.bodies]
        # One that was not asked for shows a filter that is not heeded; too few, one that is not understood.
        if page.next_page_token or any(job.token not in tokens for job in jobs) or 2 * len(jobs) < len(tokens):
            self._refused.add(NAMED)
            return None
        return list(self._whole(page.bodies))

    def _whole(self, bodies: Iterable[msgspec.Raw]) -> Iterator[ProviderJob]:
        """The jobs with all that ``get`` tells of them; one whose rest cannot be told now is left out."""
        for body in bodies:
            yield self._read(body)

    def _listed(self, location: str, wanted: str) -> Iterator[tuple[Listed, msgspec.Raw]]:
        """Our jobs of this kind, and perhaps some that the filter was to leave out."""
        for page in self._pages(location, wanted):
            for body in page.bodies:
                with mapped():
                    job = msgspec.json.decode(body, type=Listed)
                if TOKEN_LABEL in job.labels and self._kind.takes(job):
                    yield job, body

    def _pages(self, location: str, wanted: str) -> Iterator[Page]:
        first = self._first_page(location, wanted)
        token = first.next_page_token
        yield first
        while token:
            page = self._page(location, wanted, token=token)
            token = page.next_page_token
            yield page

    def _first_page(self, location: str, wanted: str) -> Page:
        try:
            return self._page(location, wanted)
        except BadInput:
            if not self._sent(wanted):
                raise
            # Which filters this server takes is learned once; what it refuses is asked for no more.
            self._refused.add(wanted)
            return self._page(location, wanted)

    def _page(self, location: str, wanted: str, *, token: str = "") -> Page:
        query = {"pageSize": PAGE, "filter": self._sent(wanted), "pageToken": token}
        body = self._rest.page(location, query={name: value for name, value in query.items() if value})
        with mapped():
            return msgspec.json.decode(body, type=Page)

    def _sent(self, wanted: str) -> str:
        return "" if wanted in self._refused else wanted

    def _read(self, body: bytes | msgspec.Raw) -> ProviderJob:
        with mapped():
            return self._kind.from_json(bytes(body))
