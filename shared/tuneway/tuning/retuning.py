"""Make a job again on another base: what it would cost, its start, and how it goes on (``ports.Retuner``)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

import msgspec

from tuneway.errors import BadInput, NotFound
from tuneway.ports.retirements import Begin, JobStanding, RetuneQuote, RetuneWish
from tuneway.state import fields_of
from tuneway.tuning.adapting import Adapted, adapted
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.cancelling import cancelled
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.cost import Estimate, estimate
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.heirs import heirs
from tuneway.tuning.hyperparameters import FIELDS, Hyperparameters, mode_of, rendered, requested
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.jobs import ENDED, Job, Status
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.orders import JobOrder
from tuneway.tuning.replays import check_files, order_of

_RATES = {"learning_rate": "learning_rate_multiplier", "learning_rate_multiplier": "learning_rate"}


class JobRetuner:
    """Implements ``ports.Retuner`` over the desk."""

    def __init__(self, desk: JobDesk, inspector: Inspector, *, catalogue: Catalogue, now: Callable[[], float]) -> None:
        self._desk = desk
        self._inspector = inspector
        self._catalogue = catalogue
        self._now = now

    def quote(self, job: str, wish: RetuneWish) -> RetuneQuote:
        """What the new job would be. Raises BadInput when there can be none; the files are looked for, not read."""
        old = self._old(job)
        anew = self._anew(old, wish)
        self._desk.check_base(anew.base)
        self._desk.check_files(_order(old, anew, wish), owner=old.owner)
        for field, name in (("training_file", old.training_file), ("validation_file", old.validation_file)):
            if name is not None:
                self._inspector.check_there(name, field=field, owner=old.owner)
        return _quoted(old, anew, today=self._today())

    def begin(self, job: str, wish: RetuneWish, how: Begin) -> str:
        """The new job's id; the same token never makes a second one. Raises BadInput, Conflict, TryLater."""
        old = self._old(job)
        anew = self._anew(old, wish)
        check_files(old, self._inspector)
        quoted = _quoted(old, anew, today=self._today())
        order = msgspec.structs.replace(_order(old, anew, wish), idempotency_key=how.token)
        made = self._desk.create(
            order, owner=old.owner, key_limit=how.key_limit, also=lambda new: how.also(new.id, quoted)
        )
        return made.id

    def _old(self, job: str) -> Job:
        try:
            return self._desk.get(job, owner=None)
        except NotFound as gone:
            said = f"Job {job}, which made it, is not kept any more: nobody knows how it was tuned. Create a new job."
            raise BadInput(said, param="version", code="job_not_found") from gone

    def _anew(self, old: Job, wish: RetuneWish) -> Adapted:
        """The base to tune on, and what with. Raises BadInput."""
        base = self._base(old, wish)
        if old.dataset is None:
            said = f"Job {old.id} never came to read its dataset, so nobody knows what it holds. Create a new job."
            raise BadInput(said, param="version", code="replay_without_report")
        if old.method not in base.methods:
            takes = ", ".join(base.methods)
            said = f"'{base.name}' cannot be tuned by '{old.method}', as job {old.id} was; it takes {takes}. Name"
            raise BadInput(f"{said} another base_model.", param="base_model", code="unsupported_method")
        anew = adapted(old, base)
        return anew if wish.hyperparameters is None else _wished(anew, wish.hyperparameters, old)

    def _base(self, old: Job, wish: RetuneWish) -> BaseModel:
        if wish.base_model is not None:
            return self._tunable(wish.base_model, old)
        before = self._catalogue.named(old.base_model, today=self._today())
        chain = heirs(self._catalogue, before, today=self._today())
        if not chain:
            said = f"The catalogue names no successor of '{before.name}'. Name a base_model to tune on."
            raise BadInput(said, param="base_model", code="no_successor")
        return self._tunable(chain[-1].name, old)

    def _tunable(self, name: str, old: Job) -> BaseModel:
        try:
            return self._desk.base(name, owner=old.owner)
        except BadInput as fault:
            raise BadInput(fault.message, param="base_model", code=fault.code) from fault

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()


