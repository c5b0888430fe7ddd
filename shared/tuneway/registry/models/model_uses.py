"""Take models and versions out of the registry, once nothing uses them any more: what does is named."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from tuneway.errors import Conflict
from tuneway.ports import Origins, Write
from tuneway.registry.hosting.answering import target_of
from tuneway.registry.hosting.deploying import ENDED
from tuneway.registry.models.model_desk import Who, revised
from tuneway.registry.models.model_shelf import ModelShelf, Routes, names_of, owns
from tuneway.registry.naming import DEFAULT
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current
from tuneway.state import check_version

Kind = Literal["route", "alias", "deployment", "job", "sweep", "version"]
# What is the owner's own, and goes along when that is wanted.
GOES_ALONG = frozenset({"route", "alias"})
REMEDIES: dict[Kind, str] = {
    "route": "point it elsewhere",
    "alias": "give it to another version",
    "deployment": "tuneway deployments delete {name}",
    "job": "wait for it, or cancel it",
    "sweep": "wait for it, or cancel it",
    "version": "it is the default one: make another the default, or delete the model",
}


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that uses a version; ``own`` is False where it is not the model's owner's."""

    kind: Kind
    name: str
    version: str
    own: bool = True


class InUse(Conflict):
    """Something uses it; another try would end in the same way. ``uses`` are all that do."""

    def __init__(self, message: str, *, uses: Sequence[Use]) -> None:
        super().__init__(message, param="force", code="model_in_use")
        self.uses = uses


class Uses:
    """What uses a model, and its end."""

    def __init__(self, shelf: ModelShelf, origins: Origins) -> None:
        self._shelf = shelf
        self._origins = origins

    def of(self, model: str, version: str | None, *, who: Who) -> list[Use]:
        """Everything that uses the model, or one version of it. Raises NotFound."""
        kept = self._shelf.owned(model, who.owner).value
        versions = self._shelf.all_versions(model) if version is None else [self._shelf.version(kept, version).value]
        return _visible(self._found(kept, versions, whole=version is None), who)

    def delete(self, model: str, *, who: Who, force: bool, expected: int | None) -> Model:
        """Take the model out with all its versions; what the provider has of it stays there.

        ``force`` takes the owner's routes and aliases along. Raises NotFound, Stale, InUse, TryLater.
        """
        for _ in self._shelf.attempts():
            stored = self._shelf.owned(model, who.owner)
            check_version(expected, stored.value.revision, what=f"model '{model}'", there=stored.value)
            versions = self._shelf.all_versions(model)
            uses = self._found(stored.value, versions, whole=True)
            _refuse(f"Model '{model}'", uses, who=who, force=force)
            # Written once more before it goes: an edit that was made meanwhile is seen.
            last = self._shelf.models.replace(stored, revised(stored.value, _emptied(stored.value)))
            try:
                self._shelf.commit(stored.value, self._without(stored.value, versions, uses), last, by=who.name)
            except Conflict:
                continue
            self._remove(stored.value, versions)
            return stored.value
        raise AssertionError

    def delete_version(
        self, model: str, version: str, *, who: Who, force: bool, expected: int | None
    ) -> tuple[Model, Version]:
        """Take one version out that is not the default one. Raises NotFound, Stale, InUse, TryLater."""
        for _ in self._shelf.attempts():
            stored = self._shelf.owned(model, who.owner)
            going = self._shelf.version(stored.value, version)
            what = f"version '{going.value.number}' of model '{model}'"
            check_version(expected, going.value.revision, what=what, there=going.value)
            uses = self._found(stored.value, [going.value], whole=False)
            _refuse(f"Version '{going.value.number}' of model '{model}'", uses, who=who, force=force)
            after = _unversioned(stored.value, going.value)
            writes = [self._shelf.models.replace(stored, after), *self._version_writes(stored.value, [going.value])]
            try:
                self._shelf.commit(stored.value, self._without(stored.value, [going.value], uses), *writes, by=who.name)
            except Conflict:
                continue
            return after, going.value
        raise AssertionError

    def _found(self, model: Model, versions: Sequence[Version], *, whole: bool) -> list[Use]:
        routes = current(self._shelf.documents).routes
        uses = [use for version in versions for use in self._of_version(model, version, routes.values())]
        names = [use.name for use in uses if use.kind == "alias"]
        default = model.aliases.get(DEFAULT)
        own = [] if whole else [each for each in versions if each.number == default]
        uses += [Use(kind="version", name=each.number, version=each.number) for each in own]
        return [use for use in uses if use.kind != "route" or use.name not in names]

    def _of_version(self, model: Model, version: Version, routes: Iterable[Route]) -> list[Use]:
        def use(kind: Kind, name: str, *, own: bool = True) -> Use:
            return Use(kind=kind, name=name, version=version.number, own=own)

        named = [alias for alias, n in model.aliases.items() if n == version.number and alias != DEFAULT]
        leading = self._leading(model, version, routes)
        found = [use("alias", names_of(model, alias)[0]) for alias in named]
        found += [use("route", route.alias, own=owns(model, route)) for route in leading]
        found += [use("deployment", each.id) for each in self._deployed(model, version)]
        # The jobs and sweeps go on from what the job registered itself, which a copy leaves where it is.
        if version.job and version.copy_of is None:
            sweeps = self._origins.sweeps_with(version.job, version.alias, version.resource)
            found += [use("job", each) for each in self._origins.going_on_from(version.job)]
            found += [use("sweep", each) for each in sweeps]
        return found

    def _leading(self, model: Model, version: Version, routes: Iterable[Route]) -> list[Route]:
        """The routes that lead to where the version answers; to a copy, and to what is elsewhere, the model's names."""
        places = {place_of(target) for target in self._places(model, version)}
        leading = [route for route in routes if places & {place_of(target) for target in route.targets}]
        if version.copy_of is None and not version.targets:
            return leading
        default = set(names_of(model, DEFAULT)) if model.aliases.get(DEFAULT) == version.number else set[str]()
        names = {name for alias in model.aliases for name in names_of(model, alias)}
        return [route for route in routes if route.alias in default or (route in leading and route.alias in names)]

    def _places(self, model: Model, version: Version) -> list[Target]:
        ends = [point.endpoint for point in version.checkpoints if point.endpoint is not None]
        resting = [each for each in self._shelf.deployments_of(model, version) if each.endpoint and each.order]
        return [
            *self._shelf.targets(model, version),
            *map(target_of, resting),
            *(Target(resource=end) for end in ends),
        ]

    def _deployed(self, model: Model, version: Version) -> list[Deployment]:
        """What tuneway has deployed of it; what Google deployed by itself is no use of the model."""
        found = [each for each in self._shelf.deployments(model.id) if each.version == version.number]
        return [each for each in found if each.order is not None and each.status not in ENDED]

    def _remove(self, model: Model, versions: Sequence[Version]) -> None:
        self._shelf.documents.commit(self._shelf.models.delete(model.id), *self._version_writes(model, versions))

    def _version_writes(self, model: Model, versions: Sequence[Version]) -> list[Write]:
        """With a version goes what is known of the endpoints that Google made for it by itself."""
        numbers = {version.number for version in versions}
        own = [each for each in self._shelf.deployments(model.id) if each.order is None and each.version in numbers]
        return [
            *(self._shelf.versions(model.id).delete(number) for number in sorted(numbers)),
            *(self._shelf.placed.delete(each.id) for each in own),
        ]

    def _without(self, model: Model, versions: Sequence[Version], uses: Iterable[Use]) -> Routes:
        """What is left of the owner's routes that lead there; an alias goes as a whole, unless its name leads away."""
        routes = current(self._shelf.documents).routes
        gone = {place_of(target) for version in versions for target in self._places(model, version)}
        going = {use.name: use.kind for use in uses if use.kind in GOES_ALONG and use.own and use.name in routes}
        return {name: _kept(routes[name].targets, gone, whole=kind == "alias") for name, kind in going.items()}


