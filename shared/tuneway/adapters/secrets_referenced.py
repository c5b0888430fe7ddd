"""Secrets by the form of their reference: each form has its place."""

from collections.abc import Mapping

from tuneway.adapters.answers import missing
from tuneway.ports import Secrets


class ReferencedSecrets:
    """``ports.Secrets`` over several, by prefix: ``{"env:": …, "projects/": …}``."""

    def __init__(self, places: Mapping[str, Secrets]) -> None:
        self._places = places

    async def value(self, ref: str) -> str:
        """What the reference's place holds. Raises UpstreamError (502)."""
        for prefix, place in self._places.items():
            if ref.startswith(prefix):
                return await place.value(ref)
        raise missing(f"a reference to a secret begins with none of {', '.join(self._places)}")
