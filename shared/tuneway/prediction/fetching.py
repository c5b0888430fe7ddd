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
from typing import NamedTuple

import msgspec

from tuneway.errors import BadInput, TunewayError
from tuneway.ports import Media, Sources
from tuneway.prediction.hub.inline import type_by_name
from tuneway.prediction.hub.messages import FilePart, ImagePart, ImageUrl, InputFile, Message, Part, UserMessage
from tuneway.prediction.hub.request import ChatRequest
from tuneway.routing.routes import Dialect, Provider, Target

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


class _Reference(NamedTuple):
    """What a part refers to; ``picture`` says what it must be."""

    uri: str
    param: str
    picture: bool


def needs_fetching(request: ChatRequest, target: Target) -> bool:
    """Whether a message refers to something that the target's host does not fetch."""
    foreign = _FOREIGN_AT.get((target.dialect, target.provider)) or _FOREIGN[target.dialect]
    return bool(foreign) and any(
        reference.uri.startswith(foreign)
        for position, message in enumerate(request.messages)
        for reference in _references(message, position)
    )


async def fetched(request: ChatRequest, target: Target, sources: Sources, *, seconds: float = SECONDS) -> ChatRequest:
    """The request with such references fetched. Raises BadInput naming the part."""
    foreign = _FOREIGN_AT.get((target.dialect, target.provider)) or _FOREIGN[target.dialect]
    left = MOST_BYTES

    async def data_url(reference: _Reference) -> str | None:
        nonlocal left
        if not reference.uri.startswith(foreign):
            return None
        media = await _read(reference, sources, most=left)
        left -= len(media.data)
        return f"data:{_type_of(media, reference)};base64,{b64encode(media.data).decode()}"

    try:
        async with asyncio.timeout(seconds):
            messages = [await _told(message, position, data_url) for position, message in enumerate(request.messages)]
    except TimeoutError as exc:
        raise BadInput(
            f"What the messages refer to could not be fetched within {seconds:g} seconds. Send the data itself.",
            param="messages",
            code="invalid_value",
        ) from exc
    return msgspec.structs.replace(request, messages=messages)


_DataUrl = Callable[[_Reference], Awaitable[str | None]]


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


def _references(message: Message, position: int) -> list[_Reference]:
    if not isinstance(message, UserMessage) or isinstance(message.content, str):
        return []
    found = [_reference(part, f"messages[{position}].content[{place}]") for place, part in enumerate(message.content)]
    return [reference for reference in found if reference is not None]


def _reference(part: Part, param: str) -> _Reference | None:
    match part:
        case ImagePart(image_url=image):
            return _Reference(image.url, f"{param}.image_url.url", picture=True)
        case FilePart(file=InputFile(file_data=None, file_id=str(uri))):
            return _Reference(uri, f"{param}.file.file_id", picture=False)
        case _:
            return None


async def _read(reference: _Reference, sources: Sources, *, most: int) -> Media:
    try:
        return await sources.media(reference.uri, most=most)
    except TunewayError as exc:
        raise BadInput(
            f"'{_shown(reference.uri)}' could not be fetched for this model. {exc.message} "
            "Or send the data itself (data:<type>;base64,<data>).",
            param=reference.param,
            code="invalid_value",
        ) from exc


def _type_of(media: Media, reference: _Reference) -> str:
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
