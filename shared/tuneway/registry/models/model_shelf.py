"""Registered models as they are written: each edit guarded by what was read, together with the routes it moves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

import msgspec

from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.ports import Documents, Write
from tuneway.registry.hosting.answering import target_of
from tuneway.registry.hosting.deploying import NAPPING
from tuneway.registry.naming import DEFAULT, NAME, check_called
from tuneway.registry.shelves import Deployment, DeploymentStatus, Model, Version
from tuneway.routing.history import Mark
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import Snapshot, change, current
from tuneway.state import Collection, Stored

ATTEMPTS = 20
SHOWN = 80
Routes = Mapping[str, tuple[Target, ...] | None]
"""What names are to lead to; None takes a name away."""


class ModelShelf:
    """Models and their versions; ``owner`` None is an admin, who acts for everybody."""

    def __init__(self, documents: Documents, *, now: Callable[[], float]) -> None:
        self.documents = documents
        self.now = now
        self.models = Collection(documents, "models", Model)
        self._routes = Collection(documents, "routes", Route)
        self.placed = Collection(documents, "deployments", Deployment)

    def owned(self, id_: str, owner: str | None) -> Stored[Model]:
        """The model, if it is the owner's. Raises NotFound, alike for another's and for none."""
        stored = self.models.known(id_)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no model '{id_[:SHOWN]}'.", param="model")
        return stored

    def versions(self, model: str) -> Collection[Version]:
        """A model's versions."""
        return Collection(self.documents, f"models/{model}/versions", Version)

    def version(self, model: Model, name: str) -> Stored[Version]:
        """The version of that number, or the one that has that alias. Raises NotFound."""
        number = model.aliases.get(name, name)
        found = self.versions(model.id).known(number)
        if found is None:
            said = f"Model '{model.id[:SHOWN]}' has no version '{name[:SHOWN]}'."
            raise NotFound(said, param="version", code="version_not_found")
        return found

    def all_versions(self, model: str) -> list[Version]:
        """A model's versions, oldest first."""
        return [each.value for each in self.versions(model).find(order_by="created_at")]

    def deployments(self, model: str) -> list[Deployment]:
        """What is deployed of a model, oldest first."""
        found = [each.value for each in self.placed.find(("model", "==", model))]
        return sorted(found, key=lambda each: each.created_at)

    def deployments_of(self, model: Model, version: Version) -> list[Deployment]:
        """What is deployed of a version, whether it answers now or not; after its own what it is a copy of."""
        named = [(model.id, version.number)]
        if version.copy_of is not None:
            of, _, number = version.copy_of.rpartition("@")
            named.append((of, number))
        return [each for id_, number in named for each in self.deployments(id_) if each.version == number]

    def targets(self, model: Model, version: Version) -> tuple[Target, ...]:
        """Where the version answers now; nowhere when it is not deployed."""
        if version.targets:
            return version.targets
        if ready := [each for each in self.deployments_of(model, version) if _serves(each)]:
            # On an endpoint that it has for itself every call is its own; where it sleeps, a call wakes it.
            return (
                target_of(min(ready, key=lambda each: (_sleeps(each), each.model != model.id, _beside_others(each)))),
            )
        # What is tuned by Vertex AI's own tuning of Gemini, Google deploys.
        if version.endpoint is None or version.weights is not None or version.backend != "vertex_ai":
            return ()
        return (Target(resource=version.endpoint, dialect="gemini", model=version.base_model or model.base_model),)

    def attempts(self) -> Iterator[int]:
        """Tries of an edit; somebody else may write in between. Raises TryLater at their end."""
        yield from range(ATTEMPTS)
        raise TryLater("The model keeps changing. Try again.")

    def commit(self, model: Model, routes: Routes, *writes: Write, by: str) -> None:
        """Do the writes, and have the model's names lead where ``routes`` says, in one commit.

        A name of somebody else's is not taken away. Raises Conflict when what was read is stale, and BadInput
        (``alias_in_use``) when a name that is wanted is somebody else's.
        """
        if not routes:
            self.documents.commit(*writes)
            return
        snapshot = current(self.documents)
        before = {name: snapshot.routes.get(name) for name in routes}
        wanted = {
            name: None if targets is None else self._wanted(model, name, targets, there=before[name])
            for name, targets in routes.items()
            if targets is not None or owns(model, before[name])
        }
        after = {name: _led(model, before[name], route) for name, route in wanted.items()}
        if all(before[name] == route for name, route in after.items()):
            self.documents.commit(*writes)
            return

        def apply(now: Snapshot) -> Snapshot:
            if {name: now.routes.get(name) for name in routes} != before:
                raise Conflict("The routes have changed. Try again.")
            for name, route in after.items():
                now = now.without_route(name) if route is None else now.with_route(route)
            return now

        mark = Mark(by=by, why=f"model {model.id}")
        change(self.documents, apply, *writes, *self._route_writes(after), mark=mark, now=self.now)

    def _wanted(self, model: Model, name: str, targets: tuple[Target, ...], *, there: Route | None) -> Route:
        owner = None if model.shared else model.owner
        if there is not None and owns(model, there):
            owner = there.owner
        return Route(alias=name, targets=targets, created_at=self.now(), owner=owner)

    def _route_writes(self, after: Mapping[str, Route | None]) -> Sequence[Write]:
        return [
            self._routes.delete(name) if route is None else self._routes.put(name, route)
            for name, route in after.items()
        ]


def names_of(model: Model, alias: str) -> list[str]:
    """What calls the version with that alias; a model with a name of its own is called by it alone, too.

    Raises BadInput when that is too long for a name.
    """
    bare = [model.called] if alias == DEFAULT and NAME.fullmatch(model.called) else []
    return [check_called(model.called, alias), *bare]


def owns(model: Model, route: Route | None) -> bool:
    """Whether the route is the model's owner's, or that of a model which all may call."""
    if route is None or route.owner is not None:
        return route is not None and route.owner == model.owner
    return model.shared and any(route.alias in names_of(model, alias) for alias in model.aliases)


def _beside_others(deployment: Deployment) -> bool:
    return deployment.order is not None and deployment.order.shared


def _sleeps(deployment: Deployment) -> bool:
    return deployment.status in NAPPING


def _serves(deployment: Deployment) -> bool:
    there = deployment.status is DeploymentStatus.READY or _sleeps(deployment)
    return there and deployment.order is not None and deployment.endpoint != "" and deployment.checkpoint is None


def _led(model: Model, there: Route | None, wanted: Route | None) -> Route | None:
    """The route as it has to be; one that is there keeps everything but its targets. Raises BadInput.

    One that asks the wanted targets first stays as it is, with those that stand behind them. One that is not the
    model's owner's is never taken away.
    """
    if wanted is None or there is None:
        return wanted
    if not owns(model, there):
        said = f"The alias '{wanted.alias}' is in use. Choose another."
        raise BadInput(said, param="alias", code="alias_in_use")
    return there if _asks_first(there, wanted.targets) else msgspec.structs.replace(there, targets=wanted.targets)


def _asks_first(route: Route, wanted: Sequence[Target]) -> bool:
    """Whether the route's targets begin with those, and the others only follow when they fail."""
    kept = route.targets[: len(wanted)]
    behind = route.targets[len(wanted) :]
    last = max((target.order for target in kept), default=inf)
    return kept == tuple(wanted) and all(target.order > last for target in behind)
