"""What a name lets one tune: a base model of the catalogue, or a tuned model of one's own."""

from datetime import UTC, datetime

from tuneway.tuning.bases import BaseModel
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.continuing import TunedModels
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.orders import Subject


class Subjects:
    """Finds what is to be tuned, as it stands today."""

    def __init__(self, lifecycle: Lifecycle, catalogue: Catalogue) -> None:
        self._now = lifecycle.now
        self._catalogue = catalogue
        self._tuned = TunedModels(lifecycle)

    def base(self, model: str, *, owner: str | None = None) -> BaseModel:
        """The base model of that name, if the owner may tune it today. Raises BadInput."""
        today = datetime.fromtimestamp(self._now(), UTC).date()
        return self._catalogue.base(model, today=today, owner=owner)

    def named(self, model: str, *, owner: str) -> Subject:
        """A base model, or a tuned model of the owner's. Raises BadInput."""
        if (found := self._tuned.named(model, owner=owner)) is None:
            return Subject(base=self.base(model, owner=owner))
        parent, pre_tuned = found
        return Subject(base=self.base(parent.base_model, owner=owner), pre_tuned=pre_tuned, parent=parent)
