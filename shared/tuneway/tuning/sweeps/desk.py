"""What callers ask of sweeps: create, list, retrieve, cancel, promote; each for one owner."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tuneway.errors import AlreadyExists, BadInput, TryLater
from tuneway.routing.snapshot import current
from tuneway.state import Stored
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.jobs import Job
from tuneway.tuning.orders import JobOrder, Subject, named_by
from tuneway.tuning.promotions import check_alias
from tuneway.tuning.sweeps.planning import halted
from tuneway.tuning.sweeps.store import Sweeps
from tuneway.tuning.sweeps.sweep import (
    ENDED,
    MOST_JOBS,
    PATIENCE,
    Halt,
    Member,
    MemberState,
    Promotion,
    StopRules,
    Sweep,
    SweepId,
    SweepStatus,
    member_job,
    moved,
)

MOST_BYTES = 900_000  # a document of Firestore has at most 1 MiB


class SweepOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a sweep, its jobs checked as far as their own words go."""

    jobs: tuple[JobOrder, ...]
    name: str | None = None
    concurrency: int | None = None
    max_cost_usd: float | None = None
    max_jobs: int | None = None
    stop: StopRules = StopRules()
    promotion: Promotion | None = None
    metadata: dict[str, str] | None = None
    idempotency_key: str | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep and those of its jobs that were read with it."""

    sweep: Sweep
    jobs: dict[str, Job]


class SweepDesk:
    """The use cases of ``/v1/fine_tuning/sweeps``. Where ``owner`` may be None, that asks for anybody's."""

    def __init__(self, sweeps: Sweeps, desk: JobDesk, *, new_id: Callable[[], str]) -> None:
        self._sweeps = sweeps
        self._desk = desk
        self._new_id = new_id

    def subject(self, model: str, *, owner: str) -> Subject:
        """What that name lets one tune. Raises BadInput."""
        return self._desk.subject(model, owner=owner)

    def create(self, order: SweepOrder, *, owner: str, key_limit: float | None = None) -> Seen:
        """Accept a sweep: state first, then the message that starts it; if that is lost, the tick sends it again.

        The same idempotency key brings back the same sweep, whatever has become of its files since.
        Raises BadInput, naming the field.
        """
        _check_count(order)
        bases = {each.model: self.subject(each.model, owner=owner).base for each in order.jobs}
        sweep = self._accepted(order, bases, owner=owner, key_limit=key_limit)
        if len(msgspec.json.encode(sweep)) > MOST_BYTES:
            said = f"The sweep is larger than {MOST_BYTES:,} bytes. Make several of it."
            raise BadInput(said, param="jobs", code="sweep_too_large")
        kept = self._earlier(order, sweep.id)
        if kept is None:
            self._check(order, bases.values(), owner=owner)
            kept = self._begun(sweep)
        if _asked_for(kept) != _asked_for(sweep):
            said = f"This Idempotency-Key was used for sweep {kept.id}, which is another. Send a new key."
            raise BadInput(said, code="idempotency_key_reused")
        if kept.open:
            self._sweeps.tell(kept.id)
        return Seen(sweep=kept, jobs={})

    def get(self, sweep_id: str, *, owner: str | None) -> Seen:
        """The sweep now, with its running and ended jobs. Raises NotFound."""
        sweep = self._sweeps.owned(sweep_id, owner).value
        return Seen(sweep=sweep, jobs=self._sweeps.jobs(sweep, MemberState.STARTED, MemberState.ENDED))

    def newest(self, *, owner: str, after: str | None, limit: int) -> list[Sweep]:
        """The owner's sweeps, newest first. Raises NotFound when ``after`` is gone."""
        if after is not None:
            self._sweeps.owned(after, owner)
        found = self._sweeps.kept.find(
            ("owner", "==", owner), order_by="created_at", descending=True, after=after, limit=limit
        )
        return [stored.value for stored in found]

    def cancel(self, sweep_id: str, *, owner: str | None) -> Seen:
        """Start nothing more and end what runs. Repeating the call changes nothing.

        Raises NotFound, and BadInput when the sweep has ended otherwise.
        """
        self._sweeps.owned(sweep_id, owner)
        self._sweeps.settled(sweep_id, self._cancelled)
        self._sweeps.tell(sweep_id)
        return self.get(sweep_id, owner=owner)

    def promote(self, sweep_id: str, *, job: str, alias: str, owner: str | None) -> Seen:
        """Have the model of one of its jobs answer under an alias, by a person's choice. Raises NotFound, BadInput."""
        stored = self._sweeps.owned(sweep_id, owner)
        self._check_alias(alias, stored.value.owner, param="alias")
        self._sweeps.settled(sweep_id, lambda now: _promoting(now, job, alias, at=self._sweeps.now()))
        self._sweeps.tell(sweep_id)
        return self.get(sweep_id, owner=owner)

    def _check(self, order: SweepOrder, bases: Iterable[BaseModel], *, owner: str) -> None:
        for base in bases:
            self._desk.check_base(base)
        if order.promotion is not None:
            self._check_alias(order.promotion.alias, owner, param="promote.alias")
        files = {(each.training_file, each.validation_file): each for each in order.jobs}
        for each in files.values():
            self._desk.check_files(each, owner=owner)

    def _check_alias(self, alias: str, owner: str, *, param: str) -> None:
        """A name that others answer under is not for the taking."""
        check_alias(alias, param=param)
        route = current(self._sweeps.documents).routes.get(alias)
        if route is not None and route.owner != owner:
            raise BadInput(f"The alias '{alias}' is in use. Choose another.", param=param, code="alias_in_use")

    def _accepted(
        self, order: SweepOrder, bases: Mapping[str, BaseModel], *, owner: str, key_limit: float | None
    ) -> Sweep:
        now, id_ = self._sweeps.now(), _sweep_id(order, owner, random=self._new_id())
        return Sweep(
            id=id_,
            owner=owner,
            created_at=now,
            deadline=now + PATIENCE,
            members=_members(order.jobs, bases, id_),
            name=order.name,
            concurrency=order.concurrency,
            max_cost_usd=order.max_cost_usd,
            max_jobs=order.max_jobs,
            key_limit=key_limit,
            stop=order.stop,
            promotion=order.promotion,
            metadata=order.metadata,
        )

    def _earlier(self, order: SweepOrder, id_: SweepId) -> Sweep | None:
        """What the same idempotency key has made before."""
        stored = self._sweeps.kept.known(id_) if order.idempotency_key is not None else None
        return stored.value if stored else None

    def _begun(self, sweep: Sweep) -> Sweep:
        try:
            self._sweeps.documents.commit(self._sweeps.kept.create(sweep.id, sweep))
        except AlreadyExists:
            return self._sweeps.kept.get(sweep.id).value
        except TryLater as fault:
            # The store's answer may have been lost after the write: a sweep that is there is accepted.
            if (kept := self._sweeps.kept.known(sweep.id)) is not None:
                return kept.value
            raise TryLater("The sweep could not be stored. Ask again.") from fault
        return sweep

    def _cancelled(self, stored: Stored[Sweep]) -> Sweep:
        sweep = stored.value
        if sweep.status in {SweepStatus.CANCELLING, SweepStatus.CANCELLED}:
            return sweep
        if sweep.status is not SweepStatus.RUNNING:
            said = f"The jobs of sweep {sweep.id} have ended; there is nothing to cancel."
            raise BadInput(said, code="sweep_ended")
        halt = Halt(rule="cancelled", message="The sweep was cancelled.")
        return moved(halted(sweep, halt), SweepStatus.CANCELLING, now=self._sweeps.now())


