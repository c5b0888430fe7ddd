"""One call to the simulation and its answer, apart from the web framework."""

from collections.abc import Callable, Iterable

import msgspec

from tuneway.local.vertex.refusals import Refusal
from tuneway.local.vertex.settings import VertexSettings
from tuneway.local.vertex.store import Store


class Cloud(msgspec.Struct, frozen=True):
    """What every handler works on."""

    settings: VertexSettings
    store: Store

    def now(self) -> float:
        """Unix seconds by the clock it was given."""
        return self.settings.clock()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose path has been understood: ``ids`` are the named pieces of the path."""

    method: str
    version: str
    ids: dict[str, str]
    query: dict[str, str]
    body: bytes

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{location}``."""
        return f"projects/{self.ids['project']}/locations/{self.ids['location']}"

    def name(self, collection: str) -> str:
        """The full name of the resource that the path's ``id`` names in this collection."""
        return f"{self.parent}/{collection}/{self.ids['id']}"

    def json(self) -> dict[str, object]:
        """The body as a JSON object; no body is an empty one. Raises Refusal."""
        if not self.body.strip():
            return {}
        try:
            return msgspec.json.decode(self.body, type=dict[str, object])
        except msgspec.MsgspecError as exc:
            raise Refusal("INVALID_ARGUMENT", f"Invalid JSON payload received. {exc}") from exc


class Reply(msgspec.Struct, frozen=True):
    """A whole answer: ``body`` is JSON, or bytes as they are."""

    body: object
    status: int = 200
    headers: dict[str, str] = {}


class Stream(msgspec.Struct, frozen=True):
    """An answer in pieces, each sent by itself."""

    pieces: Iterable[bytes]
    media_type: str
    headers: dict[str, str] = {}


Handler = Callable[[Cloud, Call], Reply | Stream]


class Rule(msgspec.Struct, frozen=True):
    """Which handler answers a method and path; ``{id}`` in the path stands for one segment."""

    method: str
    path: str
    handler: Handler
