"""How many jobs a backend trains at once for this project, and how many places are free.

The defaults stand in ``quotas.json`` beside this file, each with its source; an installation says its own.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from tuneway.errors import BadInput
from tuneway.state import Collection
from tuneway.tuning.jobs import Job, Status

# A held job waits for a person, not for the provider: it takes no place there.
TAKING = (
    Status.REQUESTED,
    Status.VALIDATING,
    Status.SUBMITTING,
    Status.QUEUED,
    Status.RUNNING,
    Status.CANCELLING,
)
LEAST = 1


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The jobs that a backend trains at once for one project."""

    backend: str
    concurrent_jobs: int
    source: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: str
    quotas: tuple[Quota, ...]


class Quotas:
    """The quotas of an installation: ``own`` is its JSON object of figures by backend. Raises BadInput."""

    def __init__(self, own: str = "{}") -> None:
        known = {each.backend: each.concurrent_jobs for each in _defaults()}
        self._figures: dict[str, int] = {**known, **_own(own)}

    def of(self, backend: str) -> int:
        """How many jobs that backend trains at once."""
        return self._figures.get(backend, LEAST)

    def free(self, backend: str, jobs: Collection[Job]) -> int:
        """The places that no job of the whole installation takes."""
        quota, taken = self.of(backend), 0
        for status in TAKING:
            # Equalities alone, in no stated order: Firestore needs no index of our own for that.
            taken += len(jobs.find(("backend", "==", backend), ("status", "==", str(status)), limit=quota))
            if taken >= quota:
                return 0
        return quota - taken


@cache
def _defaults() -> tuple[Quota, ...]:
    body = files("tuneway.tuning.sweeps").joinpath("quotas.json").read_bytes()
    return msgspec.json.decode(body, type=_File).quotas


def _own(text: str) -> Mapping[str, int]:
    try:
        figures = msgspec.json.decode(text, type=dict[str, int])
    except msgspec.DecodeError as fault:
        raise _bad(f"is no object of numbers: {fault}") from fault
    if wrong := next((name for name, figure in figures.items() if figure < LEAST), None):
        raise _bad(f"says {figures[wrong]} for {wrong}")
    return figures


def _bad(fact: str) -> BadInput:
    said = f'The quota of tuning jobs {fact}. Write {{"vertex_ai": 2}}: whole numbers from 1.'
    return BadInput(said, param="TUNEWAY_TUNING_QUOTAS", code="invalid_setting")
