"""What Anthropic's own blocks refer to and Claude's host does not fetch: afterwards the body holds it by value.

Pictures and documents by their address, wherever a block may stand: in a turn, in what a tool gave back, in a document
made of blocks, in the instructions. What is fetched as text is a text, any other document must be a PDF: Claude reads
no more. A body without such an address stays the very bytes it was.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import cast

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Media, Sources
from tuneway.prediction.fetching import SECONDS, Basket, Reference, in_time, is_foreign
from tuneway.prediction.hub.decode import broken_json
from tuneway.routing.routes import Target

Fields = dict[str, object]
_ADDRESSED = b'"url"'
_MEDIA = frozenset({"image", "document"})
_WITHIN = ("messages", "system", "content", "source")
_PDF, _TEXT = "application/pdf", "text/"


async def with_sources(body: bytes, target: Target, sources: Sources, *, seconds: float = SECONDS) -> bytes:
    """The body by value. Raises BadInput naming the source (``messages[0].content[1].source.url``)."""
    if not needs_sources(body, target):
        return body
    try:
        return msgspec.json.encode(await in_time(_by_value(_read(body), "", Basket(target, sources)), seconds=seconds))
    except RecursionError as exc:
        raise broken_json(exc) from exc


def needs_sources(body: bytes, target: Target) -> bool:
    """Whether a block refers to something that the target's host does not fetch."""
    if _ADDRESSED not in body:
        return False
    try:
        return any(is_foreign(reference.uri, target) for reference in _references(_read(body), ""))
    except RecursionError as exc:
        raise broken_json(exc) from exc


async def _by_value(value: object, param: str, basket: Basket) -> object:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [await _by_value(one, f"{param}[{place}]", basket) for place, one in enumerate(items)]
    fields = _fields(value)
    reference = _reference(fields, param)
    media = None if reference is None else await basket.media(reference)
    if reference is not None and media is not None:
        return {**fields, "source": _source(media, reference)}
    within = {name: await _by_value(fields[name], _at(param, name), basket) for name in _WITHIN if name in fields}
    return {**fields, **within} if fields else value


def _references(value: object, param: str) -> Iterator[Reference]:
    if isinstance(value, list):
        for place, one in enumerate(cast("list[object]", value)):
            yield from _references(one, f"{param}[{place}]")
        return
    fields = _fields(value)
    if (reference := _reference(fields, param)) is not None:
        yield reference
    for name in _WITHIN:
        if name in fields:
            yield from _references(fields[name], _at(param, name))


def _reference(block: Fields, param: str) -> Reference | None:
    source = _fields(block.get("source"))
    url = source.get("url")
    if block.get("type") not in _MEDIA or source.get("type") != "url" or not isinstance(url, str):
        return None
    return Reference(url, f"{param}.source.url", picture=block["type"] == "image")


def _source(media: Media, reference: Reference) -> Fields:
    if not reference.picture and media.kind.startswith(_TEXT):
        return {"type": "text", "media_type": "text/plain", "data": _text(media.data, reference)}
    if not reference.picture and media.kind != _PDF:
        raise _unread(f"Claude reads documents as PDF or text, not as '{media.kind[:60]}'.", reference)
    return {"type": "base64", "media_type": media.kind, "data": b64encode(media.data).decode()}


def _text(data: bytes, reference: Reference) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise _unread("The text is not written in UTF-8.", reference) from exc


def _unread(why: str, reference: Reference) -> BadInput:
    return BadInput(f"{reference.param}: {why}", param=reference.param, code="invalid_value")


def _read(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise broken_json(exc) from exc


def _fields(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _at(param: str, name: str) -> str:
    return f"{param}.{name}" if param else name
