"""The route snapshot over Firestore's REST API: no gRPC, no Google client, only what changed."""

import msgspec

from tuneway.errors import NotFound, TryLater, UpstreamError
from tuneway.ports import Timeouts, Tokens, Upstream, UpstreamRequest
from tuneway.routing.snapshot import SNAPSHOT
from tuneway.settings import Settings

VERSION = "?mask.fieldPaths=version"
VERSION_AND_BODY = "?mask.fieldPaths=version&mask.fieldPaths=body"
TIMEOUTS = Timeouts(connect=3.0, read=5.0)
OK, MISSING = 200, 404


class _Integer(msgspec.Struct, frozen=True, rename="camel"):
    integer_value: str = "0"


class _Text(msgspec.Struct, frozen=True, rename="camel"):
    string_value: str = ""


class _Fields(msgspec.Struct, frozen=True):
    version: _Integer = _Integer()
    body: _Text = _Text()


class _Document(msgspec.Struct, frozen=True):
    fields: _Fields = _Fields()


class FirestoreSnapshots:
    """``ports.Snapshots``: one small read while nothing changes, a second one for a new body."""

    def __init__(self, upstream: Upstream, tokens: Tokens, settings: Settings) -> None:
        base = f"http://{settings.firestore_emulator}" if settings.firestore_emulator else settings.firestore_url
        self._url = (
            f"{base}/v1/projects/{settings.project}/databases/{settings.database}"
            f"/documents/{SNAPSHOT.collection}/{SNAPSHOT.id}"
        )
        self._upstream = upstream
        self._tokens = tokens

    async def read(self, version: int | None) -> bytes | None:
        """The snapshot's JSON when its version is not ``version``. Raises NotFound, TryLater."""
        if version is not None and int((await self._fields(VERSION)).version.integer_value) == version:
            return None
        return (await self._fields(VERSION_AND_BODY)).body.string_value.encode()

    async def _fields(self, mask: str) -> _Fields:
        try:
            status, body = await self._answer(mask)
            if status == OK:
                return msgspec.json.decode(body, type=_Document).fields
        except UpstreamError as exc:
            raise TryLater(f"The routes cannot be read from Firestore: {exc.message}") from exc
        except msgspec.DecodeError as exc:
            raise TryLater("The routes cannot be read from Firestore: its answer is no document.") from exc
        if status == MISSING:
            raise NotFound("There are no routes yet.")
        raise TryLater(f"The routes cannot be read from Firestore: it answered {status}.")

    async def _answer(self, mask: str) -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {await self._tokens.token()}"}
        request = UpstreamRequest(method="GET", url=self._url + mask, headers=headers, timeouts=TIMEOUTS)
        async with self._upstream.send(request) as response:
            return response.status, await response.read()
