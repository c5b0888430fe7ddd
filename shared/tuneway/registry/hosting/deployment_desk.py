"""Deployments by hand: ask for one, look at it, take it away."""

from collections.abc import Callable, Iterable

import msgspec

from tuneway.errors import AlreadyExists, BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import Write
from tuneway.registry.hosting.answering import led_to
from tuneway.registry.hosting.deploying import ENDED, Deploying, moved
from tuneway.registry.hosting.deployment_gate import too_dear, too_large
from tuneway.registry.hosting.orders import Orders, Wish, alias_of, same
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

    def create(self, model: str, version: str | None, wish: Wish, *, owner: str | None) -> Deployment:
        """The deployment of a version, or of a checkpoint of it; asking for the same again changes nothing.

        Raises NotFound, BadInput, NotAllowed, and Conflict when something else has its name.
        """
        found = self._inventory.model(model, owner=owner)
        number = found.aliases.get(version, version) if version else self._inventory.newest(model, owner=owner)
        entry = self._inventory.version(model, number, owner=owner)
        plain = self._orders.of(found, entry, wish, now=self._deploying.now())
        wanted = self._deploying.named(plain, _of_one_owner)

        def check() -> None:
            self._check_alias(wanted, entry)
            if owner is not None:
                self._check_cost(wanted, found)

        created = self._kept(wanted, check)
        self._deploying.tell(created.id)
        return created

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
            if stored.value.status is DeploymentStatus.UNDEPLOYING or _nothing_left(stored.value):
                return stored.value
            try:
                self._undeploy(stored, owner=owner, force=force)
            except _InUse:
                raise
            except Conflict:
                continue
            self._deploying.tell(id_)
            return self._deploying.shelf.get(id_).value
        raise TryLater(f"Deployment {id_} keeps changing. Ask again.")

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

    def _kept(self, wanted: Deployment, check: Callable[[], None]) -> Deployment:
        """What is there, or else the new one once ``check`` has let it pass."""
        try:
            stored = self._deploying.shelf.get(wanted.id)
        except NotFound:
            check()
        else:
            return self._again(stored, wanted, check)
        try:
            self._deploying.documents.commit(self._deploying.shelf.create(wanted.id, wanted))
        except AlreadyExists:
            return self._again(self._deploying.shelf.get(wanted.id), wanted, check)
        return wanted

    def _again(self, stored: Stored[Deployment], wanted: Deployment, check: Callable[[], None]) -> Deployment:
        """The same one as it is; one that has ended is deployed anew. Raises Conflict."""
        there = stored.value
        free = _nothing_left(there) and not there.open
        if there.owner != wanted.owner or not (free or same(there, wanted)):
            raise _taken(wanted)
        if there.status in ENDED and not _nothing_left(there):
            raise _left_behind(there)
        if there.status in ENDED:
            check()
            after = msgspec.structs.replace(wanted, history=(*there.history, *wanted.history))
            return self._deploying.note(stored, after).value
        if there.status is DeploymentStatus.UNDEPLOYING:
            raise Conflict(f"Deployment '{there.id}' is being taken away. Ask again when it is undeployed.")
        if there.order is None or wanted.order is None or there.order.machine != wanted.order.machine:
            raise Conflict(
                f"Deployment '{there.id}' is there on another machine. Give this one a name of its own, or delete "
                f"that one first: tuneway deployments delete {there.id}",
                param="name",
                code="deployment_exists",
            )
        return there

    def _undeploy(self, stored: Stored[Deployment], *, owner: str | None, force: bool) -> None:
        deployment = stored.value
        if deployment.order is None:
            raise _foreign(deployment)
        documents = self._deploying.documents
        led = _leading(current(documents), deployment)
        if owner is not None and any(route.owner != owner for route in led.values()):
            raise _in_use_by_others(deployment)
        if led and not force:
            raise _in_use(deployment, led)
        gone = moved(deployment, DeploymentStatus.UNDEPLOYING, "Undeploying it.", now=self._deploying.now(), error=None)
        without = {alias: _without(route, deployment) for alias, route in led.items()}

        def apply(snapshot: Snapshot) -> Snapshot:
            if _leading(snapshot, deployment) != led:
                raise Conflict("The routes have changed. Try again.")
            return _changed(snapshot, without)

        # The snapshot is written also when no route leads here: one made meanwhile must not lead nowhere.
        change(documents, apply, self._deploying.shelf.replace(stored, gone), *self._route_writes(without))

    def _route_writes(self, without: dict[str, Route | None]) -> list[Write]:
        routes = Collection(self._deploying.documents, "routes", Route)
        return [routes.delete(alias) if route is None else routes.put(alias, route) for alias, route in without.items()]

    def _owned(self, id_: str, owner: str | None) -> Stored[Deployment]:
        missing = NotFound(f"There is no deployment '{id_}'.", param="deployment_id")
        try:
            stored = self._deploying.shelf.get(id_)
        except NotFound:
            raise missing from None
        if owner not in {None, stored.value.owner}:
            raise missing
        return stored


class _InUse(Conflict):
    """Another try would end in the same way."""


def _in_use(deployment: Deployment, led: Iterable[str]) -> _InUse:
    names = ", ".join(f"'{alias}'" for alias in led)
    said = f"Deployment '{deployment.id}' answers under {names}. Point these elsewhere, or say force=true: they are"
    return _InUse(f"{said} then gone, too.", param="force", code="deployment_in_use")


def _in_use_by_others(deployment: Deployment) -> _InUse:
    said = f"Deployment '{deployment.id}' is also used by routes that are not yours. Ask an admin to take it away."
    return _InUse(said, param="force", code="deployment_in_use")


def _of_one_owner(there: Deployment, wanted: Deployment) -> bool:
    return there.owner == wanted.owner


def _taken(wanted: Deployment) -> Conflict:
    said = f"The name '{wanted.id}' is taken by another deployment. Give this one another name."
    return Conflict(said, param="name", code="deployment_exists")


def _left_behind(there: Deployment) -> Conflict:
    said = f"Something of deployment '{there.id}' was left behind. Take that away first: tuneway deployments delete"
    return Conflict(f"{said} {there.id}", param="name", code="left_behind")


def _foreign(deployment: Deployment) -> BadInput:
    said = f"Deployment '{deployment.id}' was not made by tuneway, which therefore does not take it away."
    return BadInput(f"{said} Do it where it was made.", param="deployment_id", code="not_ours")


def _nothing_left(deployment: Deployment) -> bool:
    left = deployment.error is not None and deployment.error.code == "left_behind"
    return deployment.status in ENDED and not left


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
