"""The leaderboard of a sweep: by validation loss, else honestly by less; pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from tuneway.tuning.jobs import Job, JobId
from tuneway.tuning.sweeps.results import succeeded
from tuneway.tuning.sweeps.sweep import Measure, Member, MemberState, Result, Sweep

MEASURES: tuple[Measure, ...] = ("validation_loss", "training_loss")
NO_LOSS = "no loss told"
SAID: dict[Measure, str] = {"validation_loss": "validation loss", "training_loss": "training loss"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line; ``rank`` is None for what cannot be compared. ``ranked_by`` says what the rank rests on."""

    member: Member
    status: str
    rank: int | None = None
    ranked_by: Measure | Literal["no loss told"] | None = None
    job: Job | None = None

    @property
    def result(self) -> Result | None:
        """What became of it."""
        return self.member.result


def leaderboard(sweep: Sweep, jobs: Mapping[str, Job]) -> list[Row]:
    """All members: ranked ones first, then those that succeeded without a loss, then what runs, waits or ended badly.

    A validation loss and a training loss are no match: those with a validation loss come first.
    """
    ranked: list[tuple[Member, Result, Measure]] = [
        (member, result, told)
        for told in MEASURES
        for member, result in _by(sweep, told)
        if told == _best_measure(result)
    ]
    rows = [
        Row(member=member, status=result.status, rank=rank, ranked_by=told, job=jobs.get(member.job))
        for rank, (member, result, told) in enumerate(ranked, 1)
    ]
    shown = {row.member.index for row in rows}
    rest = [_unranked(member, jobs) for member in sweep.members if member.index not in shown]
    return rows + sorted(rest, key=lambda row: (_place(row), row.member.index))


def measure(sweep: Sweep) -> Measure | None:
    """What the jobs of the sweep are compared by: the best that any of them told."""
    told = {_best_measure(result) for _, result in succeeded(sweep)}
    return next((each for each in MEASURES if each in told), None)


def winner(sweep: Sweep, *, by: Measure) -> JobId | None:
    """The job with the least loss of that kind; None when none told any."""
    return next((member.job for member, _ in _by(sweep, by)), None)


def value(result: Result, told: Measure) -> float | None:
    """The loss of that kind."""
    return result.validation_loss if told == "validation_loss" else result.training_loss


def notes(sweep: Sweep) -> list[str]:
    """What a reader of the ranks should know."""
    told = measure(sweep)
    good = [member for member, _ in succeeded(sweep)]
    said: list[str] = []
    if good and told is None:
        said.append(
            "No job told a loss: the provider gives none, so nothing can be ranked. Compare the models' answers."
        )
    if told == "training_loss":
        said.append("Ranked by training loss, for no validation loss was told: it favours jobs that learn by heart.")
    if told is not None and len({member.base_model for member in good}) > 1:
        said.append("Losses of different base models are counted in different tokens and compare only roughly.")
    if told == "validation_loss" and len({member.order.validation_file for member in good}) > 1:
        said.append("The jobs were validated on different files: their losses do not compare.")
    return said


def _by(sweep: Sweep, told: Measure) -> list[tuple[Member, Result]]:
    having = [(value(result, told), member, result) for member, result in succeeded(sweep)]
    known = [(loss, member, result) for loss, member, result in having if loss is not None]
    return [(member, result) for _, member, result in sorted(known, key=lambda each: (each[0], each[1].index))]


def _best_measure(result: Result) -> Measure | None:
    return next((each for each in MEASURES if value(result, each) is not None), None)


def _unranked(member: Member, jobs: Mapping[str, Job]) -> Row:
    job = jobs.get(member.job)
    status = member.result.status if member.result else str(member.state)
    if member.state is MemberState.STARTED and job is not None:
        status = str(job.status)
    without = NO_LOSS if member.result and member.result.status == "succeeded" else None
    return Row(member=member, status=status, ranked_by="no loss told" if without else None, job=job)


def _place(row: Row) -> int:
    order = ("succeeded", "started", "waiting", "failed", "cancelled", "skipped")
    word = row.status if row.member.result else str(row.member.state)
    return order.index(word)
