"""``/v1/registry/models``: register, edit, point aliases, compare, trace, archive and delete."""

from collections.abc import Callable
from typing import Protocol

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.preconditions import expected_version
from tuneway.edge.registry.model_bodies import (
    Edit,
    Point,
    Register,
    shown,
    shown_aliases,
    shown_lineage,
    shown_version,
    tagged,
    truth,
    who_asks,
)
from tuneway.edge.registry.model_reading import MODELS
from tuneway.errors import BadInput, NotAllowed, NotFound
from tuneway.ports import Documents, Events
from tuneway.registry.models.comparing import compared
from tuneway.registry.models.lineage import Lineages
from tuneway.registry.models.mirror import MirrorBeat
from tuneway.registry.models.model_desk import ModelDesk, Who
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.model_uses import Uses
from tuneway.registry.models.registering import Into, Registering
from tuneway.registry.naming import check_owner
from tuneway.registry.route_book import RouteBook
from tuneway.registry.shelves import Model, Version
from tuneway.routing.identifiers import Alias, Identifier, parse
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults, target_of
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.origins import JobOrigins
from tuneway.tuning.outcomes import FinishedJobs

Placed = Callable[[str, str], tuple[Target, ...]]
"""The targets that an identifier, or the alias of a route, leads to, for an owner. Raises BadInput."""


class Settling(Protocol):
    """What routes know of targets (``RouteDesk``)."""

    @property
    def defaults(self) -> Defaults:
        """What stands in where identifiers leave something open."""
        ...

    def settled(self, target: Target, identifier: Identifier | None, *, owner: str) -> tuple[Target, list[str]]:
        """The target, asked what it speaks where its name leaves that open, and warnings. Raises BadInput."""
        ...


NEEDS_NAME = "Give the model a name: 3 to 63 small letters, digits, '_' and '-'."


class ModelRegistry:
    """The handlers; every one acts on the caller's own models, an admin's on everybody's."""

    def __init__(
        self, desk: ModelDesk, registering: Registering, *, uses: Uses, lineages: Lineages, placed: Placed
    ) -> None:
        self._desk = desk
        self._registering = registering
        self._uses = uses
        self._lineages = lineages
        self._placed = placed

    def register(self, call: Call) -> Body:
        """``POST …/models``."""
        body = decoded(call.body(), Register)
        body.check()
        if body.vertex is not None:
            into = _into(body, body.name, _owner(body, who_asks(call.grant)))
            return _model(self._registering.from_provider(body.vertex, into))
        return _with_version(*self._registered(body, body.name, call))

    def add_version(self, call: Call) -> Body:
        """``POST …/models/{model}/versions``: the next version of a model with a name of its own."""
        body = decoded(call.body(), Register)
        body.check()
        if body.vertex is not None or body.name not in {None, call.path["model"]}:
            param = "vertex" if body.vertex is not None else "name"
            said = f"The model is named in the path, and its versions are jobs' and endpoints. Leave '{param}' out."
            raise BadInput(said, param=param, code="invalid_value")
        return _with_version(*self._registered(body, call.path["model"], call))

    def edit(self, call: Call) -> Body:
        """``PATCH …/models/{model}``."""
        body = decoded(call.body(), Edit)
        who, expected = who_asks(call.grant), expected_version(call, body.revision)
        return _model(self._desk.edit(call.path["model"], body.words, who=who, expected=expected))

    def edit_version(self, call: Call) -> Body:
        """``PATCH …/models/{model}/versions/{version}``."""
        body = decoded(call.body(), Edit)
        who, expected = who_asks(call.grant), expected_version(call, body.revision)
        return _version(
            self._desk.edit_version(call.path["model"], call.path["version"], body.words, who=who, expected=expected)
        )

    def point(self, call: Call) -> Body:
        """``PUT …/models/{model}/aliases/{alias}``."""
        body = decoded(call.body(), Point)
        who, expected = who_asks(call.grant), expected_version(call, body.revision)
        after = self._desk.point(
            call.path["model"], call.path["alias"], body.version, who=who, expected=expected, was=body.was
        )
        return tagged(shown_aliases(after), after.revision)

    def unpoint(self, call: Call) -> Body:
        """``DELETE …/models/{model}/aliases/{alias}``."""
        who, expected = who_asks(call.grant), expected_version(call)
        after = self._desk.unpoint(call.path["model"], call.path["alias"], who=who, expected=expected)
        return tagged(shown_aliases(after), after.revision)

    def offer(self, *, offered: bool) -> Callable[[Call], Body]:
        """``POST …/models/{model}[/versions/{version}]/archive`` and ``…/restore``."""

        def handler(call: Call) -> Body:
            who, expected = who_asks(call.grant), expected_version(call)
            model, version = call.path["model"], call.path.get("version")
            if version is None:
                return _model(self._desk.offer(model, offered=offered, who=who, expected=expected))
            return _version(self._desk.offer_version(model, version, offered=offered, who=who, expected=expected))

        return handler

    def uses(self, call: Call) -> Body:
        """``GET …/models/{model}[/versions/{version}]/uses``."""
        found = self._uses.of(call.path["model"], call.path.get("version"), who=who_asks(call.grant))
        return {"object": "list", "data": found}

    def delete(self, call: Call) -> Body:
        """``DELETE …/models/{model}``."""
        who, expected = who_asks(call.grant), expected_version(call)
        gone = self._uses.delete(call.path["model"], who=who, force=truth(call, "force"), expected=expected)
        return {"object": "registry.model", "id": gone.id, "deleted": True}

    def delete_version(self, call: Call) -> Body:
        """``DELETE …/models/{model}/versions/{version}``."""
        who, expected = who_asks(call.grant), expected_version(call)
        model, gone = self._uses.delete_version(
            call.path["model"], call.path["version"], who=who, force=truth(call, "force"), expected=expected
        )
        return {"object": "registry.version", "model": model.id, "number": gone.number, "deleted": True}

    def compare(self, call: Call) -> Body:
        """``GET …/models:compare?versions=a@1,b@prod``."""
        names = [name for name in call.query.get("versions", "").split(",") if name]
        found = compared(self._lineages, names, owner=who_asks(call.grant).owner)
        return {"object": "registry.comparison", "versions": found.versions, "rows": found.rows}

    def lineage(self, call: Call) -> Body:
        """``GET …/models/{model}/versions/{version}/lineage``."""
        owner = who_asks(call.grant).owner
        return shown_lineage(self._lineages.of(call.path["model"], call.path["version"], owner=owner))

    def _registered(self, body: Register, name: str | None, call: Call) -> tuple[Model, Version]:
        who = who_asks(call.grant)
        owner = _owner(body, who)
        if body.job is not None and name is None:
            if body.words.given:
                raise BadInput(NEEDS_NAME, param="name", code="missing_required_parameter")
            return self._registering.made_by(body.job, who=who)
        into = _into(body, name, owner)
        if body.job is not None:
            return self._registering.from_job(body.job, into, who=who)
        targets = self._placed(body.endpoint or "", owner)
        return self._registering.from_targets(targets, into, base_model=body.base_model or "", who=who)


