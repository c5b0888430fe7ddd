"""What is asked of re-tunes: what one would be, started, looked at, cancelled."""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from tuneway.errors import BadInput, Conflict, TryLater
from tuneway.ports import Write
from tuneway.ports.retirements import Begin, RetuneQuote, Retuner, RetuneWish
from tuneway.registry.canaries.canary_plan import Plan, checked
from tuneway.registry.models.model_desk import Who
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.retirements.leading import leading
from tuneway.registry.retirements.radar import NO_JOB, newest
from tuneway.registry.retirements.retune import UNDER_WAY, Retune, Status, with_moment
from tuneway.registry.retirements.retune_book import UNDER_WAY_CODE, RetuneBook
from tuneway.registry.retirements.retune_steps import RetuneSteps
from tuneway.registry.shelves import Model, Version

ATTEMPTS = 20


class RetuneOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: ``version`` is a number or an alias, None the newest; no ``plan`` is no canary.

    ``key_limit`` is what the caller's key may spend on a job, ``idempotency_key`` the caller's own.
    """

    wish: RetuneWish = RetuneWish()
    version: str | None = None
    plan: Plan | None = Plan()
    key_limit: float | None = None
    idempotency_key: str | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What a re-tune would be; ``alias`` is the route that its canary would go on, by what leads there today."""

    model: str
    version: str
    old_base: str
    quote: RetuneQuote
    alias: str | None = None


class RetuneDesk:
    """The use cases of ``/v1/registry/models/{model}/retunes`` and ``/v1/registry/retunes``."""

    def __init__(self, steps: RetuneSteps, shelf: ModelShelf, retuner: Retuner, *, new_id: Callable[[], str]) -> None:
        self._steps = steps
        self._shelf = shelf
        self._retuner = retuner
        self._new_id = new_id

    @property
    def book(self) -> RetuneBook:
        """Where they are kept."""
        return self._steps.book

    def planned(self, model: str, order: RetuneOrder, *, who: Who) -> Planned:
        """What it would be; nothing is written. Raises NotFound, BadInput, TryLater."""
        kept, version = self._subject(model, order, who)
        _checked(order.plan)
        return Planned(
            model=kept.id,
            version=version.number,
            old_base=version.base_model or kept.base_model,
            quote=self._retuner.quote(version.job, order.wish),
            alias=next(iter(leading(self._shelf, kept, version, everybodys=who.owner is None, alone=True)), None),
        )

    def start(self, model: str, order: RetuneOrder, *, who: Who) -> Retune:
        """Begin it: the re-tune and its job in one commit. The same idempotency key brings back the same one.

        Raises NotFound, BadInput, TryLater; Conflict while the model's last one is under way.
        """
        id_, asked = self._id(order, who), _print(model, order)
        if (known := self.book.kept.known(id_)) is not None:
            return _same(known.value, asked)
        kept, version = self._subject(model, order, who)
        plain = Retune(
            id=id_,
            model=kept.id,
            version=version.number,
            owner=kept.owner,
            by=who.name,
            admin=who.owner is None,
            asked=asked,
            old_base=version.base_model or kept.base_model,
            old_job=version.job,
            base_model="",
            job="",
            plan=_checked(order.plan),
            created_at=self.book.now(),
        )
        self._begin(plain, order)
        self.book.tell_now(id_)
        return _same(self.book.kept.get(id_).value, asked)

    def cancel(self, id_: str, *, who: Who) -> Retune:
        """End it: its job is cancelled, its canary taken back. Repeating the call changes nothing.

        Raises NotFound, BadInput when it has ended otherwise, TryLater.
        """
        for _ in range(ATTEMPTS):
            stored = self.book.owned(id_, who.owner)
            if stored.value.status is Status.CANCELLED:
                return stored.value
            if stored.value.status not in UNDER_WAY:
                said = f"Re-tune {id_} has ended already ({stored.value.status}); it cannot be cancelled."
                raise BadInput(said, param="retune", code="retune_ended")
            try:
                asked = msgspec.structs.replace(stored.value, cancel_asked=True)
                self._steps.take_on(self.book.noted(stored, asked))
            except Conflict:
                continue
            return self.book.kept.get(id_).value
        raise TryLater(f"Re-tune {id_} keeps changing. Ask again.")

    def _begin(self, plain: Retune, order: RetuneOrder) -> None:
        def also(job: str, quote: RetuneQuote) -> Sequence[Write]:
            return self.book.first_writes(_begun(plain, job, quote))

        how = Begin(token=plain.id, also=also, key_limit=order.key_limit)
        try:
            self._retuner.begin(plain.old_job, order.wish, how)
        except Conflict as fault:
            if self.book.kept.known(plain.id) is not None:
                return  # the same request was sent twice, and the other one was first
            if fault.code == UNDER_WAY_CODE:
                raise
            said = f"A re-tune of '{plain.model}' was begun just now. Look at it: tuneway models retunes."
            raise Conflict(said, param="model", code=UNDER_WAY_CODE) from fault

    def _subject(self, model: str, order: RetuneOrder, who: Who) -> tuple[Model, Version]:
        """The model and the version that is tuned again. Raises NotFound, BadInput."""
        kept = self._shelf.owned(model, who.owner).value
        if kept.state == "archived":
            raise BadInput(f"Model '{kept.id}' is archived. Restore it first.", param="model", code="archived")
        if order.version is not None:
            version = self._shelf.version(kept, order.version).value
        elif (found := newest(self._shelf.all_versions(kept.id))) is None:
            raise BadInput(f"Model '{kept.id}' has no version yet.", param="version", code="version_not_found")
        else:
            version = _not_replaced(kept, found)
        if not version.job:
            raise BadInput(f"Version '{version.number}' of '{kept.id}': {NO_JOB}", param="version", code="no_job")
        return kept, version

    def _id(self, order: RetuneOrder, who: Who) -> str:
        if order.idempotency_key is None:
            return f"retune-{self._new_id()}"
        digest = hashlib.sha256(f"{who.name}\0{order.idempotency_key}".encode()).hexdigest()
        return f"retune-{digest[:24]}"


def _not_replaced(model: Model, version: Version) -> Version:
    """Raises BadInput: what was paid for once is not paid for again by an oversight."""
    if version.replaced_by is None:
        return version
    said = f"Version '{version.number}' of '{model.id}' has its successor, {version.replaced_by}."
    raise BadInput(f"{said} Name the version to tune it once more.", param="version", code="already_replaced")


def _begun(plain: Retune, job: str, quote: RetuneQuote) -> Retune:
    retune = msgspec.structs.replace(
        plain,
        job=job,
        base_model=quote.base_model,
        hyperparameters=quote.hyperparameters,
        estimate=quote.estimate,
        changes=quote.changes,
    )
    said = f"Job {job} tunes '{quote.base_model}' on the dataset of {retune.old}."
    return with_moment(retune, str(Status.TUNING), said, at=plain.created_at)


def _checked(plan: Plan | None) -> Plan | None:
    """Raises BadInput."""
    if plan is None:
        return None
    whole = checked(plan)
    if len(whole.steps) == 1:
        raise BadInput("A plan with one step of 100 % tries nothing. Send false for no canary.", param="canary")
    return whole


def _print(model: str, order: RetuneOrder) -> str:
    asked = [model, order.version, msgspec.to_builtins(order.wish), msgspec.to_builtins(order.plan)]
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def _same(known: Retune, asked: str) -> Retune:
    if known.asked != asked:
        said = f"This Idempotency-Key was used for re-tune {known.id}, which is another. Send a new key."
        raise BadInput(said, code="idempotency_key_reused")
    return known
