"""Take re-tunes on, a step at a time: tuned, registered, compared, tried, promoted; or stopped, and why.

Every step is a guarded write, and what it does elsewhere is there once however often it is done: the job and the
canary have ids made from the re-tune's own, and to register twice is to register once.
"""

import logging

import msgspec

from tuneway.errors import BadInput, Conflict, NotFound, TunewayError
from tuneway.ports import Origins, Outcomes
from tuneway.ports.retirements import Fates, Following
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.models.comparing import compared
from tuneway.registry.models.lineage import Lineages
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.retirements.leading import leading, shortened
from tuneway.registry.retirements.losses import SHOWN, Judgement, judged
from tuneway.registry.retirements.radar import day_of
from tuneway.registry.retirements.retune import UNDER_WAY, Retune, Status, moved, with_moment
from tuneway.registry.retirements.retune_book import RetuneBook
from tuneway.registry.retirements.successors import Successors
from tuneway.registry.retirements.trial import Trial
from tuneway.state import Stored

STEPS = 8
HELD = "held"

log = logging.getLogger(__name__)


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What re-tunes are taken on with."""

    shelf: ModelShelf
    canaries: Canaries
    following: Following
    outcomes: Outcomes
    origins: Origins
    fates: Fates


class RetuneSteps:
    """The tick's part; repeating it changes nothing."""

    def __init__(self, book: RetuneBook, means: Means) -> None:
        self.book = book
        self._means = means
        self._lineages = Lineages(means.shelf, means.origins)
        self._successors = Successors(means.shelf, means.outcomes)
        self._trial = Trial(means.canaries)
        self._table = {
            Status.TUNING: self._tuning,
            Status.REGISTERING: self._registering,
            Status.COMPARING: self._comparing,
            Status.CANARYING: self._canarying,
        }

    def tick(self) -> int:
        """Take every open one as far as it goes now; how many there are.

        One that cannot go on now waits for the next tick, and holds up no other.
        """
        found = self.book.open()
        for stored in found:
            try:
                self.take_on(stored)
            except TunewayError as fault:
                log.warning("Re-tune %s waits for the next tick: %s", stored.id, fault.message)
        return len(found)

    def take_on(self, stored: Stored[Retune]) -> None:
        """As far as it goes now, and tell it. Raises Conflict when somebody else writes, TryLater."""
        for _ in range(STEPS):
            after = self._step(stored)
            if after.version == stored.version:
                break
            stored = after
        self.book.settle(stored)

    def _step(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        if retune.status not in UNDER_WAY:
            return stored
        return self._cancelled(stored) if retune.cancel_asked else self._table[retune.status](stored)

    def _tuning(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        job = self._means.following.of(retune.job)
        if job is None:
            return self._moved(stored, Status.FAILED, f"Job {retune.job} is gone.")
        match job.status:
            case "failed":
                return self._moved(stored, Status.FAILED, f"Job {job.job} failed: {job.error or 'no reason is known'}")
            case "cancelled":
                return self._moved(stored, Status.CANCELLED, f"Job {job.job} was cancelled. {job.error or ''}".rstrip())
            case "succeeded":
                return self._moved(stored, Status.REGISTERING, f"Job {job.job} is trained.")
            case "held":
                said = f"Job {job.job} waits for a person: its price is above a limit. tuneway jobs approve {job.job}"
                return self.book.noted(stored, with_moment(retune, HELD, said, at=self.book.now()))
            case _:
                return stored

    def _registering(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        job = self._means.following.of(retune.job)
        if job is not None and not job.over:
            return stored
        try:
            new, links = self._successors.linked(retune)
        except (BadInput, NotFound) as fault:
            return self._moved(stored, Status.STOPPED, f"Its model cannot be registered: {fault.message}")
        answers = job.alias if job is not None and job.answers else None
        known = msgspec.structs.replace(retune, new=new, answers=answers)
        after = moved(known, Status.COMPARING, f"Registered as {new}, which replaces {retune.old}.", at=self.book.now())
        return self.book.noted(stored, after, *links)

    def _comparing(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        try:
            found = compared(self._lineages, [retune.old, retune.new or ""], owner=None)
        except (BadInput, NotFound) as fault:
            return self._moved(stored, Status.STOPPED, f"It cannot be compared: {fault.message}")
        judgement = judged(found, one_family=self._one_family(retune))
        rows = tuple(row for row in found.rows if row.name in SHOWN)
        known = msgspec.structs.replace(retune, comparison=rows)
        return self.book.noted(stored, self._after_comparison(known, judgement))

    def _after_comparison(self, retune: Retune, judgement: Judgement) -> Retune:
        now = self.book.now()
        if judgement.worse:
            said = f"{retune.new} is worse than {retune.old}: {judgement.why} No route is changed."
            return moved(retune, Status.STOPPED, said, at=now)
        if (obstacle := self._obstacle(retune)) is not None:
            return moved(retune, Status.STOPPED, f"{judgement.why} {obstacle}", at=now)
        if (alias := next(iter(self._leading(retune, alone=True)), None)) is None:
            said = (
                f"{judgement.why} No route of '{retune.owner}' leads to {retune.old} alone, so there is nothing to try "
                f"it on: point a route to '{retune.answers}', or start a canary by hand where it shares one."
            )
            return moved(retune, Status.STOPPED, said, at=now)
        known = msgspec.structs.replace(retune, alias=alias, canary=self._trial.id_of(retune))
        said = f"{judgement.why} It is tried on '{alias}' against {retune.old}."
        return moved(known, Status.CANARYING, said, at=now)

    def _obstacle(self, retune: Retune) -> str | None:
        """Why it is not tried, though nothing shows that it is worse."""
        if retune.plan is None:
            return f"No canary was asked for: {retune.new} answers as '{retune.answers}', and no route is changed."
        if retune.answers is None:
            return f"{retune.new} does not answer yet: deploy it, and start a canary on the route by hand."
        return None

    def _canarying(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        known = self._trial.found(retune)
        if known is None and retune.alias not in self._leading(retune, alone=True):
            said = f"'{retune.alias}' does not lead to {retune.old} any more, or not alone, so it is left as it is."
            return self._moved(stored, Status.STOPPED, said)
        try:
            # Guarded by what was read: one that is cancelled meanwhile has no canary.
            canary = known or self._trial.begun(retune, self.book.kept.replace(stored, retune))
        except (BadInput, NotFound) as fault:
            return self._moved(stored, Status.STOPPED, f"The canary cannot begin: {fault.message}")
        except Conflict as fault:
            waits = with_moment(retune, "waiting", f"The canary waits: {fault.message}", at=self.book.now())
            return self.book.noted(stored, waits)
        if self._trial.promoted(canary):
            return self._promoted(stored)
        if self._trial.ended(canary):
            said = f"The canary on '{canary.alias}' ended ({canary.state}): {canary.moments[-1].message}"
            return self._moved(stored, Status.STOPPED, said)
        return stored if known else self.book.kept.get(stored.id)

    def _promoted(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        canary = self._trial.found(retune)
        if canary is not None and not self._trial.stands(canary):
            said = f"The canary on '{retune.alias}' was promoted, but the route was changed since: it is left as it is."
            return self._moved(stored, Status.STOPPED, said)
        self._successors.point(retune)
        left = tuple(name for name in self._leading(retune) if name != retune.alias)
        still = f" {shortened(left)} still lead to {retune.old}: point them there, too." if left else ""
        known = msgspec.structs.replace(retune, left=left)
        said = f"'{retune.alias}' leads to {retune.new} now.{still}"
        return self.book.noted(stored, moved(known, Status.PROMOTED, said, at=self.book.now()))

    def _cancelled(self, stored: Stored[Retune]) -> Stored[Retune]:
        retune = stored.value
        if retune.status is Status.TUNING:
            self._means.following.cancel(retune.job)
        if retune.status is Status.CANARYING and self._trial.aborted(retune):
            return self._promoted(stored)
        return self._moved(stored, Status.CANCELLED, "Cancelled. Routes are as they were before.")

    def _moved(self, stored: Stored[Retune], status: Status, message: str) -> Stored[Retune]:
        return self.book.noted(stored, moved(stored.value, status, message, at=self.book.now()))

    def _leading(self, retune: Retune, *, alone: bool = False) -> list[str]:
        """The routes that lead to the old version, the busiest first; none when that is gone, or somebody else's."""
        try:
            model = self._means.shelf.models.get(retune.model).value
            version = self._means.shelf.version(model, retune.version).value
        except NotFound:
            return []
        if model.owner != retune.owner:
            return []
        return leading(self._means.shelf, model, version, everybodys=retune.admin, alone=alone)

    def _one_family(self, retune: Retune) -> bool:
        today = day_of(self.book.now())
        fates = [self._means.fates.of(name, today=today) for name in (retune.old_base, retune.base_model)]
        return len({fate.family if fate else None for fate in fates}) == 1 and None not in fates
