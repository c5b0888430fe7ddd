"""What a re-tune made, as the registry keeps it: the version that replaces the old one, and where aliases lead then.

A model with a name of its own gets the next version, whatever base that stands on. A model that a provider or a job
numbers keeps its versions; what was made is then another model, and both name each other.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from tuneway.errors import BadInput, NotFound, Stale
from tuneway.ports import Outcome, Outcomes, Write
from tuneway.registry.made import registered_as
from tuneway.registry.models.model_desk import ModelDesk, Who
from tuneway.registry.models.model_shelf import ModelShelf, names_of
from tuneway.registry.models.registering import Into, Registering
from tuneway.registry.retirements.retune import Retune
from tuneway.registry.shelves import Model, Version
from tuneway.state import Stored


class Successors:
    """The use cases; doing one again changes nothing."""

    def __init__(self, shelf: ModelShelf, outcomes: Outcomes) -> None:
        self._shelf = shelf
        self._outcomes = outcomes
        self._registering = Registering(shelf, outcomes)
        self._desk = ModelDesk(shelf)

    def linked(self, retune: Retune) -> tuple[str, Sequence[Write]]:
        """The new version as ``model@number``, and the writes by which both know of each other.

        Raises BadInput, NotFound, TryLater.
        """
        outcome = self._outcomes.of(retune.job)
        if outcome is None:
            raise NotFound(f"Job {retune.job} is not kept any more.")
        model, number = self._place(retune, outcome)
        made = self._shelf.versions(model).get(number)
        new = f"{model}@{number}"
        writes = [self._written(old, replaced_by=new) for old in self._replaced(retune)]
        return new, [self._written(made, replaces=retune.old), *writes]

    def point(self, retune: Retune) -> None:
        """Give the new version the version aliases whose names the canary has won, so that all say the same.

        One that was given to another version meanwhile stays there. Raises TryLater.
        """
        model = self._own(retune)
        new, _, number = (retune.new or "").rpartition("@")
        if model is None or new != model.id:
            return
        for alias, before in sorted(model.aliases.items()):
            with suppress(BadInput, NotFound, Stale):
                if before == retune.version and retune.alias in names_of(model, alias):
                    who = Who(owner=None, name=retune.by)
                    self._desk.point(model.id, alias, number, who=who, expected=None, was=before)

    def _place(self, retune: Retune, outcome: Outcome) -> tuple[str, str]:
        model = self._own(retune)
        if model is None:
            return registered_as(outcome)
        into = Into(name=model.id, owner=model.owner)
        _, version = self._registering.from_job(retune.job, into, who=Who(owner=None, name=retune.by))
        return model.id, version.number

    def _replaced(self, retune: Retune) -> Iterable[Stored[Version]]:
        """The old version, and the one that it is a copy of."""
        old = self._shelf.versions(retune.model).known(retune.version)
        if old is None:
            return
        yield old
        model, _, number = (old.value.copy_of or "").rpartition("@")
        if model and (origin := self._shelf.versions(model).known(number)) is not None:
            yield origin

    def _own(self, retune: Retune) -> Model | None:
        """The old version's model, if its versions are numbered here."""
        stored = self._shelf.models.known(retune.model)
        return stored.value if stored and stored.value.name == stored.id and not stored.value.resource else None

    def _written(self, stored: Stored[Version], **links: str) -> Write:
        after = msgspec.structs.replace(stored.value, revision=stored.value.revision + 1, **links)
        return self._shelf.versions(stored.value.model).replace(stored, after)
