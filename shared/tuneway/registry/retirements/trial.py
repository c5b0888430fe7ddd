"""The canary of a re-tune: begun once under an id of its own, found again wherever it is kept, and taken back."""

from tuneway.errors import Conflict
from tuneway.ports import Write
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import OPEN, Canary, Plan, State
from tuneway.registry.retirements.retune import Retune
from tuneway.routing.names import place
from tuneway.routing.snapshot import current
from tuneway.state import Collection


class Trial:
    """Tries the new version on the route that leads to the old one."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries

    def id_of(self, retune: Retune) -> str:
        """The canary's id."""
        return f"can-{retune.id.rpartition('-')[2]}"

    def found(self, retune: Retune) -> Canary | None:
        """The canary, if it was begun."""
        alias, id_ = retune.alias or "", self.id_of(retune)
        last = self._canaries.kept.known(alias)
        if last is not None and last.value.id == id_:
            return last.value
        before = Collection(self._canaries.documents, f"canaries/{alias}/past", Canary).known(id_)
        return before.value if before else None

    def begun(self, retune: Retune, guard: Write) -> Canary:
        """The canary, which begins in the commit that does ``guard``.

        Raises BadInput, NotFound; Conflict while another one is under way, or when the guard is stale.
        """
        plan = retune.plan or Plan()
        return self._desk(retune).start(retune.alias or "", retune.answers or "", plan, by=retune.by, also=(guard,))

    def promoted(self, canary: Canary) -> bool:
        """Whether it has all calls."""
        return canary.state is State.PROMOTED

    def stands(self, canary: Canary) -> bool:
        """Whether its route leads to the candidate now: people may have changed it since."""
        route = current(self._canaries.documents).routes.get(canary.alias)
        there = route.targets if route is not None else ()
        return any(place(target) == canary.tried and target.weight > 0 for target in there)

    def ended(self, canary: Canary) -> bool:
        """Whether it is over."""
        return canary.state not in OPEN

    def aborted(self, retune: Retune) -> bool:
        """Have the route as it was before; True when it was promoted before that could be done. Raises TryLater."""
        canary = self.found(retune)
        if canary is not None and canary.state in OPEN:
            try:
                canary = self._desk(retune).abort(canary.alias, by=retune.by)
            except Conflict:  # it ended just now, by itself or by another's hand
                canary = self.found(retune)
        return canary is not None and self.promoted(canary)

    def _desk(self, retune: Retune) -> CanaryDesk:
        return CanaryDesk(self._canaries, new_id=lambda: self.id_of(retune).removeprefix("can-"))
