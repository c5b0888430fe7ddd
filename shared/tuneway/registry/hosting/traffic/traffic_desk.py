"""Say how the traffic of an endpoint is shared among the deployments behind it, and look at it."""

from collections.abc import Iterable, Mapping, Sequence

from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.traffic.shares import WHOLE
from tuneway.registry.hosting.traffic.sharing import arrived, behind, endpoint_id, given, opened, shares, traffic
from tuneway.registry.shelves import Deployment
from tuneway.state import Stored

ATTEMPTS = 20
_SHOWN = 80


class TrafficDesk:
    """The use cases of traffic; ``owner`` None is an admin, who acts for everybody."""

    def __init__(self, deploying: Deploying) -> None:
        self._deploying = deploying

    def split(self, deployment: Deployment) -> dict[str, int] | None:
        """The percent that each deployment behind its endpoint gets now; None where there is no endpoint to share."""
        if not _shareable(deployment):
            return None
        if deployment.order is not None and deployment.order.shared:
            return shares([each.value for each in self._members(deployment)])
        return shares([deployment])

    def splits(self, found: Iterable[Deployment]) -> dict[str, dict[str, int]]:
        """The same of many, by their ids, each endpoint looked at once."""
        known: dict[str, dict[str, int]] = {}
        splits: dict[str, dict[str, int]] = {}
        for each in found:
            place = endpoint_id(each)
            split = known[place] if place in known and each.endpoint else self.split(each)
            if split is not None:
                splits[each.id] = known[place] = split
        return splits

    def share(
        self, id_: str, wanted: Mapping[str, int], *, owner: str | None, was: Mapping[str, int] | None = None
    ) -> Deployment:
        """Share the traffic of its endpoint like this, in whole percents; repeating the call changes nothing.

        What is wanted is written first, and brought to the provider after. Raises NotFound, BadInput, and Conflict when
        somebody else changes it at the same time, or since it was shared as it ``was``.
        """
        first = self._split_of(id_, owner)
        for _ in range(ATTEMPTS):
            stored = self._owned(id_, owner)
            _check_machines(stored.value)
            members = self._members(stored.value)
            there = {each.id: traffic(each.value) for each in members}
            if there == dict(wanted):
                return stored.value
            if there != first or (was is not None and self.split(stored.value) != was):
                raise _changed(id_, there)
            self._check(stored.value, wanted, there)
            if self._written(members, wanted):
                return self._deploying.shelf.get(id_).value
        raise TryLater(f"Deployment {id_} keeps changing. Ask again.")

    def _written(self, members: Sequence[Stored[Deployment]], wanted: Mapping[str, int]) -> bool:
        """Whether nobody else wrote meanwhile. Whichever of their handlers comes first does the rest."""
        now = self._deploying.now()
        shelf = self._deploying.shelf
        after = [opened(given(each, wanted[each.id], said="asked for.", now=now), now=now) for each in members]
        try:
            self._deploying.documents.commit(*map(shelf.replace, members, after))
        except Conflict:
            return False
        for each in after:
            if each.open:
                self._deploying.tell(each.id)
        return True

    def _check(self, deployment: Deployment, wanted: Mapping[str, int], there: Mapping[str, int]) -> None:
        """Raises BadInput unless ``wanted`` shares a hundred percent out among exactly those that are ``there``."""
        if not there:
            raise _refused(f"'{deployment.id}' does not answer yet. Ask again when it is ready.")
        for id_ in wanted:
            if id_ not in there:
                raise _refused(f"'{id_[:_SHOWN]}' {self._absent(id_, deployment)}. {_named(there)}")
        if missing := [id_ for id_ in there if id_ not in wanted]:
            raise _refused(f"it leaves out {', '.join(missing)}. {_named(there)}")
        if any(not 0 <= share <= WHOLE for share in wanted.values()) or sum(wanted.values()) != WHOLE:
            raise _refused(f"the shares make {sum(wanted.values())}. Give whole numbers from 0 to 100 that make 100.")

    def _absent(self, id_: str, deployment: Deployment) -> str:
        """Why it is none of those behind the endpoint, as far as the owner may know."""
        stored = self._deploying.shelf.known(id_)
        mine = stored is not None and stored.value.owner == deployment.owner
        if stored is None or not mine or endpoint_id(stored.value) != endpoint_id(deployment):
            return f"is not behind the endpoint of '{deployment.id}'"
        return f"is {stored.value.status} and does not answer there"

    def _split_of(self, id_: str, owner: str | None) -> dict[str, int]:
        return {each.id: traffic(each.value) for each in self._members(self._owned(id_, owner).value)}

    def _members(self, deployment: Deployment) -> list[Stored[Deployment]]:
        return arrived(behind(self._deploying.documents, endpoint_id(deployment)))

    def _owned(self, id_: str, owner: str | None) -> Stored[Deployment]:
        stored = self._deploying.shelf.known(id_)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no deployment '{id_}'.", param="deployment_id")
        return stored


def _shareable(deployment: Deployment) -> bool:
    """Whether it has a place among those that share: a model on its own machines, that answers or rests."""
    return deployment.order is not None and deployment.order.machine is not None and deployment.endpoint != ""


def _check_machines(deployment: Deployment) -> None:
    """Raises BadInput for what no endpoint's traffic is shared with: nothing would come of it."""
    if deployment.order is None or deployment.order.machine is None:
        raise _refused(
            f"'{deployment.id}' is on no machines that tuneway put it on. Share its calls by the weights of a route's "
            "targets."
        )


def _named(there: Mapping[str, int]) -> str:
    return f"Name all of: {', '.join(there)}."


def _changed(id_: str, there: Mapping[str, int]) -> Conflict:
    now = ", ".join(f"{name}={share}" for name, share in there.items()) or "nobody's"
    said = f"The traffic of the endpoint of '{id_}' was changed just now: it is {now}. Look, and ask again."
    return Conflict(said, param="traffic", code="traffic_changed")


def _refused(why: str) -> BadInput:
    return BadInput(f"The traffic cannot be shared like this: {why}", param="traffic", code="invalid_traffic")
