"""Look at what is registered; ``owner`` None sees everybody's."""

from collections.abc import Iterator, Mapping

import msgspec

from tuneway.errors import NotFound
from tuneway.ports import Documents, Operator
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.state import Collection

PAGE = 100


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which models are asked for: those with all of ``labels``, and without ``archived`` those that are offered."""

    labels: Mapping[str, str] = {}
    archived: bool = True

    def fits(self, model: Model) -> bool:
        """Whether the model is among them."""
        offered = self.archived or model.state != "archived"
        return offered and self.labels.items() <= model.labels.items()


class Inventory:
    """Models, their versions and their deployments, oldest first."""

    def __init__(self, documents: Documents) -> None:
        self._models = Collection(documents, "models", Model)
        self._deployments = Collection(documents, "deployments", Deployment)
        self._documents = documents

    def models(self, *, owner: str | None) -> list[Model]:
        """The models."""
        return [found.value for found in self._models.find(*_of(owner), order_by="created_at")]

    def page(self, *, owner: str | None, after: str | None, limit: int, sought: Sought) -> list[Model]:
        """Some of the models, after the one with id ``after``. Raises NotFound when that is gone."""
        if after is not None:
            self.model(after, owner=owner)
        found: list[Model] = []
        for model in self._walk(owner, after):
            if sought.fits(model):
                found.append(model)
            if len(found) == limit:
                break
        return found

    def model(self, id_: str, *, owner: str | None) -> Model:
        """One model. Raises NotFound."""
        stored = self._models.known(id_)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no model '{id_}'.", param="model")
        return stored.value

    def versions(self, model: str, *, owner: str | None) -> list[Version]:
        """A model's versions. Raises NotFound."""
        self.model(model, owner=owner)
        return [found.value for found in self._versions(model).find(order_by="created_at")]

    def newest(self, model: str, *, owner: str | None) -> str:
        """The number of a model's newest version. Raises NotFound, also when it has none (yet)."""
        found = self.versions(model, owner=owner)
        if not found:
            raise NotFound(f"Model '{model}' has no version (yet).", param="version")
        return found[-1].number

    def version(self, model: str, number: str, *, owner: str | None) -> Version:
        """One version. Raises NotFound."""
        self.model(model, owner=owner)
        stored = self._versions(model).known(number)
        if stored is None:
            raise NotFound(f"Model '{model}' has no version '{number}'.", param="version")
        return stored.value

    def deployments(self, *, owner: str | None) -> list[Deployment]:
        """The deployments."""
        return [found.value for found in self._deployments.find(*_of(owner), order_by="created_at")]

    def _walk(self, owner: str | None, after: str | None) -> Iterator[Model]:
        """All of them, page by page: a caller's own labels can have no index."""
        while found := self._models.find(*_of(owner), order_by="created_at", after=after, limit=PAGE):
            yield from (each.value for each in found)
            after = found[-1].id

    def _versions(self, model: str) -> Collection[Version]:
        return Collection(self._documents, f"models/{model}/versions", Version)


def _of(owner: str | None) -> tuple[tuple[str, Operator, str], ...]:
    return () if owner is None else (("owner", "==", owner),)
