"""Sleep by hand: say when a deployment may sleep, put it to sleep, wake it."""

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.errors import Conflict, NotFound, TryLater
from tuneway.registry.hosting.deploying import NAPPING, Deploying, resting
from tuneway.registry.hosting.napping import asleep, may_rest, wakes_at
from tuneway.registry.hosting.rests.resting import fallen, published, roused, stirred
from tuneway.registry.hosting.windows import checked, closes
from tuneway.registry.rest import Rest
from tuneway.registry.shelves import Deployment, DeploymentStatus
from tuneway.state import Stored

ATTEMPTS = 20
Edit = Callable[[Stored[Deployment]], bool]


class RestingDesk:
    """The use cases of sleep; ``owner`` None is an admin, who acts for everybody."""

    def __init__(self, deploying: Deploying) -> None:
        self._deploying = deploying

    @property
    def now(self) -> float:
        """The time by which sleep is counted."""
        return self._deploying.now()

    def sleep(self, id_: str, *, owner: str | None) -> Deployment:
        """Put it to sleep now; asleep already, nothing changes. Raises NotFound, BadInput, Conflict."""
        return self._edited(id_, owner, self._put_to_sleep)

    def wake(self, id_: str, *, owner: str | None) -> Deployment:
        """Wake it now; awake already, nothing changes. Raises NotFound, BadInput, Conflict."""
        return self._edited(id_, owner, self._waken)

    def set_rest(
        self, id_: str, rest: Rest | None, *, owner: str | None, was: Rest | UnsetType | None = UNSET
    ) -> Deployment:
        """When it sleeps from now on; None is never: then one that is asleep sleeps until it is called or woken.

        Raises NotFound, BadInput naming the field, and Conflict when its rest is not what it ``was`` any more.
        """

        def edit(stored: Stored[Deployment]) -> bool:
            there = stored.value.rest
            if was is not UNSET and there not in (was, rest):
                raise _changed(stored.value)
            return self._ruled(stored, rest)

        return self._edited(id_, owner, edit, sleeps=rest is not None)

    def _edited(self, id_: str, owner: str | None, edit: Edit, *, sleeps: bool = True) -> Deployment:
        for _ in range(ATTEMPTS):
            stored = self._deploying.shelf.known(id_)
            if stored is None or owner not in {None, stored.value.owner}:
                raise NotFound(f"There is no deployment '{id_}'.", param="deployment_id")
            if sleeps:
                may_rest(id_, stored.value.order)
            try:
                changed = edit(stored)
            except _Unfit:
                raise
            except Conflict:
                continue
            if changed:
                self._deploying.tell(id_)
            return self._deploying.shelf.get(id_).value
        raise TryLater(f"Deployment {id_} keeps changing. Ask again.")

    def _put_to_sleep(self, stored: Stored[Deployment]) -> bool:
        deployment = stored.value
        match deployment.status:
            case DeploymentStatus.READY:
                nap = msgspec.structs.replace(deployment.nap, hand=True, wanted=False, asked_at=0.0)
                # One that is not open has told its job.
                told = deployment.told or not deployment.open
                fallen(self._deploying, stored, msgspec.structs.replace(deployment, nap=nap, told=told))
            case DeploymentStatus.DRAINING if not deployment.nap.hand or deployment.nap.wanted:
                nap = msgspec.structs.replace(deployment.nap, hand=True, wanted=False)
                self._deploying.note(stored, msgspec.structs.replace(deployment, nap=nap, deadline=self.now))
            case DeploymentStatus.FALLING_ASLEEP | DeploymentStatus.ASLEEP | DeploymentStatus.DRAINING:
                return False
            case _:
                raise _unfit(deployment, "put to sleep")
        return True

    def _waken(self, stored: Stored[Deployment]) -> bool:
        deployment = stored.value
        match deployment.status:
            case DeploymentStatus.DRAINING:
                stirred(self._deploying, stored, "It was asked to stay awake.")
            case DeploymentStatus.FALLING_ASLEEP:
                nap = msgspec.structs.replace(deployment.nap, wanted=True)
                self._deploying.note(stored, msgspec.structs.replace(deployment, nap=nap, deadline=self.now))
            case DeploymentStatus.ASLEEP:
                nap = msgspec.structs.replace(deployment.nap, wanted=True, failures=0)
                roused(self._deploying, stored, msgspec.structs.replace(deployment, nap=nap))
            case DeploymentStatus.READY | DeploymentStatus.WAKING:
                return False
            case _:
                raise _unfit(deployment, "woken")
        return True

    def _ruled(self, stored: Stored[Deployment], rest: Rest | None) -> bool:
        deployment = stored.value
        if rest is not None:
            checked(rest)
        if rest == deployment.rest:
            return False
        # Idle time counts from here on: nobody has noted its use before.
        nap = msgspec.structs.replace(deployment.nap, last_used=max(deployment.nap.last_used, self.now))
        told = deployment.told or not deployment.open
        after = msgspec.structs.replace(deployment, rest=rest, nap=nap, told=told)
        after = msgspec.structs.replace(after, rests=resting(deployment.status, after))
        if deployment.status is DeploymentStatus.READY:
            after = msgspec.structs.replace(after, open=True, deadline=self.now)
        if deployment.status is DeploymentStatus.ASLEEP:
            after = self._alarm_set(after)
        if deployment.status in NAPPING:
            told_of = asleep(after, now=self.now)
            published(self._deploying, stored, after, said=lambda place, s: s.with_sleep(place, told_of))
        else:
            self._deploying.note(stored, after)
        return after.open

    def _alarm_set(self, after: Deployment) -> Deployment:
        """One that sleeps is woken by its new windows: at once, if one is open now."""
        rest, now = after.rest, self.now
        opened = rest is not None and closes(rest.windows, now) is not None
        at = now if opened else wakes_at(after, now=now)
        nap = msgspec.structs.replace(after.nap, wake_at=at)
        return msgspec.structs.replace(after, nap=nap, open=True, deadline=now)


class _Unfit(Conflict):
    """Another try would end in the same way."""


def _changed(deployment: Deployment) -> _Unfit:
    said = f"The rest of deployment '{deployment.id}' was changed just now. Look, and ask again."
    return _Unfit(said, param="rest", code="rest_changed")


def _unfit(deployment: Deployment, what: str) -> _Unfit:
    said = f"Deployment '{deployment.id}' is {deployment.status}, and cannot be {what}."
    return _Unfit(f"{said} Ask again when it is ready.", param="deployment_id", code="deployment_not_ready")
