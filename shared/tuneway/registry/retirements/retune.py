"""A re-tune: a version's dataset tuned once more on another base, compared, and tried where the old one answers."""

from enum import StrEnum

import msgspec

from tuneway.registry.canaries.canary_plan import Plan
from tuneway.registry.models.comparing import Row


class Status(StrEnum):
    """``stopped``: it ended without changing where anybody is led; its last moment says why."""

    TUNING = "tuning"
    REGISTERING = "registering"
    COMPARING = "comparing"
    CANARYING = "canarying"
    PROMOTED = "promoted"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({Status.TUNING, Status.REGISTERING, Status.COMPARING, Status.CANARYING})


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of its history; the numbers of events are those of their moments."""

    number: int
    at: float
    what: str
    message: str


class Retune(msgspec.Struct, frozen=True, kw_only=True):
    """One re-tune of ``version`` of ``model``. Times are Unix seconds.

    ``by`` asked for it, for everybody's routes if ``admin``; ``asked`` is a print of what was asked. ``job`` tunes on
    ``base_model``; ``new`` is the version that came of it, as ``model@number``, which answers as ``answers``. The
    canary is that on ``alias``, by ``plan``; None for no canary. ``told`` is the last moment that is an event. It stays
    *open* until its end is told.
    """

    id: str
    model: str
    version: str
    owner: str
    by: str
    asked: str
    old_base: str
    old_job: str
    base_model: str
    job: str
    created_at: float
    admin: bool = False
    plan: Plan | None = None
    hyperparameters: dict[str, object] = {}
    estimate: dict[str, object] = {}
    changes: tuple[str, ...] = ()
    status: Status = Status.TUNING
    new: str | None = None
    answers: str | None = None
    comparison: tuple[Row, ...] = ()
    alias: str | None = None
    canary: str | None = None
    left: tuple[str, ...] = ()
    cancel_asked: bool = False
    moments: tuple[Moment, ...] = ()
    told: int = 0
    open: bool = True

    @property
    def old(self) -> str:
        """The version that is tuned again, as ``model@number``."""
        return f"{self.model}@{self.version}"


class Turn(msgspec.Struct, frozen=True):
    """A model's last re-tune: there is one at a time."""

    retune: str


def with_moment(retune: Retune, what: str, message: str, *, at: float) -> Retune:
    """The re-tune with one line more in its history; the same line twice is one."""
    last = retune.moments[-1] if retune.moments else None
    if last is not None and (last.what, last.message) == (what, message):
        return retune
    moment = Moment(number=last.number + 1 if last else 1, at=at, what=what, message=message)
    return msgspec.structs.replace(retune, moments=(*retune.moments, moment))


def moved(retune: Retune, status: Status, message: str, *, at: float) -> Retune:
    """The re-tune in its next status, which its history tells."""
    return with_moment(msgspec.structs.replace(retune, status=status), str(status), message, at=at)
