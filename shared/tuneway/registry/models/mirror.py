"""Keep registered models and the provider's own registry in step, whoever changed either since they were compared.

What was changed there alone comes in; what was changed here alone goes out; what was changed in both is as it is here.
The provider is told first and the state written then: a look that dies in between finds both the same, and goes on.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import Documents, Events, ListedVersion, Message, ModelListings, Topic, Write
from tuneway.registry.models.model_desk import pointed, revised
from tuneway.registry.models.model_shelf import ModelShelf, Routes, names_of
from tuneway.registry.naming import DEFAULT
from tuneway.registry.shelves import Mirrored, Model, Version
from tuneway.routing.routes import Target
from tuneway.state import Collection, Stored

CONSOLE = "Vertex AI's registry"
PACE = 6 * 3600.0
"""Seconds between two looks at a model that nobody changed here."""

QUIET = ("mirror_due", "mirrored", "mirror_error", "revision")
HOUR, WINDOW = 3600.0, 60.0
MOST_AT_ONCE = 100
PASSING = (TryLater, NotFound)

log = logging.getLogger(__name__)


class ModelRef(msgspec.Struct, frozen=True):
    """What messages about a registered model carry."""

    model_id: str


class MirrorBeat:
    """The tick's part: once an hour it asks which models are due. In all other minutes it asks nothing."""

    def __init__(self, documents: Documents, events: Events, now: Callable[[], float]) -> None:
        self._models = Collection(documents, "models", Model)
        self._events = events
        self._now = now

    def tick(self) -> int:
        """One message for each model that is due, a hundred at a time; how many. Raises TryLater."""
        now = self._now()
        if now % HOUR >= WINDOW:
            return 0
        due = self._models.find(("mirror_due", "<=", now), order_by="mirror_due", limit=MOST_AT_ONCE)
        self._events.publish(*(_message(each.id) for each in due))
        return len(due)

    def tell(self, model: str) -> None:
        """Have the model looked at soon; what cannot be sent now waits for the tick."""
        try:
            self._events.publish(_message(model))
        except TryLater as fault:
            log.warning("The message about model %s waits for the next tick: %s", model, fault.message)