def _unversioned(model: Model, version: Version) -> Model:
    """The model without the version: its number is not given again, nor taken in again from the provider."""
    aliases = {alias: number for alias, number in model.aliases.items() if number != version.number}
    forgotten = (*model.forgotten, version.number) if model.resource else ()
    return revised(model, msgspec.structs.replace(model, aliases=aliases, forgotten=forgotten))


def _kept(targets: Sequence[Target], gone: set[str], *, whole: bool) -> tuple[Target, ...] | None:
    kept = tuple(target for target in targets if place_of(target) not in gone)
    if whole and kept != tuple(targets):
        return None
    return kept if any(target.weight > 0 for target in kept) else None


def _emptied(model: Model) -> Model:
    """What is left of it should its end be cut short: nothing calls it, and nobody is told that it has no alias now."""
    seen = model.mirrored and msgspec.structs.replace(model.mirrored, aliases={})
    return msgspec.structs.replace(model, state="archived", aliases={}, mirrored=seen, mirror_due=None)


def _refuse(what: str, uses: Sequence[Use], *, who: Who, force: bool) -> None:
    """Raises InUse when something is in the way."""
    in_the_way = [use for use in uses if not (force and use.kind in GOES_ALONG and use.own)]
    if not in_the_way:
        return
    shown = _visible(in_the_way, who)
    said = "; ".join(f"{use.kind} '{use.name}' ({REMEDIES[use.kind].format(name=use.name)})" for use in shown)
    others = "" if len(shown) == len(in_the_way) else " Routes that are not yours lead there, too: ask an admin."
    forced = " Its own routes and aliases go with it if you say force=true." if not force else ""
    raise InUse(f"{what} is used by: {said or 'others'}.{others}{forced}", uses=shown)


def _visible(uses: Sequence[Use], who: Who) -> list[Use]:
    """Without what is another tenant's, unless an admin asks."""
    return [use for use in uses if use.own or who.owner is None]