class FollowedJobs:
    """Implements ``ports.Following`` over the lifecycle."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def of(self, job: str) -> JobStanding | None:
        """How it stands; None when it is unknown."""
        stored = self._lifecycle.jobs.known(job)
        if stored is None:
            return None
        found = stored.value
        failed = found.status in {Status.FAILED, Status.CANCELLED}
        answers = found.status is Status.SUCCEEDED and found.fine_tuned_model is not None
        return JobStanding(
            job=found.id,
            status=str(found.status),
            alias=found.fine_tuned_model or found.alias,
            over=failed or answers or (found.status in ENDED and not found.open),
            answers=answers,
            error=found.error.message if found.error else None,
        )

    def cancel(self, job: str) -> None:
        """End it, if it has not ended. Repeating the call changes nothing. Raises TryLater."""
        with suppress(BadInput, NotFound):  # it has ended otherwise, or is gone
            cancelled(self._lifecycle, job)


def _wished(anew: Adapted, wished: dict[str, object], old: Job) -> Adapted:
    """What the caller says goes over what the old job had. Raises BadInput."""
    asked = requested(wished, {"type": str(old.method)}, base=anew.base)
    named = {FIELDS[name]: getattr(asked, FIELDS[name]) for name in wished}
    # Each of the two sets the learning rate: whoever gives one means it alone.
    other = next((_RATES[name] for name, value in named.items() if name in _RATES and value is not None), None)
    chosen = msgspec.structs.replace(anew.hyperparameters, **(named if other is None else {other: None, **named}))
    mode_of(anew.tuning_mode, base=anew.base, chosen=chosen)
    kept = tuple(said for said in anew.changes if said.partition(":")[0] not in named)
    before = msgspec.structs.asdict(old.hyperparameters)
    more = [
        f"{name}: {_shown(before[name])} → {_shown(value)} (as asked for)"
        for name, value in named.items()
        if value != before[name]
    ]
    return msgspec.structs.replace(anew, hyperparameters=chosen, changes=(*kept, *more))


def _shown(value: float | None) -> str:
    return "auto" if value is None else f"{value:g}"


def _order(old: Job, anew: Adapted, wish: RetuneWish) -> JobOrder:
    order = msgspec.structs.replace(
        order_of(old, model=anew.base.name), hyperparameters=anew.hyperparameters, tuning_mode=anew.tuning_mode
    )
    return order if wish.max_cost_usd is None else msgspec.structs.replace(order, max_cost_usd=wish.max_cost_usd)


def _quoted(old: Job, anew: Adapted, *, today: date) -> RetuneQuote:
    """The price is tuning's own estimate, of the tokens that were counted when the old job was accepted."""
    return RetuneQuote(
        base_model=anew.base.name,
        hyperparameters=_chosen(anew.hyperparameters),
        estimate=fields_of(_estimate(old, anew, today=today)),
        training_file=old.training_file,
        validation_file=old.validation_file,
        method=str(old.method),
        changes=(f"base_model: {old.base_model} → {anew.base.name}", *anew.changes, *_left_behind(old)),
    )


def _estimate(old: Job, anew: Adapted, *, today: date) -> Estimate:
    if old.dataset is None:
        raise AssertionError
    priced = estimate(old.dataset, anew.base, anew.hyperparameters)
    return msgspec.structs.replace(priced, notes=(*priced.notes, *anew.base.warnings(today)))


def _left_behind(old: Job) -> tuple[str, ...]:
    if old.continues is None:
        return ()
    return (f"continues: {old.continues} → nothing (a model goes on on its own base alone: its rows are not learned)",)


def _chosen(hyperparameters: Hyperparameters) -> dict[str, object]:
    return fields_of(rendered(hyperparameters))
