"""A registry with a second version of its model, to be put behind the endpoint of the first."""

from contextlib import suppress
from pathlib import Path

import msgspec

from tests.fakes import Crash, Fuse
from tests.unit.registry.rollouts import MAIN, World
from tuneway.errors import TryLater
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.shelves import Deployment, Version
from tuneway.state import Collection

GUEST = "ft-1-2"
THIRD = "ft-1-3"


class Shared(World):
    """Version 1 is deployed; versions 2 and 3 are there to join it."""

    def __init__(self, folder: Path, *, fuse: Fuse | None = None) -> None:
        super().__init__(folder, usd_per_hour=6.0)
        self.finish()
        self.settle()
        shelf = Collection(self.plain, "models/ft-1/versions", Version)
        first = shelf.get("1").value
        for number in ("2", "3"):
            more = msgspec.structs.replace(first, number=number, endpoint=None, resource=f"r{number}", job="")
            self.plain.commit(shelf.create(number, more))
        self.fuse.left = fuse.left if fuse else None

    def join(self, version: str = "2", *, traffic: int | None = None, beside: str = MAIN) -> Deployment:
        return self.desk.create("ft-1", version, Wish(endpoint=beside, traffic=traffic), owner="acme")

    def shared(self, **traffic: int) -> None:
        """The versions of these numbers (``v2=20``) behind the first one's endpoint, settled one after the other."""
        for name, share in traffic.items():
            self.join(name.removeprefix("v"), traffic=share)
            self.settle()

    def split(self, id_: str = MAIN) -> dict[str, int] | None:
        return self.desk.traffic.split(self.deployment(id_))

    def remove(self, id_: str, *, force: bool = False) -> None:
        """Asked for until it is said to be done, as a client does whose calls die or have to wait."""
        for _ in range(2):
            with suppress(Crash, TryLater):
                self.desk.remove(id_, owner="acme", force=force)

    def at_provider(self, endpoint: str = MAIN) -> dict[str, int]:
        """The split as it was last brought there, by deployment."""
        names = {order.deployed_id: id_ for id_, order in self.provider.orders.items()}
        return {names[id_]: share for id_, share in self.provider.shares.get(endpoint, {}).items()}