def rules(registry: ModelRegistry) -> list[Rule]:
    """The door's rules; what is not a job's is registered by admins, which is decided there."""
    one = f"{MODELS}/{{model}}"
    version = f"{one}/versions/{{version}}"
    alias = f"{one}/aliases/{{alias}}"
    tune = Scope.TUNE
    return [
        Rule("GET", f"{MODELS}:compare", tune, registry.compare),
        Rule("POST", MODELS, tune, registry.register),
        Rule("PATCH", one, tune, registry.edit),
        Rule("DELETE", one, tune, registry.delete),
        Rule("GET", f"{one}/uses", tune, registry.uses),
        Rule("POST", f"{one}/archive", tune, registry.offer(offered=False)),
        Rule("POST", f"{one}/restore", tune, registry.offer(offered=True)),
        Rule("PUT", alias, tune, registry.point),
        Rule("DELETE", alias, tune, registry.unpoint),
        Rule("POST", f"{one}/versions", tune, registry.add_version),
        Rule("PATCH", version, tune, registry.edit_version),
        Rule("DELETE", version, tune, registry.delete_version),
        Rule("GET", f"{version}/uses", tune, registry.uses),
        Rule("GET", f"{version}/lineage", tune, registry.lineage),
        Rule("POST", f"{version}/archive", tune, registry.offer(offered=False)),
        Rule("POST", f"{version}/restore", tune, registry.offer(offered=True)),
    ]


def built(
    documents: Documents, events: Events, *, desk: Settling, book: RouteBook, now: Callable[[], float]
) -> list[Rule]:
    """The rules over the state."""
    shelf, origins = ModelShelf(documents, now=now), JobOrigins(documents)
    changed = MirrorBeat(documents, events, now).tell
    registry = ModelRegistry(
        ModelDesk(shelf, changed=changed),
        Registering(shelf, FinishedJobs(Lifecycle(documents, events, now)), changed=changed),
        uses=Uses(shelf, origins),
        lineages=Lineages(shelf, origins),
        placed=_placed_by(desk, book),
    )
    return rules(registry)


def _placed_by(desk: Settling, book: RouteBook) -> Placed:
    """How an endpoint is found: a route's targets by its alias, or the one that any other name says."""

    def placed(text: str, owner: str) -> tuple[Target, ...]:
        try:
            identifier = parse(text)
            if isinstance(identifier, Alias):
                return book.get(identifier.name).targets
            target, _ = desk.settled(target_of(identifier, desk.defaults), identifier, owner=owner)
        except (BadInput, NotFound) as fault:
            raise BadInput(fault.message, param="endpoint", code=fault.code) from fault
        return (target,)

    return placed


def _owner(body: Register, who: Who) -> str:
    """Whose the model is. Raises NotAllowed for what only an admin may register."""
    if who.owner is None:
        if body.owner is not None:
            check_owner(body.owner)
        return body.owner or who.name
    for field in ("endpoint", "vertex"):
        if getattr(body, field) is not None:
            said = f"Only an admin's key registers what no job of yours made ('{field}'): it may be another tenant's."
            raise NotAllowed(said, param=field)
    if body.shared or body.owner not in {None, who.owner}:
        raise NotAllowed("Only an admin's key registers for others.", param="shared" if body.shared else "owner")
    return who.owner


def _into(body: Register, name: str | None, owner: str) -> Into:
    if name is None:
        raise BadInput(NEEDS_NAME, param="name", code="missing_required_parameter")
    return Into(name=name, owner=owner, words=body.words, shared=body.shared)


def _with_version(model: Model, version: Version) -> Body:
    return tagged({**shown(model), "version": shown_version(version, model)}, model.revision)


def _model(model: Model) -> Body:
    return tagged(shown(model), model.revision)


def _version(version: Version) -> Body:
    return tagged(shown_version(version), version.revision)
