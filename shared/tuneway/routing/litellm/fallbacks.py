"""Fallbacks between imported routes. None leads back here; where LiteLLM's do, targets stand behind one's own."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.identifiers import Alias, parse
from tuneway.routing.litellm.report import Notes
from tuneway.routing.litellm.settings import ALL, Kind, Link
from tuneway.routing.routes import Route, Target

Routes = Mapping[str, Route]


class Links:
    """Puts fallbacks into routes; ``known`` are aliases that are there already."""

    def __init__(self, notes: Notes, known: Collection[str]) -> None:
        self._notes = notes
        self._known = known

    def put(self, routes: Routes, links: Sequence[Link]) -> dict[str, Route]:
        """The routes with all of them, those of one model before those of every model."""
        after = dict(routes)
        special = [link for link in links if link.source != ALL]
        for link in special:
            after = self._put(after, link)
        told = {(link.kind, link.source) for link in special}
        for link in (one for one in links if one.source == ALL):
            after = self._everywhere(after, link, told)
        return after

    def _put(self, routes: dict[str, Route], link: Link) -> dict[str, Route]:
        if link.source not in routes:
            fact = f"There is no model '{link.source}'."
            self._notes.refused(link.path, list(link.names), fact, "Write its name as in model_list.")
            return routes
        for name in link.names:
            routes = {**routes, link.source: self._joined(routes, link, name)}
        return routes

    def _everywhere(self, routes: dict[str, Route], link: Link, told: Collection[tuple[str, str]]) -> dict[str, Route]:
        """For every route that says nothing else, but not from a fallback back to it."""
        names = [name for name in link.names if not self._refused(routes, link, name)]
        for alias, route in tuple(routes.items()):
            kept = tuple(name for name in names if not _leads(routes, name, alias))
            if (link.kind, alias) not in told and kept:
                routes = {**routes, alias: _added(route, link.kind, kept)}
        if names:
            became = f"{link.kind} of every model that has none of its own, and to which none leads back"
            self._notes.translated(link.path, names, became)
        return routes

    def _joined(self, routes: Routes, link: Link, name: str) -> Route:
        route = routes[link.source]
        if self._refused(routes, link, name):
            return route
        if not _leads(routes, name, route.alias):
            self._notes.took(link.path, name, link.kind)
            return _added(route, link.kind, (name,))
        if link.kind != "fallbacks" or name == route.alias:
            fact = f"It leads back to '{route.alias}'."
            self._notes.refused(link.path, name, fact, "Take one of the fallbacks out.")
            return route
        became = f"its targets stand behind those of '{route.alias}', since '{name}' leads back to it"
        self._notes.translated(link.path, name, became)
        return msgspec.structs.replace(route, targets=route.targets + _behind(route, routes[name]))

    def _refused(self, routes: Routes, link: Link, name: str) -> bool:
        why = _why_not(routes, name, self._known)
        if why is not None:
            self._notes.refused(link.path, name, *why)
        return why is not None


def _behind(route: Route, other: Route) -> tuple[Target, ...]:
    """The other route's own targets, to be asked after all of this one's."""
    last = max(target.order for target in route.targets)
    first = min(target.order for target in other.targets)
    there = set(route.targets)
    moved = (msgspec.structs.replace(one, order=last + 1 + one.order - first) for one in other.targets)
    return tuple(one for one in moved if one not in there)


def _why_not(routes: Routes, name: str, known: Collection[str]) -> tuple[str, str] | None:
    if name in routes or name in known:
        return None
    try:
        if not isinstance(parse(name), Alias):
            return None
    except BadInput as fault:
        return fault.message, "Write a name of model_list."
    return f"There is no model '{name}'.", "Write it into model_list."


def _leads(routes: Routes, start: str, goal: str) -> bool:
    """Whether one comes from ``start`` to ``goal`` over any fallbacks."""
    seen, waiting = set[str](), [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen and (route := routes.get(name)) is not None:
            waiting += route.fallbacks + route.context_fallbacks + route.content_fallbacks
        seen.add(name)
    return False


def _added(route: Route, kind: Kind, names: tuple[str, ...]) -> Route:
    before: tuple[str, ...] = getattr(route, kind)
    return msgspec.structs.replace(route, **{kind: tuple(dict.fromkeys(before + names))})
