"""Register models by hand: what a job made under a name of one's own, or what is served elsewhere."""

import re
from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.ports import Outcome, Outcomes, Write
from tuneway.registry.made import registered_as, version_of
from tuneway.registry.models.model_desk import Who, Words, pointed, revised
from tuneway.registry.models.model_shelf import ModelShelf, Routes, names_of
from tuneway.registry.naming import DEFAULT, check_name
from tuneway.registry.shelves import Model, Version
from tuneway.routing.names import place
from tuneway.routing.routes import Target
from tuneway.state import Stored

ELSEWHERE = "elsewhere"
RESOURCE = re.compile(
    r"projects/[a-z0-9][a-z0-9.:-]{0,62}/locations/[a-z][a-z0-9-]{0,40}/models/[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
)
SHOWN = 80


class Into(msgspec.Struct, frozen=True, kw_only=True):
    """The model that a version is put into, made if it is not there: ``owner`` is whose it is then.

    ``shared`` lets every tenant call it.
    """

    name: str
    owner: str
    words: Words = Words()
    shared: bool = False


class Registering:
    """The use cases; doing one again changes nothing. ``changed`` hears of models that a provider's registry has.

    Raises BadInput, NotFound, TryLater.
    """

    def __init__(
        self, shelf: ModelShelf, outcomes: Outcomes, *, changed: Callable[[str], None] = lambda _: None
    ) -> None:
        self._shelf = shelf
        self._outcomes = outcomes
        self._changed = changed

    def made_by(self, job: str, *, who: Who) -> tuple[Model, Version]:
        """What registered itself when the job had finished."""
        id_, number = registered_as(self._outcome(job, who))
        try:
            model = self._shelf.owned(id_, who.owner).value
            return model, self._shelf.version(model, number).value
        except NotFound as missing:
            said = f"What job '{job}' made is not registered (any more). Give it a name: it is registered under that."
            raise BadInput(said, param="name", code="model_not_registered") from missing

    def from_job(self, job: str, into: Into, *, who: Who) -> tuple[Model, Version]:
        """What the job made, as the next version of a model with a name of its own."""
        outcome = self._outcome(job, who)
        if who.owner is None:
            into = msgspec.structs.replace(into, owner=outcome.owner)
        return self._put(_copy(outcome), into, who=who)

    def from_targets(
        self, targets: tuple[Target, ...], into: Into, *, base_model: str, who: Who
    ) -> tuple[Model, Version]:
        """What is served elsewhere, as the next version of a model."""
        version = Version(
            model=into.name,
            number="",
            resource=place(targets[0]),
            job="",
            dataset_sha256="",
            alias=into.name,
            created_at=self._shelf.now(),
            backend=ELSEWHERE,
            targets=targets,
            base_model=base_model or targets[0].model or place(targets[0]),
        )
        return self._put(version, into, who=who)

    def from_provider(self, resource: str, into: Into) -> Model:
        """A model of the provider's own registry: its versions come in with the first look at it."""
        check_name(into.name)
        into.words.check()
        if RESOURCE.fullmatch(resource) is None:
            said = f"'{resource[:SHOWN]}' names no model: projects/{{project}}/locations/{{location}}/models/{{model}}."
            raise BadInput(said, param="vertex", code="invalid_value")
        known = [each.value for each in self._shelf.models.find(("resource", "==", resource))]
        if known:
            same = (known[0].id, known[0].owner) == (into.name, into.owner)
            return known[0] if same else _refuse_known(known[0])
        if self._there(into) is not None:
            raise BadInput(f"The name '{into.name}' is in use. Choose another.", param="name", code="alias_in_use")
        plain = Model(
            id=into.name,
            name=into.name,
            owner=into.owner,
            base_model="",
            resource=resource,
            created_at=self._shelf.now(),
            shared=into.shared,
            state="importing",
            mirror_due=0.0,
        )
        model = msgspec.structs.replace(plain, **into.words.given)
        try:
            self._shelf.documents.commit(self._shelf.models.create(model.id, model))
        except Conflict as fault:
            raise TryLater(f"The name '{into.name}' was taken just now. Ask again.") from fault
        self._changed(model.id)
        return model

    def _outcome(self, job: str, who: Who) -> Outcome:
        outcome = self._outcomes.of(job)
        if outcome is None or who.owner not in {None, outcome.owner}:
            said = f"There is no finished job '{job[:SHOWN]}' of yours. GET /v1/fine_tuning/jobs lists them."
            raise BadInput(said, param="job", code="job_not_found")
        return outcome

    def _put(self, version: Version, into: Into, *, who: Who) -> tuple[Model, Version]:
        check_name(into.name)
        into.words.check()
        for _ in self._shelf.attempts():
            stored = self._there(into)
            if stored is not None and (known := self._known(stored.value, version)):
                return stored.value, known
            try:
                return self._commit(stored, version, into, who=who)
            except Conflict:
                continue
        raise AssertionError

    def _there(self, into: Into) -> Stored[Model] | None:
        stored = self._shelf.models.known(into.name)
        if stored is None:
            return None
        if stored.value.owner != into.owner:
            raise BadInput(f"The name '{into.name}' is in use. Choose another.", param="name", code="alias_in_use")
        if stored.value.state == "archived":
            raise BadInput(f"Model '{into.name}' is archived. Restore it first.", param="name", code="archived")
        if stored.value.resource:
            said = f"The versions of '{into.name}' are those of {stored.value.resource}. Choose another name."
            raise BadInput(said, param="name", code="model_of_provider")
        return stored

    def _known(self, model: Model, wanted: Version) -> Version | None:
        same = (each for each in self._shelf.all_versions(model.id) if _came_from(each) == _came_from(wanted))
        return next(same, None)

    def _commit(self, stored: Stored[Model] | None, version: Version, into: Into, *, who: Who) -> tuple[Model, Version]:
        number = str((stored.value.last if stored else 0) + 1)
        version = msgspec.structs.replace(version, model=into.name, number=number, created_at=self._shelf.now())
        write: Write
        routes: Routes = {}
        if stored is None:
            model = self._new(version, into, who=who)
            write, routes = self._shelf.models.create(model.id, model), self._first_routes(model, version)
        else:
            labelled = msgspec.structs.replace(version, **into.words.given)
            model, version = _with_version(stored.value, labelled), labelled
            write = self._shelf.models.replace(stored, model)
        kept = self._shelf.versions(model.id).create(number, version)
        before = stored.value if stored else msgspec.structs.replace(model, aliases={})
        self._shelf.commit(before, routes, write, kept, by=who.name)
        return model, version

    def _new(self, version: Version, into: Into, *, who: Who) -> Model:
        plain = Model(
            id=into.name,
            name=into.name,
            owner=into.owner,
            base_model=version.base_model,
            resource="",
            created_at=version.created_at,
            alias=version.alias,
            shared=into.shared,
            last=1,
        )
        worded = msgspec.structs.replace(plain, **into.words.given)
        first = pointed(worded, DEFAULT, version.number, by=who.name, at=version.created_at)
        return msgspec.structs.replace(first, revision=1)

    def _first_routes(self, model: Model, version: Version) -> Routes:
        """The model answers by its name at once, where it answers at all."""
        targets = self._shelf.targets(model, version)
        return dict.fromkeys(names_of(model, DEFAULT), targets) if targets else {}


def _refuse_known(model: Model) -> Model:
    said = f"That model is registered already, as '{model.id}'."
    raise BadInput(said, param="vertex", code="already_registered")


def _copy(outcome: Outcome) -> Version:
    """The version that the job made, to be put into another model."""
    return msgspec.structs.replace(version_of(outcome), copy_of="@".join(registered_as(outcome)))


def _with_version(model: Model, version: Version) -> Model:
    return revised(model, msgspec.structs.replace(model, last=model.last + 1, alias=version.alias))


def _came_from(version: Version) -> tuple[str, tuple[Target, ...]]:
    return version.job, version.targets