def _members(orders: Sequence[JobOrder], bases: Mapping[str, BaseModel], sweep: SweepId) -> tuple[Member, ...]:
    return tuple(
        Member(
            index=index,
            order=order,
            base_model=bases[order.model].name,
            backend=bases[order.model].backend,
            job=member_job(sweep, index),
        )
        for index, order in enumerate(orders)
    )


def _check_count(order: SweepOrder) -> None:
    most = order.max_jobs or MOST_JOBS
    if not order.jobs:
        raise BadInput("The sweep has no jobs. Give a grid, or jobs.", param="jobs", code="empty_sweep")
    if len(order.jobs) > min(most, MOST_JOBS):
        said = f"The sweep has {len(order.jobs)} jobs, more than {min(most, MOST_JOBS)}. Take some out."
        raise BadInput(said, param="jobs", code="sweep_too_large")


def _promoting(stored: Stored[Sweep], job: str, alias: str, *, at: float) -> Sweep:
    sweep, wish = stored.value, stored.value.promotion
    if wish is not None and (wish.alias, wish.job) == (alias, job) and wish.state in {"waiting", "asked", "done"}:
        return sweep
    if sweep.status not in ENDED:
        raise BadInput(f"Sweep {sweep.id} is {sweep.status}. Wait for its end.", code="sweep_not_ended")
    member = next((each for each in sweep.members if each.job == job), None)
    if member is None or member.result is None or member.result.status != "succeeded":
        said = f"'{job[:80]}' is no job of sweep {sweep.id} that succeeded. Take one of its leaderboard."
        raise BadInput(said, param="job", code="invalid_value")
    chosen = Promotion(alias=alias, state="waiting", job=member.job)
    opened = msgspec.structs.replace(sweep, promotion=chosen, open=True, deadline=at + PATIENCE)
    return moved(opened, SweepStatus.PROMOTING, now=at)


def _sweep_id(order: SweepOrder, owner: str, *, random: str) -> SweepId:
    if order.idempotency_key is None:
        return SweepId(f"ftsweep-{random}")
    return SweepId(f"ftsweep-{named_by(order.idempotency_key, owner)}")


def _asked_for(sweep: Sweep) -> tuple[object, ...]:
    """What the caller chose."""
    wish = sweep.promotion
    return (
        [member.order for member in sweep.members],
        (sweep.name, sweep.concurrency, sweep.max_cost_usd, sweep.max_jobs, sweep.stop, sweep.metadata),
        None if wish is None else wish.alias,
    )
