"""``/v1/registry/routes``: public names for one target or several, and how a call goes along them."""

from contextlib import suppress

import msgspec

from tuneway.access.keys import Grant, Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule, Tagged
from tuneway.edge.preconditions import expected_version
from tuneway.edge.registry import deployments
from tuneway.edge.registry.route_bodies import PutRoute, PutTarget, completed, over, put_route, route_of
from tuneway.edge.registry.route_checks import (
    at_field,
    refuse_idle,
    refuse_nowhere,
    refuse_unknown_families,
    refuse_unnamed,
    refuse_unreadable,
    refuse_values,
    unsure,
)
from tuneway.errors import BadInput, NotFound, UpstreamError
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.naming import check_owner
from tuneway.registry.route_book import Guard, RouteBook
from tuneway.registry.route_means import Means
from tuneway.routing import names
from tuneway.routing.history import Mark
from tuneway.routing.identifiers import Alias, DedicatedEndpoint, Endpoint, Identifier, parse
from tuneway.routing.routes import Route, Target
from tuneway.routing.targets import Defaults, target_of
from tuneway.state import fields_of

ROOT = "/v1/registry/routes"
RESOLVE = "/v1/registry/endpoints:resolve"


class Resolve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a question what an endpoint speaks."""

    identifier: str


class _Reading:
    """Whose body is read, and what they should know about it."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.warnings: list[str] = []


class RouteDesk:
    """Reads, checks and keeps the routes of an installation."""

    def __init__(
        self,
        book: RouteBook,
        deployments: Deployments,
        *,
        defaults: Defaults,
        means: Means,
    ) -> None:
        self._book = book
        self._deployments = deployments
        self._defaults = defaults
        self.means = means

    def resolve(self, call: Call) -> Body:
        """``POST /v1/registry/endpoints:resolve``: ask the endpoint again, and write the answer down."""
        identifier = parse(decoded(call.body(), Resolve).identifier)
        if not isinstance(identifier, Endpoint | DedicatedEndpoint):
            raise BadInput("This names no endpoint. Use vertex_ai/endpoints/{id}.", param="identifier")
        found = self.means.detect(target_of(identifier, self._defaults))
        return deployments.shown(self._deployments.found(found, owner=call.grant.owner))

    @property
    def defaults(self) -> Defaults:
        """What stands in where identifiers leave something open."""
        return self._defaults

    def settled(self, target: Target, identifier: Identifier | None, *, owner: str) -> tuple[Target, list[str]]:
        """A target that came in a file, asked what it speaks where its identifier leaves that open, and warnings.

        Raises BadInput for one that could never be called.
        """
        reading = _Reading(owner)
        if identifier is not None and _open(identifier):
            target = self._detected(target, PutTarget(identifier=names.place(target), host=target.host), reading)
        refuse_nowhere(target)
        return target, reading.warnings

    def put(self, call: Call) -> Body:
        """``PUT /v1/registry/routes/{alias}``: all of it is looked at before any of it is kept."""
        seen = self._book.seen(call.path["alias"])
        reading = _Reading(call.grant.owner)
        plan, listed = put_route(call.body())
        if plan.owner is not None:
            check_owner(plan.owner)
        targets = tuple(
            self._named(one, reading, under=f"targets[{place}]." if listed else "")
            for place, one in enumerate(plan.targets)
        )
        route = route_of(call.path["alias"], targets, plan)
        warnings = [*reading.warnings, *self._looked_at(route, plan, listed=listed)]
        guard = guard_of(call, seen=seen, said=plan.version)
        put = self._book.put(route, guard=guard, mark=Mark(by=author(call.grant)))
        warnings += self._astray(put)
        return tagged(put, {"warnings": warnings} if warnings else {})

    def sound(self, route: Route) -> list[str]:
        """Look at a route that was accepted once: the world may have changed since. Raises BadInput; warnings."""
        for place, target in enumerate(route.targets):
            try:
                refuse_nowhere(target)
            except BadInput as fault:
                raise at_field(fault, under=f"targets[{place}].") from fault
        own = frozenset(target.secret for target in route.targets if target.secret)
        return [
            *refuse_unreadable(route, unreadable=self.means.unreadable, own=own),
            *unsure(route, known=(one.alias for one in self._book.list())),
        ]

    def _astray(self, route: Route) -> list[str]:
        """A warning where the name of a version's alias does not lead to that version."""
        found = self._book.astray(route)
        if found is None:
            return []
        named, number = found
        model, alias = named.model.id, named.alias
        said = (
            f"'{route.alias}' leads elsewhere than version '{number}' of model '{model}', whose alias is '{alias}'. "
            f"Lead it back with tuneway models alias {model} {alias} VERSION, or make a version of what it leads to: "
            f"tuneway models register {model} --endpoint {route.alias}"
        )
        return [said]

    def _looked_at(self, route: Route, plan: PutRoute, *, listed: bool) -> list[str]:
        """What is to be known of a route that may be put. Raises BadInput for one that may not."""
        refuse_idle(route.targets)
        refuse_unnamed(route)
        refuse_unknown_families(route)
        own = frozenset(target.secret for target in plan.targets if target.secret)
        try:
            warnings = refuse_unreadable(route, unreadable=self.means.unreadable, own=own)
        except BadInput as fault:
            param = fault.param if listed else "secret"
            raise BadInput(fault.message, param=param, code=fault.code) from fault
        if not (route.fallbacks or route.context_fallbacks or route.content_fallbacks):
            return warnings
        return [*warnings, *unsure(route, known=(one.alias for one in self._book.list()))]

    def _named(self, given: PutTarget, reading: _Reading, *, under: str) -> Target:
        """The target; what is wrong with it names its field, below ``under``."""
        try:
            return self._target(given, reading)
        except BadInput as fault:
            raise at_field(fault, under=under) from fault

    def _target(self, given: PutTarget, reading: _Reading) -> Target:
        identifier = parse(given.identifier)
        if isinstance(identifier, Alias):
            raise self._alias(identifier.name)
        refuse_values(given.secret)
        target = completed(target_of(identifier, over(self._defaults, given)), given)
        if given.dialect is None and _open(identifier):
            target = self._detected(target, given, reading)
        refuse_nowhere(target)
        return target

    def _alias(self, name: str) -> BadInput:
        """Why an alias is no target; where there is such a route, what it leads to is."""
        try:
            there = [names.place(target) for target in self._book.get(name).targets]
        except NotFound:
            said = f"'{name}' says no provider. Write it as vertex_ai/{name}, or as another provider's: azure/{name}."
        else:
            led = " or ".join(f"vertex_ai/{one}" if one.startswith("projects/") else one for one in there)
            said = f"'{name}' is a route itself. Write what that leads to, {led}, or name it in 'fallbacks'."
        return BadInput(said, param="identifier")

    def _detected(self, target: Target, given: PutTarget, reading: _Reading) -> Target:
        """The target in the words it really speaks; where it cannot be asked, in those most endpoints speak."""
        try:
            found = self.means.detect(target)
        except (NotFound, UpstreamError) as fault:
            reading.warnings.append(
                f"'{given.identifier}' could not be asked what it speaks ({fault.message.rstrip('.')}), so "
                f"'{target.dialect}' is assumed. Put the route again when it is there, or give its dialect."
            )
            return target
        known = self._deployments.found(found, owner=reading.owner)
        told = msgspec.structs.replace(
            target, dialect=found.dialect, host=given.host or found.host or target.host, raw=found.raw or given.raw
        )
        return self._deployments.named(told, known)


