"""Look at what is registered; ``owner`` None sees everybody's."""

from tuneway.errors import NotFound
from tuneway.ports import Documents, Operator
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.state import Collection


class Inventory:
    """Models, their versions and their deployments, oldest first."""

    def __init__(self, documents: Documents) -> None:
        self._models = Collection(documents, "models", Model)
        self._deployments = Collection(documents, "deployments", Deployment)
        self._documents = documents

    def models(self, *, owner: str | None) -> list[Model]:
        """The models."""
        return [found.value for found in self._models.find(*_of(owner), order_by="created_at")]

    def model(self, id_: str, *, owner: str | None) -> Model:
        """One model. Raises NotFound."""
        missing = NotFound(f"There is no model '{id_}'.", param="model")
        try:
            model = self._models.get(id_).value
        except NotFound:
            raise missing from None
        if owner not in {None, model.owner}:
            raise missing
        return model

    def versions(self, model: str, *, owner: str | None) -> list[Version]:
        """A model's versions. Raises NotFound."""
        self.model(model, owner=owner)
        return [found.value for found in self._versions(model).find(order_by="created_at")]

    def version(self, model: str, number: str, *, owner: str | None) -> Version:
        """One version. Raises NotFound."""
        self.model(model, owner=owner)
        try:
            return self._versions(model).get(number).value
        except NotFound:
            raise NotFound(f"Model '{model}' has no version '{number}'.", param="version") from None

    def deployments(self, *, owner: str | None) -> list[Deployment]:
        """The deployments."""
        return [found.value for found in self._deployments.find(*_of(owner), order_by="created_at")]

    def _versions(self, model: str) -> Collection[Version]:
        return Collection(self._documents, f"models/{model}/versions", Version)


def _of(owner: str | None) -> tuple[tuple[str, Operator, str], ...]:
    return () if owner is None else (("owner", "==", owner),)