class Mirror:
    """The handler of messages about models; repeating the call changes nothing. Raises TryLater.

    What the provider refuses, or fails to answer, stands in the model's ``mirror_error`` until it went well.
    """

    def __init__(self, shelf: ModelShelf, listings: Callable[[], ModelListings]) -> None:
        self._shelf = shelf
        self._listings = listings

    def __call__(self, ref: ModelRef) -> None:
        """Bring both sides in step."""
        for _ in self._shelf.attempts():
            stored = self._shelf.models.known(ref.model_id)
            if stored is None:
                log.warning("There is no model %s any more.", ref.model_id)
                return
            if stored.value.mirror_due is None:
                return
            try:
                self._looked_at(stored)
            except Conflict:
                continue
            return

    def _looked_at(self, stored: Stored[Model]) -> None:
        try:
            self._compared(stored)
        except (BadInput, NotAllowed, NotFound, TryLater) as fault:
            # Not the message's fault: a model that was edited stays due for the next hour, any other waits its turn.
            # What was deleted there in this very moment is not there any more when it is looked at again.
            log.warning("Model %s cannot be compared with its provider's registry: %s", stored.id, fault.message)
            failed = msgspec.structs.replace(stored.value, mirror_error=fault.message)
            self._write(stored, failed, [], due=stored.value.mirror_due if isinstance(fault, PASSING) else None)

    def _compared(self, stored: Stored[Model]) -> None:
        listed = self._listings().versions(stored.value.resource)
        if listed is None:
            self._write(stored, msgspec.structs.replace(_marked(stored.value, "gone"), mirror_error=None), [])
            return
        self._in_step(stored, [each for each in listed if each.number not in stored.value.forgotten])

    def _in_step(self, stored: Stored[Model], listed: Sequence[ListedVersion]) -> None:
        model, own = stored.value, {each.value.number: each for each in self._shelf.versions(stored.id).find()}
        theirs = {alias: each.number for each in listed for alias in each.aliases}
        base = model.mirrored.aliases if model.mirrored else _unmoved(model)
        aliases = merged(base, model.aliases, theirs)
        if DEFAULT in model.aliases:
            aliases.setdefault(DEFAULT, model.aliases[DEFAULT])
        changed = {alias for alias in {*base, *model.aliases} if model.aliases.get(alias) != base.get(alias)}
        # An alias that was given to a version which was deleted there waits here: nobody there could have it.
        there = {each.number for each in listed}
        known = sorted(alias for alias in changed if aliases.get(alias) is None or aliases[alias] in there)
        self._push_aliases(model, known, wanted=aliases, theirs=theirs)
        versions = {each.number: self._version(model, each, own.get(each.number)) for each in listed}
        writes = [*self._written(model, versions, own), *self._vanished(model, versions, own)]
        labels = {number: dict(version.labels) for number, version in versions.items()}
        after = _with_aliases(model, aliases, at=self._shelf.now())
        seen = Mirrored(at=self._shelf.now(), aliases=aliases, labels=labels)
        first = next(iter(versions.values()), None)
        after = msgspec.structs.replace(
            _marked(after, "ready" if model.state in {"importing", "gone"} else model.state),
            base_model=model.base_model or (first.base_model if first else ""),
            mirrored=seen,
            mirror_error=None,
        )
        self._write(stored, after, writes, routes=self._routes(model, after, versions))

    def _push_aliases(
        self, model: Model, changed: Sequence[str], *, wanted: Mapping[str, str], theirs: Mapping[str, str]
    ) -> None:
        """Tell the provider what was changed here."""
        for alias in changed:
            number, there = wanted.get(alias), theirs.get(alias)
            if number is not None and number != there:
                self._listings().point(model.resource, number, added=(alias,))
            elif number is None and there is not None:
                self._listings().point(model.resource, there, removed=(alias,))

    def _version(self, model: Model, listed: ListedVersion, own: Stored[Version] | None) -> Version:
        """The version in step with the provider's, which is told what was changed here."""
        if own is None:
            return self._taken_in(model, listed)
        base = (model.mirrored.labels if model.mirrored else {}).get(listed.number, {})
        labels = merged(base, own.value.labels, listed.labels)
        if labels != listed.labels and own.value.labels != base:
            self._listings().label(model.resource, listed.number, labels)
        elif labels != listed.labels:
            labels = dict(listed.labels)
        state = "ready" if own.value.state == "gone" else own.value.state
        changed = msgspec.structs.replace(own.value, labels=labels, state=state)
        return changed if changed == own.value else msgspec.structs.replace(changed, revision=changed.revision + 1)

    def _taken_in(self, model: Model, listed: ListedVersion) -> Version:
        return Version(
            model=model.id,
            number=listed.number,
            resource=f"{model.resource}@{listed.number}",
            job="",
            dataset_sha256="",
            alias=model.called,
            created_at=listed.created_at,
            backend="vertex_ai" if listed.tuned else "vertex_registry",
            endpoint=self._listings().endpoint(model.resource, listed.number),
            base_model=listed.base_model or "",
            labels=dict(listed.labels),
        )

    def _written(
        self, model: Model, versions: Mapping[str, Version], own: Mapping[str, Stored[Version]]
    ) -> list[Write]:
        shelf = self._shelf.versions(model.id)
        new = [shelf.create(number, version) for number, version in versions.items() if number not in own]
        changed = [n for n, version in versions.items() if n in own and version != own[n].value]
        return [*new, *(shelf.replace(own[number], versions[number]) for number in changed)]

    def _vanished(
        self, model: Model, versions: Mapping[str, Version], own: Mapping[str, Stored[Version]]
    ) -> list[Write]:
        """What was deleted there is marked, and stays."""
        lost = [each for n, each in own.items() if n not in versions and each.value.state != "gone"]
        shelf = self._shelf.versions(model.id)
        return [
            shelf.replace(each, msgspec.structs.replace(each.value, state="gone", revision=each.value.revision + 1))
            for each in lost
        ]

    def _routes(self, before: Model, after: Model, versions: Mapping[str, Version]) -> Routes:
        """Where the names lead whose aliases were moved there. One to a version that does not answer stays."""
        routes: dict[str, tuple[Target, ...] | None] = {}
        for alias in sorted({*before.aliases, *after.aliases}):
            number = after.aliases.get(alias)
            if number == before.aliases.get(alias):
                continue
            version = versions.get(number) if number else None
            targets = self._shelf.targets(after, version) if version else None
            if number is None or targets:
                routes |= dict.fromkeys(_callable(after, alias), targets)
        return routes

    def _write(
        self,
        stored: Stored[Model],
        after: Model,
        writes: Sequence[Write],
        *,
        routes: Routes | None = None,
        due: float | None = None,
    ) -> None:
        """An edit counts as one; to have looked does not."""
        quiet = {name: getattr(stored.value, name) for name in QUIET}
        edited = revised(stored.value, msgspec.structs.replace(after, **quiet))
        final = msgspec.structs.replace(
            edited,
            mirrored=after.mirrored,
            mirror_error=after.mirror_error,
            mirror_due=self._shelf.now() + PACE if due is None else due,
        )
        write = self._shelf.models.replace(stored, final)
        try:
            self._shelf.commit(stored.value, routes or {}, write, *writes, by=CONSOLE)
        except BadInput as fault:  # a name of an alias is somebody else's: it leads where it led
            log.warning("The names of model %s stay as they are: %s", stored.id, fault.message)
            self._shelf.commit(stored.value, {}, write, *writes, by=CONSOLE)


def merged(base: Mapping[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """What both were, with the changes of either; where both changed the same, ours."""
    found = {key: theirs.get(key) if ours.get(key) == base.get(key) else ours.get(key) for key in {*ours, *theirs}}
    return {key: value for key, value in sorted(found.items()) if value is not None}


def _unmoved(model: Model) -> dict[str, str]:
    """Aliases that nobody has moved here: those that a model is registered with."""
    moved = {move.alias for move in model.moves}
    return {alias: number for alias, number in model.aliases.items() if alias not in moved}


def _with_aliases(model: Model, aliases: Mapping[str, str], *, at: float) -> Model:
    for alias in sorted({*model.aliases, *aliases}):
        model = pointed(model, alias, aliases.get(alias), by=CONSOLE, at=at)
    return model


def _marked(model: Model, state: str) -> Model:
    return msgspec.structs.replace(model, state=state)


def _callable(model: Model, alias: str) -> list[str]:
    """The names of the alias; one whose name would be too long is called by nobody."""
    try:
        return names_of(model, alias)
    except BadInput:
        return []


def _message(model: str) -> Message:
    body = msgspec.json.encode(ModelRef(model))
    return Message(topic=Topic.DEPLOY_REQUESTED, data=body, attributes={"model_id": model})
