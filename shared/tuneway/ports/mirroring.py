"""A provider's own registry of models, which people also change in its console."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class ListedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the provider lists it; ``tuned`` says that the provider's own tuning made it.

    ``base_model`` is what it was made from, as far as the provider tells it. Times are Unix seconds.
    """

    number: str
    created_at: float
    aliases: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    base_model: str | None = None
    tuned: bool = False


class ModelListings(Protocol):
    """The registry of one provider. Raises BadInput or NotAllowed (permanent) and TryLater."""

    def versions(self, model: str) -> Sequence[ListedVersion] | None:
        """All versions of the model with this resource name, oldest first; None when there is no such model."""
        ...

    def endpoint(self, model: str, version: str) -> str | None:
        """Where the version is deployed, at one place of several; None when nowhere."""
        ...

    def point(self, model: str, version: str, *, added: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        """Give the version aliases, taking them from the others, or take them away. Doing it again changes nothing."""
        ...

    def label(self, model: str, version: str, labels: dict[str, str]) -> None:
        """Have these be all labels of the version."""
        ...