def rules(desk: RouteDesk, book: RouteBook) -> list[Rule]:
    """Routes are for admins."""
    one = f"{ROOT}/{{alias}}"

    def remove(call: Call) -> Body:
        alias = call.path["alias"]
        guard = guard_of(call, seen=book.seen(alias))
        book.remove(alias, guard=guard, mark=Mark(by=author(call.grant)))
        return {"object": "route", "alias": alias, "deleted": True}

    def one_of_them(call: Call) -> Body:
        route = book.get(call.path["alias"])
        with suppress(NotFound):
            probe = book.probe(route.alias)
            return tagged(
                route, {"probe": {"created_at": probe.at, "version": probe.version, "targets": probe.targets}}
            )
        return tagged(route)

    def everything(_: Call) -> Body:
        return {"object": "list", "data": [shown(route) for route in book.list()]}

    return [
        Rule("GET", ROOT, Scope.ADMIN, everything),
        Rule("GET", one, Scope.ADMIN, one_of_them),
        Rule("PUT", one, Scope.ADMIN, desk.put),
        Rule("DELETE", one, Scope.ADMIN, remove),
        Rule("POST", RESOLVE, Scope.ADMIN, desk.resolve),
    ]


def guard_of(call: Call, *, seen: Guard, said: int | None = None) -> Guard:
    """Which version a change is meant for: the one it names, else the one that was there when it came in."""
    if call.headers.get("if-none-match", "").strip() == "*":
        return Guard(None)
    named = expected_version(call, said)
    return seen if named is None else Guard(named)


def author(grant: Grant) -> str:
    """Who makes a change: the key's owner, and its name where it has one."""
    return f"{grant.owner}/{grant.name}" if grant.name else grant.owner


def tagged(route: Route, more: dict[str, object] | None = None) -> Tagged:
    """A route as JSON, with its version where HTTP looks for it."""
    return Tagged({**shown(route), **(more or {})}, {"etag": f'"{route.version}"'})


def shown(route: Route) -> dict[str, object]:
    """A route as JSON."""
    return {"object": "route", **fields_of(route)}


def _open(identifier: Identifier) -> bool:
    """Whether the name leaves open what is spoken there."""
    return isinstance(identifier, DedicatedEndpoint) or (isinstance(identifier, Endpoint) and not identifier.protocol)
