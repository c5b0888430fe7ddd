"""Edits of registered models: labels and words, version aliases, what is offered. Each names the version it is of."""

from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, Conflict, Stale
from tuneway.registry.models.model_shelf import ModelShelf, Routes, names_of
from tuneway.registry.naming import DEFAULT, check_alias, check_called, check_description, check_labels
from tuneway.registry.shelves import AliasMove, Model, Version
from tuneway.state import Stored, check_version

REMEMBERED = 100
"""Moves of aliases; what came before is in the logs."""


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who edits: ``owner`` None is an admin, who acts for everybody; ``name`` stands in the history."""

    owner: str | None
    name: str


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What people say of a model or a version; None leaves it as it is. ``labels`` are all of them."""

    description: str | None = None
    labels: dict[str, str] | None = None

    def check(self) -> None:
        """Whether they are allowed. Raises BadInput."""
        check_description(self.description or "")
        check_labels(self.labels or {})

    @property
    def given(self) -> dict[str, object]:
        """The fields that change."""
        both = {"description": self.description, "labels": self.labels}
        return {name: value for name, value in both.items() if value is not None}


class ModelDesk:
    """The use cases; ``changed`` hears of edited models that a provider's registry has, too.

    ``expected`` is the revision that an edit was made from, None for any. Raises NotFound, BadInput, Stale, TryLater.
    """

    def __init__(self, shelf: ModelShelf, *, changed: Callable[[str], None] = lambda _: None) -> None:
        self._shelf = shelf
        self._changed = changed

    def edit(self, model: str, words: Words, *, who: Who, expected: int | None) -> Model:
        """Other labels, another description."""
        words.check()
        return self._edited(model, lambda kept: msgspec.structs.replace(kept, **words.given), who=who, of=expected)

    def edit_version(self, model: str, version: str, words: Words, *, who: Who, expected: int | None) -> Version:
        """Other labels of a version, another description."""
        words.check()
        return self._edited_version(model, version, words.given, who=who, expected=expected)

    def offer(self, model: str, *, offered: bool, who: Who, expected: int | None) -> Model:
        """Archive a model, or offer it again. What calls it goes on."""

        def step(kept: Model) -> Model:
            state = _offered(kept.state, offered=offered, what=f"model '{kept.id}'")
            # One whose deletion was cut short is not compared with the provider's registry any more.
            due = 0.0 if offered and kept.mirrored is not None else kept.mirror_due
            return msgspec.structs.replace(kept, state=state, mirror_due=due)

        return self._edited(model, step, who=who, of=expected)

    def offer_version(self, model: str, version: str, *, offered: bool, who: Who, expected: int | None) -> Version:
        """Archive a version, or offer it again."""
        shelf = self._shelf
        kept = shelf.version(shelf.owned(model, who.owner).value, version).value
        state = _offered(kept.state, offered=offered, what=f"version '{kept.number}'")
        return self._edited_version(model, kept.number, {"state": state}, who=who, expected=expected)

    def point(
        self,
        model: str,
        alias: str,
        version: str,
        *,
        who: Who,
        expected: int | None,
        was: str | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> Model:
        """Give a version the alias, and take it from the one that had it. Doing it again changes nothing.

        ``was`` is the version that is to have it now, None for none.
        """
        check_alias(alias)
        for _ in self._shelf.attempts():
            stored = self._read(model, who, expected)
            _check_was(stored.value, alias, was)
            named = self._shelf.version(stored.value, version).value
            _refuse_withdrawn(stored.value, named)
            routes = self._routes(stored.value, named, alias)
            after = pointed(stored.value, alias, named.number, by=who.name, at=self._shelf.now())
            if self._kept(stored, after, routes, by=who.name):
                return after
        raise AssertionError

    def unpoint(self, model: str, alias: str, *, who: Who, expected: int | None) -> Model:
        """Take the alias away, and the name that calls it. Doing it again changes nothing."""
        check_alias(alias)
        if alias == DEFAULT:
            said = "A model always has a default version. Give 'default' to another one instead."
            raise BadInput(said, param="alias", code="default_alias")
        for _ in self._shelf.attempts():
            stored = self._read(model, who, expected)
            after = pointed(stored.value, alias, None, by=who.name, at=self._shelf.now())
            gone: Routes = {check_called(stored.value.called, alias): None} if after != stored.value else {}
            if self._kept(stored, after, gone, by=who.name):
                return after
        raise AssertionError

    def _routes(self, model: Model, version: Version, alias: str) -> Routes:
        """Where the alias leads. Raises BadInput when the version does not answer."""
        targets = self._shelf.targets(model, version)
        if not targets:
            raise BadInput(
                f"Version '{version.number}' of '{model.id}' does not answer yet. Deploy it first: tuneway deployments "
                f"create {model.id} --version {version.number}",
                param="version",
                code="version_not_deployed",
            )
        return dict.fromkeys(names_of(model, alias), targets)

    def _read(self, model: str, who: Who, expected: int | None) -> Stored[Model]:
        stored = self._shelf.owned(model, who.owner)
        check_version(expected, stored.value.revision, what=f"model '{model}'", there=stored.value)
        return stored

    def _kept(self, stored: Stored[Model], after: Model, routes: Routes, *, by: str) -> bool:
        """Whether it was written; False when somebody else wrote first."""
        edited = after != stored.value
        writes = [self._shelf.models.replace(stored, after)] if edited else []
        try:
            self._shelf.commit(stored.value, routes, *writes, by=by)
        except Conflict:
            return False
        if edited and after.mirror_due is not None:
            self._changed(after.id)
        return True

    def _edited(self, model: str, step: Callable[[Model], Model], *, who: Who, of: int | None) -> Model:
        for _ in self._shelf.attempts():
            stored = self._read(model, who, of)
            after = revised(stored.value, step(stored.value))
            if self._kept(stored, after, {}, by=who.name):
                return after
        raise AssertionError

    def _edited_version(
        self, model: str, version: str, fields: dict[str, object], *, who: Who, expected: int | None
    ) -> Version:
        for _ in self._shelf.attempts():
            kept = self._shelf.owned(model, who.owner)
            stored = self._shelf.version(kept.value, version)
            what = f"version '{stored.value.number}' of model '{model}'"
            check_version(expected, stored.value.revision, what=what, there=stored.value)
            after = msgspec.structs.replace(stored.value, **fields)
            if after == stored.value:
                return after
            after = msgspec.structs.replace(after, revision=after.revision + 1)
            write = self._shelf.versions(model).replace(stored, after)
            due = msgspec.structs.replace(kept.value, mirror_due=_due_now(kept.value))
            also = [] if due.mirror_due is None else [self._shelf.models.replace(kept, due)]
            try:
                self._shelf.documents.commit(write, *also)
            except Conflict:
                continue
            if also:
                self._changed(model)
            return after
        raise AssertionError


def revised(before: Model, after: Model) -> Model:
    """The edited model with the next revision, its mirror due at once; one that is as it was keeps both."""
    if after == before:
        return after
    return msgspec.structs.replace(after, revision=before.revision + 1, mirror_due=_due_now(after))


def _due_now(model: Model) -> float | None:
    return None if model.mirror_due is None else 0.0


def pointed(model: Model, alias: str, number: str | None, *, by: str, at: float) -> Model:
    """The model with the alias at that version, None for nowhere, and the move in its history."""
    before = model.aliases.get(alias)
    if before == number:
        return model
    others = {name: kept for name, kept in model.aliases.items() if name != alias}
    aliases = others if number is None else {**others, alias: number}
    move = AliasMove(at=at, alias=alias, by=by, before=before, after=number)
    after = msgspec.structs.replace(model, aliases=aliases, moves=(*model.moves, move)[-REMEMBERED:])
    return revised(model, after)


def _check_was(model: Model, alias: str, was: str | msgspec.UnsetType | None) -> None:
    there = model.aliases.get(alias)
    if was is msgspec.UNSET or was == there:
        return
    now = f"is at version '{there}'" if there else "has no version"
    said = f"The alias '{alias}' of '{model.id}' {now}, not '{was}'. Read it again and decide anew."
    raise Stale(said, current=model.revision, there=model, param="was")


def _offered(state: str, *, offered: bool, what: str) -> str:
    if state not in {"ready", "archived"}:
        raise BadInput(f"The {what} is {state}, so it is not offered anyway.", code="not_offered")
    return "ready" if offered else "archived"


def _refuse_withdrawn(model: Model, version: Version) -> None:
    for state, what in ((model.state, f"Model '{model.id}'"), (version.state, f"Version '{version.number}'")):
        if state == "archived":
            raise BadInput(f"{what} is archived. Restore it first.", param="version", code="archived")
        if state == "gone":
            raise BadInput(f"{what} is gone at its provider. Use another.", param="version", code="version_gone")
