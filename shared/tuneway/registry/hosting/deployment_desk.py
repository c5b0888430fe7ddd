"""Deployments by hand: ask for one, look at it, take it away."""

from collections.abc import Callable, Sequence

import msgspec

from tuneway.errors import AlreadyExists, BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import Write
from tuneway.registry.hosting.answering import led_to
from tuneway.registry.hosting.deploying import ENDED, Deploying, moved
from tuneway.registry.hosting.deployment_gate import too_dear, too_large
from tuneway.registry.hosting.deployment_refusals import (
    InUse,
    Raced,
    elsewhere,
    foreign,
    in_use,
    in_use_by_others,
    no_share,
    no_such_endpoint,
    occupied,
    refuse_unheeded,
    still_left,
    taken,
)
from tuneway.registry.hosting.napping import over
from tuneway.registry.hosting.orders import Orders, Wish, alias_of, same
from tuneway.registry.hosting.rests.resting_desk import RestingDesk
from tuneway.registry.hosting.traffic.joining import joined
from tuneway.registry.hosting.traffic.leaving import Unshared, handed_over, heirs
from tuneway.registry.hosting.traffic.sharing import behind, endpoint_id, lingering, nothing_left, shared_with
from tuneway.registry.hosting.traffic.traffic_desk import TrafficDesk
from tuneway.registry.inventory import Inventory
from tuneway.registry.shelves import Deployment, DeploymentStatus, Model, Version
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import Snapshot, change, current
from tuneway.state import Collection, Stored

ATTEMPTS = 20


