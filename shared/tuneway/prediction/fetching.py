"""Fetch what a message refers to and the model's host does not: afterwards the request holds it as ``data:``.

So the transforms stay pure, and only a request that needs it pays anything. Who fetches what by itself:

| host | https:// | gs:// | s3:// |
|---|---|---|---|
| Gemini | yes | yes | no |
| Claude at Anthropic or Azure | yes | no | no |
| Claude at Vertex AI, or as ``InvokeModel`` | no | no | no |
| Bedrock's Converse | no | no | yes |
| OpenAI-compatible | pictures | on Vertex AI | no |

Containers get every reference as it came.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import msgspec

from tuneway.errors import BadInput, TunewayError
from tuneway.ports import Media, Sources
from tuneway.prediction.hub.inline import type_by_name
from tuneway.prediction.hub.messages import FilePart, ImagePart, ImageUrl, InputFile, Message, Part, UserMessage
from tuneway.prediction.hub.request import ChatRequest
from tuneway.routing.routes import Dialect, Provider, Target

T = TypeVar("T")
MOST_BYTES = 20 * 2**20  # of all files of a request: base64 makes a third more of it, and hosts take some 30 MB
SECONDS = 30.0
_WEB, _GS, _S3 = "https://", "gs://", "s3://"
_FOREIGN: dict[Dialect, tuple[str, ...]] = {
    "gemini": (_S3,),
    "anthropic": (_GS, _S3),
    "bedrock": (_WEB, _GS),
    "openai": (_GS, _S3),
    "instances": (),
}
_FOREIGN_AT: dict[tuple[Dialect, Provider], tuple[str, ...]] = {
    ("anthropic", "vertex"): (_WEB, _GS, _S3),
    ("anthropic", "bedrock"): (_WEB, _GS, _S3),
    ("openai", "vertex"): (_S3,),
}
# What servers that know no type say.
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})


class Reference(NamedTuple):
    """What a part refers to; ``picture`` says what it must be."""

    uri: str
    param: str
    picture: bool


def needs_fetching(request: ChatRequest, target: Target) -> bool:
    """Whether a message refers to something that the target's host does not fetch."""
    foreign = _foreign(target)
    return bool(foreign) and any(
        reference.uri.startswith(foreign)
        for position, message in enumerate(request.messages)
        for reference in _references(message, position)
    )


async def fetched(request: ChatRequest, target: Target, sources: Sources, *, seconds: float = SECONDS) -> ChatRequest:
    """The request with such references fetched. Raises BadInput naming the part."""
    basket = Basket(target, sources)

    async def all_told() -> list[Message]:
        return [await _told(message, position, basket.data_url) for position, message in enumerate(request.messages)]

    return msgspec.structs.replace(request, messages=await in_time(all_told(), seconds=seconds))


def is_foreign(uri: str, target: Target) -> bool:
    """Whether the target's host does not fetch what is at the address, though it can be fetched."""
    return uri.startswith(_foreign(target))


async def in_time(fetching: Awaitable[T], *, seconds: float = SECONDS) -> T:
    """What is fetched. Raises BadInput when it takes too long."""
    try:
        async with asyncio.timeout(seconds):
            return await fetching
    except TimeoutError as exc:
        raise BadInput(
            f"What the messages refer to could not be fetched within {seconds:g} seconds. Send the data itself.",
            param="messages",
            code="invalid_value",
        ) from exc


class Basket:
    """What is fetched for one request, and what room is left for more."""

    def __init__(self, target: Target, sources: Sources) -> None:
        self._target = target
        self._sources = sources
        self._left = MOST_BYTES

    async def media(self, reference: Reference) -> Media | None:
        """The data with its type; None for what the host fetches itself. Raises BadInput naming the part."""
        if not is_foreign(reference.uri, self._target):
            return None
        media = await _read(reference, self._sources, most=self._left)
        self._left -= len(media.data)
        return Media(media.data, _type_of(media, reference))

    async def data_url(self, reference: Reference) -> str | None:
        """The same as a ``data:`` URL."""
        media = await self.media(reference)
        return None if media is None else f"data:{media.kind};base64,{b64encode(media.data).decode()}"


def _foreign(target: Target) -> tuple[str, ...]:
    return _FOREIGN_AT.get((target.dialect, target.provider)) or _FOREIGN[target.dialect]


_DataUrl = Callable[[Reference], Awaitable[str | None]]


async def _told(message: Message, position: int, data_url: _DataUrl) -> Message:
    if not isinstance(message, UserMessage) or isinstance(message.content, str):
        return message
    parts = [
        await _part(part, f"messages[{position}].content[{place}]", data_url)
        for place, part in enumerate(message.content)
    ]
    return msgspec.structs.replace(message, content=parts)


async def _part(part: Part, param: str, data_url: _DataUrl) -> Part:
    reference = _reference(part, param)
    data = None if reference is None else await data_url(reference)
    match part:
        case ImagePart(image_url=image) if data is not None:
            return msgspec.structs.replace(part, image_url=ImageUrl(data, detail=image.detail))
        case FilePart(file=file) if data is not None:
            return msgspec.structs.replace(part, file=InputFile(file_data=data, filename=file.filename))
        case _:
            return part


def _references(message: Message, position: int) -> list[Reference]:
    if not isinstance(message, UserMessage) or isinstance(message.content, str):
        return []
    found = [_reference(part, f"messages[{position}].content[{place}]") for place, part in enumerate(message.content)]
    return [reference for reference in found if reference is not None]


def _reference(part: Part, param: str) -> Reference | None:
    match part:
        case ImagePart(image_url=image):
            return Reference(image.url, f"{param}.image_url.url", picture=True)
        case FilePart(file=InputFile(file_data=None, file_id=str(uri))):
            return Reference(uri, f"{param}.file.file_id", picture=False)
        case _:
            return None


async def _read(reference: Reference, sources: Sources, *, most: int) -> Media:
    try:
        return await sources.media(reference.uri, most=most)
    except TunewayError as exc:
        raise BadInput(
            f"'{_shown(reference.uri)}' could not be fetched for this model. {exc.message} "
            "Or send the data itself (data:<type>;base64,<data>).",
            param=reference.param,
            code="invalid_value",
        ) from exc


def _type_of(media: Media, reference: Reference) -> str:
    """What the server says it is, else what its name says. Raises BadInput for a picture that is none."""
    kind = type_by_name(reference.uri, media.kind) if media.kind in _UNTYPED else media.kind
    if kind in _UNTYPED or (reference.picture and not kind.startswith("image/")):
        wanted = "a picture" if reference.picture else "a document"
        raise BadInput(
            f"'{_shown(reference.uri)}' is not {wanted} by its server's word ('{media.kind[:60]}').",
            param=reference.param,
            code="invalid_value",
        )
    return kind


def _shown(uri: str) -> str:
    """An address as it may be told: without what may be a signature."""
    return uri.partition("?")[0].partition("#")[0][:200]
