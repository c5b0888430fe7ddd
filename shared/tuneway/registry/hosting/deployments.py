"""Write down what an endpoint was found to speak, so that it is asked once and everybody can see the answer."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from tuneway.errors import Conflict, NotFound
from tuneway.ports import Documents
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.routing.routes import Target
from tuneway.state import Collection


class Deployments:
    """What is known of endpoints."""

    def __init__(self, documents: Documents, *, now: Callable[[], float]) -> None:
        self._documents = documents
        self._deployments = Collection(documents, "deployments", Deployment)
        self._now = now

    def found(self, target: Target, *, owner: str) -> Deployment:
        """The endpoint's entry, with the dialect and the host it was found to have; repeating it changes nothing.

        Raises Conflict when another endpoint has its id, or when the entry keeps changing.
        """
        id_ = target.resource.rpartition("/")[2]
        try:
            stored = self._deployments.get(id_)
        except NotFound:
            new = Deployment(
                id=id_, owner=owner, endpoint=target.resource, dialect=target.dialect, created_at=self._now()
            )
            now_known = _heard(new, target)
            self._documents.commit(self._deployments.create(id_, now_known))
            return now_known
        known = stored.value
        if known.order is not None and not known.endpoint:
            return known  # on its way: whoever deploys it writes down how it is called
        if known.endpoint.partition("/locations/")[2] != target.resource.partition("/locations/")[2]:
            raise Conflict(f"Another endpoint is known as '{id_}': {known.endpoint}.", param="identifier")
        now_known = _heard(known, target)
        if now_known != known:
            self._documents.commit(self._deployments.replace(stored, now_known))
        return now_known

    def named(self, target: Target, known: Deployment) -> Target:
        """The target under its base model's name, where tuneway made what Google serves there.

        An endpoint's number does not say which family's quirks the model has (``prediction/profiles.json``).
        """
        if target.dialect != "gemini" or target.model or not known.model:
            return target
        return msgspec.structs.replace(target, model=self._base_of(known))

    def _base_of(self, known: Deployment) -> str:
        """The version's, else its model's; nothing where they are gone."""
        with suppress(NotFound):
            versions = Collection(self._documents, f"models/{known.model}/versions", Version)
            if base := versions.get(known.version).value.base_model:
                return base
        with suppress(NotFound):
            return Collection(self._documents, "models", Model).get(known.model).value.base_model
        return ""


def _heard(known: Deployment, target: Target) -> Deployment:
    return msgspec.structs.replace(known, dialect=target.dialect, host=target.host, raw=target.raw)
