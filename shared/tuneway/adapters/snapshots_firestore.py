"""The route snapshot over Firestore's REST API: no gRPC, no Google client, only what changed."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec

from tuneway.errors import NotFound, TryLater, UpstreamError
from tuneway.ports import SnapshotPart, Timeouts, Tokens, Upstream, UpstreamRequest
from tuneway.routing.snapshot import PARTS, SNAPSHOT, part_key
from tuneway.settings import Settings

VERSION = "?mask.fieldPaths=version"
VERSION_AND_BODY = "?mask.fieldPaths=version&mask.fieldPaths=body"
TIMEOUTS = Timeouts(connect=3.0, read=5.0)
OK, MISSING = 200, 404
AT_ONCE = 32  # parts in one answer: two megabytes of usual ones


class _Integer(msgspec.Struct, frozen=True, rename="camel"):
    integer_value: str = "0"


class _Text(msgspec.Struct, frozen=True, rename="camel"):
    string_value: str = ""


class _Fields(msgspec.Struct, frozen=True):
    version: _Integer = _Integer()
    body: _Text = _Text()


class _Document(msgspec.Struct, frozen=True):
    name: str = ""
    fields: _Fields = _Fields()


class _Found(msgspec.Struct, frozen=True):
    found: _Document | None = None


class FirestoreSnapshots:
    """``ports.Snapshots``: one small read while nothing changes, a second one for a new body."""

    def __init__(self, upstream: Upstream, tokens: Tokens, settings: Settings) -> None:
        base = f"http://{settings.firestore_emulator}" if settings.firestore_emulator else settings.firestore_url
        self._root = f"projects/{settings.project}/databases/{settings.database}/documents"
        self._documents = f"{base}/v1/{self._root}"
        self._upstream = upstream
        self._tokens = tokens

    async def read(self, version: int | None) -> bytes | None:
        """The snapshot's JSON when its version is not ``version``. Raises NotFound, TryLater."""
        if version is not None and int((await self._fields(VERSION)).version.integer_value) == version:
            return None
        return (await self._fields(VERSION_AND_BODY)).body.string_value.encode()

    async def parts(self, numbers: Sequence[int]) -> list[SnapshotPart | None]:
        """These parts as they are now. Raises TryLater."""
        names = [f"{self._root}/{PARTS}/{part_key(number).id}" for number in numbers]
        groups = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
        found: dict[str, SnapshotPart] = {}
        for group in await asyncio.gather(*map(self._group, groups)):
            found.update(group)
        return [found.get(name) for name in names]

    async def _group(self, names: Sequence[str]) -> dict[str, SnapshotPart]:
        body = msgspec.json.encode({"documents": names, "mask": {"fieldPaths": ["version", "body"]}})
        try:
            status, answer = await self._sent("POST", f"{self._documents}:batchGet", body)
            rows = msgspec.json.decode(answer, type=list[_Found]) if status == OK else []
        except UpstreamError as exc:
            raise TryLater(f"The routes cannot be read from Firestore: {exc.message}") from exc
        except msgspec.DecodeError as exc:
            raise TryLater("The routes cannot be read from Firestore: its answer holds no documents.") from exc
        if status != OK:
            raise TryLater(f"The routes cannot be read from Firestore: it answered {status}.")
        return {row.found.name: _part(row.found.fields) for row in rows if row.found is not None}

    async def _fields(self, mask: str) -> _Fields:
        try:
            status, body = await self._sent("GET", f"{self._documents}/{SNAPSHOT.collection}/{SNAPSHOT.id}{mask}")
            if status == OK:
                return msgspec.json.decode(body, type=_Document).fields
        except UpstreamError as exc:
            raise TryLater(f"The routes cannot be read from Firestore: {exc.message}") from exc
        except msgspec.DecodeError as exc:
            raise TryLater("The routes cannot be read from Firestore: its answer is no document.") from exc
        if status == MISSING:
            raise NotFound("There are no routes yet.")
        raise TryLater(f"The routes cannot be read from Firestore: it answered {status}.")

    async def _sent(self, method: Literal["GET", "POST"], url: str, body: bytes = b"") -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {await self._tokens.token()}"}
        request = UpstreamRequest(method=method, url=url, headers=headers, body=body, timeouts=TIMEOUTS)
        async with self._upstream.send(request) as response:
            return response.status, await response.read()


def _part(fields: _Fields) -> SnapshotPart:
    return SnapshotPart(int(fields.version.integer_value), fields.body.string_value.encode())
