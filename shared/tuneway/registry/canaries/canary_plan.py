"""A canary: which target is tried on a route, how its share grows, and what it must not be worse in."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.errors import BadInput
from tuneway.registry.canaries.evidence import Mean
from tuneway.routing.names import place
from tuneway.routing.routes import Route, Target

WHOLE = 100.0
Share = Annotated[float, Meta(gt=0, le=WHOLE)]
REMEMBERED = 60


class State(StrEnum):
    """``paused`` grows no further, but is still guarded. ``yielded``: somebody else changed the route."""

    RUNNING = "running"
    PAUSED = "paused"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"
    YIELDED = "yielded"


OPEN = frozenset({State.RUNNING, State.PAUSED})


class Gates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much worse than the stable targets it may be; None is not looked at.

    ``error_rate`` is a difference of shares (0.01: one more in a hundred), ``p95_latency`` and ``cost`` are ratios
    (1.25: a quarter more), ``judge`` a difference of mean scores from 0 to 1, higher is better.
    """

    error_rate: Annotated[float, Meta(ge=0, lt=1)] | None = 0.0
    p95_latency: Annotated[float, Meta(ge=1, le=100)] | None = 1.25
    cost: Annotated[float, Meta(ge=1, le=100)] | None = 1.25
    judge: Annotated[float, Meta(ge=0, lt=1)] | None = None

    @property
    def count(self) -> int:
        """How many there are: each may err as often as its part of the level."""
        return sum(gate is not None for gate in (self.error_rate, self.p95_latency, self.cost, self.judge))


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The candidate's shares in percent, and what each step takes: its requests and minutes.

    A step that has not got them after ``max_minutes`` is the last: nobody knows whether the candidate is worse, and it
    is taken back. That time stands still while it is paused. ``confidence`` is that of all gates and looks together: so
    often is a candidate that is no worse let through.
    """

    steps: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=20)] = (1.0, 10.0, 50.0, 100.0)
    min_requests: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    min_minutes: Annotated[float, Meta(ge=0, le=10_080)] = 10.0
    max_minutes: Annotated[float, Meta(gt=0, le=525_600)] = 20_160.0
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    gates: Gates = Gates()


class Scores(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a judge gave so far; ``batches`` names what was sent last, so that nothing is taken twice."""

    candidate: Mean = Mean()
    stable: Mean = Mean()
    batches: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a gate found at a look: both figures, and the probability of the like from a candidate that is no worse.

    ``level`` is what that had to fall below; ``p_value`` is absent where there was too little to say.
    """

    gate: str
    candidate: float | None = None
    stable: float | None = None
    p_value: float | None = None
    level: float | None = None
    worse: bool = False
    why: str = ""


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of its history; the numbers of events are those of their moments."""

    number: int
    at: float
    what: str
    message: str
    share: float
    by: str = "tuneway"
    findings: tuple[Finding, ...] = ()


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a candidate on a route, whose targets were those of ``before``.

    ``looked`` is the candidate's requests at the last look in this step, ``looks`` how often was looked in all,
    ``told`` the last moment that is an event. It stays *open* until its end is told and what was counted for it gone.
    """

    id: str
    alias: str
    state: State
    plan: Plan
    candidate: Target
    before: tuple[Target, ...]
    step: int
    step_at: float
    created_at: float
    looks: int = 0
    looked: int = 0
    scores: Scores = Scores()
    moments: tuple[Moment, ...] = ()
    findings: tuple[Finding, ...] = ()
    told: int = 0
    open: bool = True

    @property
    def share(self) -> float:
        """The candidate's part of the calls now, in percent."""
        return _SHARES.get(self.state, self.plan.steps[self.step])

    @property
    def waits_since(self) -> float:
        """From when on its step may take ``max_minutes``: its beginning, or when it was resumed."""
        return max([self.step_at, *(moment.at for moment in self.moments if moment.what == "resumed")])

    @property
    def mark(self) -> str:
        """Under which this step's calls are counted."""
        return f"{self.id}.{self.step}"

    @property
    def tried(self) -> str:
        """The candidate, as the log names it."""
        return place(self.candidate)

    @property
    def stable(self) -> frozenset[str]:
        """The targets it is held against, as the log names them."""
        return frozenset(place(target) for target in rivals(self.before, self.candidate))


_SHARES = {State.PROMOTED: WHOLE, State.ROLLED_BACK: 0.0, State.ABORTED: 0.0}


def checked(plan: Plan) -> Plan:
    """The plan, with the whole at its end. Raises BadInput."""
    steps = plan.steps if plan.steps[-1] == WHOLE else (*plan.steps, WHOLE)
    if any(later <= earlier for earlier, later in pairwise(steps)):
        raise BadInput("Every step is a larger share than the one before.", param="steps", code="invalid_value")
    if plan.max_minutes < plan.min_minutes:
        said = f"A step lasts {plan.min_minutes:g} minutes at least ('min_minutes'). Give it as many, or more."
        raise BadInput(said, param="max_minutes", code="invalid_value")
    if plan.gates.count == 0:
        raise BadInput("Without a gate nothing would stop it. Give one.", param="gates", code="invalid_value")
    return msgspec.structs.replace(plan, steps=steps)


def targets_at(canary: Canary) -> tuple[Target, ...]:
    """The route's targets in this step: the candidate with its share, the stable ones with what is left of theirs.

    Promoted, the candidate stands in the place of the stable ones. Those that stood behind them stay.
    """
    stable = rivals(canary.before, canary.candidate)
    behind = [target for target in canary.before if target not in stable and not _same(target, canary.candidate)]
    order = min(target.order for target in stable)
    share = canary.plan.steps[canary.step]
    if share >= WHOLE:
        return (msgspec.structs.replace(canary.candidate, weight=1.0, order=order), *behind)
    whole = sum(target.weight for target in stable)
    rest = [msgspec.structs.replace(each, weight=each.weight / whole * (WHOLE - share)) for each in stable]
    return (*rest, msgspec.structs.replace(canary.candidate, weight=share, order=order), *behind)


def rivals(targets: Sequence[Target], candidate: Target) -> list[Target]:
    """The targets that are asked first, without the candidate."""
    others = [target for target in targets if target.weight > 0 and not _same(target, candidate)]
    first = min((target.order for target in others), default=0)
    return [target for target in others if target.order == first]


def is_as_left(route: Route, canary: Canary) -> bool:
    """Whether nobody has changed what the canary set."""
    return route.trial == canary.mark and route.targets == targets_at(canary)


def with_moment(canary: Canary, what: str, message: str, *, at: float, **more: object) -> Canary:
    """The canary with one line more in its history."""
    number = canary.moments[-1].number + 1 if canary.moments else 1
    moment = Moment(number=number, at=at, what=what, message=message, share=canary.share)
    after = (*canary.moments, msgspec.structs.replace(moment, **more))
    return msgspec.structs.replace(canary, moments=after[-REMEMBERED:])


def _same(one: Target, other: Target) -> bool:
    return place(one) == place(other)