class DeploymentDesk:
    """The use cases of deployments; ``owner`` None is an admin, who acts for everybody.

    ``usd_per_hour`` is what a deployment may cost that others ask for. Without it they get what the catalogue puts the
    model on, and nothing dearer.
    """

    def __init__(
        self, deploying: Deploying, inventory: Inventory, orders: Orders, *, usd_per_hour: float | None = None
    ) -> None:
        self._deploying = deploying
        self._inventory = inventory
        self._orders = orders
        self._usd_per_hour = usd_per_hour
        self.traffic = TrafficDesk(deploying)
        self.resting = RestingDesk(deploying)

    def create(self, model: str, version: str | None, wish: Wish, *, owner: str | None) -> Deployment:
        """The deployment of a version, or of a checkpoint of it; asking for the same again changes nothing.

        Raises NotFound, BadInput, NotAllowed, and Conflict when something else has its name.
        """
        found = self._inventory.model(model, owner=owner)
        number = found.aliases.get(version, version) if version else self._inventory.newest(model, owner=owner)
        entry = self._inventory.version(model, number, owner=owner)
        for _ in range(ATTEMPTS):
            try:
                created = self._created(found, entry, wish, owner=owner)
            except Raced:
                continue
            self._deploying.tell(created.id)
            return created
        raise TryLater(f"The deployments behind the endpoint of '{wish.endpoint}' keep changing. Ask again.")

    def get(self, id_: str, *, owner: str | None) -> Deployment:
        """One deployment. Raises NotFound."""
        return self._owned(id_, owner).value

    def remove(self, id_: str, *, owner: str | None, force: bool = False) -> Deployment:
        """Undeploy it; what it was made of goes with it. Repeating the call changes nothing.

        Raises NotFound, and Conflict naming the aliases that lead there: ``force`` takes those away, too, which are the
        owner's own.
        """
        for _ in range(ATTEMPTS):
            stored = self._owned(id_, owner)
            if stored.value.status is DeploymentStatus.UNDEPLOYING or nothing_left(stored.value):
                return stored.value
            try:
                self._undeploy(stored, owner=owner, force=force)
            except (InUse, Unshared):
                raise
            except Conflict:
                continue
            self._deploying.tell(id_)
            return self._deploying.shelf.get(id_).value
        raise TryLater(f"Deployment {id_} keeps changing. Ask again.")

    def _created(self, model: Model, version: Version, wish: Wish, *, owner: str | None) -> Deployment:
        """Raises Raced when those behind its endpoint have changed."""
        plain = self._orders.of(model, version, wish, now=self._deploying.now())
        wanted, guards = self._placed(self._deploying.named(plain, _of_one_owner), wish)

        def check() -> None:
            self._check_place(wanted)
            self._check_alias(wanted, version)
            if owner is not None:
                self._check_cost(wanted, model)

        found = self._kept(wanted, guards, check)
        refuse_unheeded(found, wish)
        return found

    def _check_alias(self, wanted: Deployment, version: Version) -> None:
        """A name that is in use is not for the taking; the job's own was given to this very version."""
        alias = wanted.alias
        if alias == alias_of(version, wanted.checkpoint) or alias not in current(self._deploying.documents).routes:
            return
        raise BadInput(f"The alias '{alias}' is in use. Choose another.", param="alias", code="alias_in_use")

    def _check_cost(self, wanted: Deployment, model: Model) -> None:
        if self._usd_per_hour is not None:
            why = too_dear(wanted, self._usd_per_hour)
        else:
            why = too_large(wanted, self._orders.usual(model.base_model))
        if why is not None:
            said = f"The deployment needs an admin's key: {why}."
            raise NotAllowed(said, param="machine_type", code="deployment_cost_limit")

    def _placed(self, wanted: Deployment, wish: Wish) -> tuple[Deployment, list[Write]]:
        """The deployment on its endpoint, and the writes that see that nobody takes that away at the same time."""
        if wish.endpoint is None:
            if wish.traffic is not None:
                raise no_share()
            return wanted, []
        there = self._deploying.shelf.known(wish.endpoint)
        if there is None or there.value.owner != wanted.owner:
            raise no_such_endpoint(wish.endpoint)
        beside = joined(wanted, there.value, traffic=wish.traffic or 0, alias=wish.alias)
        members = behind(self._deploying.documents, endpoint_id(there.value))
        if there not in members:
            raise Raced(f"Deployment '{there.id}' was changed just now.")
        return beside, shared_with(self._deploying.documents, members, wanted.id, now=self._deploying.now())

    def _check_place(self, wanted: Deployment) -> None:
        """An endpoint that others are on still, or are being taken from, is not made anew. Raises Conflict."""
        alone = wanted.order is None or not wanted.order.endpoint
        if alone and (left := lingering(self._deploying.documents, wanted)):
            raise occupied(wanted, left[0])

    def _kept(self, wanted: Deployment, guards: Sequence[Write], check: Callable[[], None]) -> Deployment:
        """What is there, or else the new one once ``check`` has let it pass. Raises Raced when a guard has changed."""
        stored = self._deploying.shelf.known(wanted.id)
        if stored is not None:
            return self._again(stored, wanted, guards, check=check)
        check()
        try:
            self._commit(self._deploying.shelf.create(wanted.id, wanted), *guards)
        except AlreadyExists:
            return self._again(self._deploying.shelf.get(wanted.id), wanted, guards, check=check)
        return wanted

    def _commit(self, *writes: Write) -> None:
        try:
            self._deploying.documents.commit(*writes)
        except AlreadyExists:
            raise
        except Conflict as exc:
            raise Raced(exc.message) from exc

    def _again(
        self, stored: Stored[Deployment], wanted: Deployment, guards: Sequence[Write], *, check: Callable[[], None]
    ) -> Deployment:
        """The same one as it is; one that has ended is deployed anew. Raises Conflict, and Raced."""
        there = stored.value
        free = nothing_left(there) and not there.open
        if there.owner != wanted.owner or not (free or same(there, wanted)):
            raise taken(wanted)
        if there.status in ENDED and not nothing_left(there):
            raise still_left(there)
        if there.status in ENDED:
            check()
            after = msgspec.structs.replace(wanted, history=(*there.history, *wanted.history))
            self._commit(self._deploying.shelf.replace(stored, after), *guards)
            return after
        if there.status is DeploymentStatus.UNDEPLOYING:
            raise Conflict(f"Deployment '{there.id}' is being taken away. Ask again when it is undeployed.")
        if there.order is None or wanted.order is None or there.order.machine != wanted.order.machine:
            raise elsewhere(there, "machine")
        if endpoint_id(there) != endpoint_id(wanted):
            raise elsewhere(there, "endpoint")
        return there

    def _undeploy(self, stored: Stored[Deployment], *, owner: str | None, force: bool) -> None:
        deployment = stored.value
        if deployment.order is None:
            raise foreign(deployment)
        documents = self._deploying.documents
        if found := heirs(documents, deployment):
            self._leave(stored, found, force=force)
            return
        led = _leading(current(documents), deployment)
        if owner is not None and any(route.owner != owner for route in led.values()):
            raise in_use_by_others(deployment)
        if led and not force:
            raise in_use(deployment, led)
        now = self._deploying.now()
        nap = over(deployment, now=now)
        gone = moved(deployment, DeploymentStatus.UNDEPLOYING, "Undeploying it.", now=now, error=None, nap=nap)
        without = {alias: _without(route, deployment) for alias, route in led.items()}

        def apply(snapshot: Snapshot) -> Snapshot:
            if _leading(snapshot, deployment) != led:
                raise Conflict("The routes have changed. Try again.")
            return _changed(snapshot, without)

        # The snapshot is written also when no route leads here: one made meanwhile must not lead nowhere.
        change(documents, apply, self._deploying.shelf.replace(stored, gone), *self._route_writes(without))

    def _leave(self, stored: Stored[Deployment], found: Sequence[Stored[Deployment]], *, force: bool) -> None:
        """Its endpoint goes on answering from the others: no alias loses anything."""
        now = self._deploying.now()
        writes = handed_over(self._deploying.documents, stored.value, found, force=force, now=now)
        gone = moved(stored.value, DeploymentStatus.UNDEPLOYING, "Undeploying it.", now=now, error=None)
        self._deploying.documents.commit(self._deploying.shelf.replace(stored, gone), *writes)
        for each in found:
            self._deploying.tell(each.id)

    def _route_writes(self, without: dict[str, Route | None]) -> list[Write]:
        routes = Collection(self._deploying.documents, "routes", Route)
        return [routes.delete(alias) if route is None else routes.put(alias, route) for alias, route in without.items()]

    def _owned(self, id_: str, owner: str | None) -> Stored[Deployment]:
        stored = self._deploying.shelf.known(id_)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no deployment '{id_}'.", param="deployment_id")
        return stored


def _of_one_owner(there: Deployment, wanted: Deployment) -> bool:
    return there.owner == wanted.owner


def _leading(snapshot: Snapshot, deployment: Deployment) -> dict[str, Route]:
    return {alias: route for alias, route in snapshot.routes.items() if led_to(route, deployment)}


def _without(route: Route, deployment: Deployment) -> Route | None:
    """The route without this deployment; None when nothing is left to ask."""
    gone = led_to(route, deployment)
    kept = tuple(target for target in route.targets if target not in gone)
    return msgspec.structs.replace(route, targets=kept) if any(target.weight > 0 for target in kept) else None


def _changed(snapshot: Snapshot, without: dict[str, Route | None]) -> Snapshot:
    for alias, route in without.items():
        snapshot = snapshot.without_route(alias) if route is None else snapshot.with_route(route)
    return snapshot
