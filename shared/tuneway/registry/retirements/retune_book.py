"""Re-tunes as they are kept and told; ``owner`` None is an admin, who sees everybody's."""

import logging
from collections.abc import Callable, Sequence

import msgspec

from tuneway.errors import Conflict, NotFound, TryLater
from tuneway.ports import Documents, Events, Message, Operator, Write
from tuneway.registry.retirements.retune import UNDER_WAY, Moment, Retune, Turn
from tuneway.state import Collection, Stored

SHOWN = 80
UNDER_WAY_CODE = "retune_under_way"
Announce = Callable[[Retune, Moment], Message]

log = logging.getLogger(__name__)


class RetuneBook:
    """The re-tunes of an installation; ``announce`` makes an event of a moment."""

    def __init__(self, documents: Documents, events: Events, *, now: Callable[[], float], announce: Announce) -> None:
        self.documents = documents
        self.now = now
        self.kept = Collection(documents, "retunes", Retune)
        self.turns = Collection(documents, "retune_turns", Turn)
        self._events = events
        self._announce = announce

    def owned(self, id_: str, owner: str | None) -> Stored[Retune]:
        """The re-tune, if it is the owner's. Raises NotFound, alike for another's and for none."""
        stored = self.kept.known(id_)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no re-tune '{id_[:SHOWN]}'.", param="retune", code="retune_not_found")
        return stored

    def newest(self, *, owner: str | None, model: str | None, after: str | None, limit: int) -> list[Retune]:
        """Some of them, newest first. Raises NotFound when ``after`` is gone."""
        if after is not None:
            self.owned(after, owner)
        of: tuple[tuple[str, Operator, str], ...] = () if owner is None else (("owner", "==", owner),)
        if model is not None:
            return self._of_model(model, owner, after)[:limit]
        found = self.kept.find(*of, order_by="created_at", descending=True, after=after, limit=limit)
        return [stored.value for stored in found]

    def _of_model(self, model: str, owner: str | None, after: str | None) -> list[Retune]:
        """All of the model's, newest first: there are few, and in no stated order they take no index."""
        found = [stored.value for stored in self.kept.find(("model", "==", model))]
        mine = sorted((each for each in found if owner in {None, each.owner}), key=_age, reverse=True)
        ids = [each.id for each in mine]
        if after is not None and after not in ids:
            raise NotFound(f"Model '{model[:SHOWN]}' has no re-tune '{after[:SHOWN]}' to go on after.", param="after")
        return mine[ids.index(after) + 1 if after is not None else 0 :]

    def open(self) -> list[Stored[Retune]]:
        """Those that have something to do or to tell. With none this is one read."""
        return self.kept.find(("open", "==", True))

    def first_writes(self, retune: Retune) -> Sequence[Write]:
        """The writes that begin it, which fail where another has begun since one looked. Raises Conflict.

        A model has one at a time, and so has a job, whose version may stand in two models.
        """
        turns = [self._turn(of, retune) for of in (retune.model, retune.old_job)]
        return self.kept.create(retune.id, retune), *turns

    def _turn(self, of: str, retune: Retune) -> Write:
        turn, before = Turn(retune.id), self.turns.known(of)
        if before is None:
            return self.turns.create(of, turn)
        if (other := self._going(before.value.retune)) is not None:
            said = f"Re-tune {other.id} of '{other.model}' is {other.status}. Wait for it, or cancel it first."
            raise Conflict(said, param="model", code=UNDER_WAY_CODE)
        return self.turns.replace(before, turn)

    def _going(self, id_: str) -> Retune | None:
        last = self.kept.known(id_)
        return last.value if last is not None and last.value.status in UNDER_WAY else None

    def noted(self, stored: Stored[Retune], after: Retune, *also: Write) -> Stored[Retune]:
        """Put ``after`` in its place, and do ``also`` in the same commit. Raises Conflict."""
        if after == stored.value and not also:
            return stored
        self.documents.commit(self.kept.replace(stored, after), *also)
        return self.kept.get(stored.id)

    def settle(self, stored: Stored[Retune]) -> None:
        """Tell what was not told yet, and close what has ended. Raises TryLater, Conflict."""
        retune = stored.value
        untold = [moment for moment in retune.moments if moment.number > retune.told]
        self._events.publish(*(self._announce(retune, moment) for moment in untold))
        told = retune.moments[-1].number if retune.moments else 0
        self.noted(stored, msgspec.structs.replace(retune, told=told, open=retune.status in UNDER_WAY))

    def tell_now(self, id_: str) -> None:
        """Tell what has just happened; what cannot be told now waits for the tick."""
        try:
            self.settle(self.kept.get(id_))
        except (TryLater, Conflict) as fault:
            log.warning("The events of re-tune %s wait for the next tick: %s", id_, fault.message)


def _age(retune: Retune) -> tuple[float, str]:
    return retune.created_at, retune.id
