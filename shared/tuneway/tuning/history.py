"""A job's history: its last events in the job's own document, so that a change is one write; earlier ones by pages."""

from collections.abc import Sequence

import msgspec

from tuneway.ports import Documents, Write
from tuneway.state import Collection
from tuneway.tuning.jobs import Job, JobEvent, JobId

# Events of one page, and the most that a job's document holds: some 12 KB.
KEPT = 64


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The events from number ``first`` to number ``last``, each a line of JSON."""

    first: int
    last: int
    told: str


class History:
    """The events of a job as it was read."""

    def __init__(self, documents: Documents, job: Job) -> None:
        self._pages = _pages(documents, job.id)
        self._recent = _events(job.recent)
        self._first = job.sequence - len(self._recent) + 1

    def later(self, than: int = 0) -> list[JobEvent]:
        """The events after that number, the first one first."""
        earlier: list[JobEvent] = []
        if than + 1 < self._first:
            for page in self._pages.find(("last", ">", than), order_by="last"):
                earlier += _events(page.value.told)
        # A page may be written between the reading of the job and this one.
        found = [each for each in earlier if each.sequence < self._first]
        return [each for each in (*found, *self._recent) if each.sequence > than]

    def newest(self, limit: int, *, before: int | None = None) -> list[JobEvent]:
        """So many events, the last one first: of those before that number."""
        end = self._first + len(self._recent) if before is None else before
        found = [each for each in reversed(self._recent) if each.sequence < end]
        missing, first = limit - len(found), min(end, self._first)
        if missing > 0 and first > 1:
            count = -(-missing // KEPT) + 1
            pages = self._pages.find(("first", "<", first), order_by="first", descending=True, limit=count)
            for page in pages:
                found += [each for each in reversed(_events(page.value.told)) if each.sequence < first]
        return found[:limit]


def with_events(documents: Documents, job: Job, happened: Sequence[JobEvent]) -> tuple[Job, list[Write]]:
    """The job with these events, of which the last has its number, and the pages that became full."""
    lines = [*filter(None, job.recent.split("\n")), *(msgspec.json.encode(each).decode() for each in happened)]
    first, pages = job.sequence - len(lines) + 1, list[Write]()
    while len(lines) > KEPT:
        page = Page(first=first, last=first + KEPT - 1, told="\n".join(lines[:KEPT]))
        pages.append(_pages(documents, job.id).create(f"{first:06d}", page))
        lines, first = lines[KEPT:], first + KEPT
    return msgspec.structs.replace(job, recent="\n".join(lines)), pages


def _pages(documents: Documents, job_id: JobId) -> Collection[Page]:
    return Collection(documents, f"jobs/{job_id}/events", Page)


def _events(lines: str) -> list[JobEvent]:
    return [msgspec.json.decode(line, type=JobEvent) for line in lines.split("\n") if line]
