"""Hub → Anthropic: content parts as blocks. Data travels inline; ``https://`` by reference.

Source of the shapes: Anthropic's Messages API reference, ``ContentBlockParam``. An image's ``detail`` is a hint this
API has no word for.
"""

import re
from collections.abc import Sequence
from typing import Literal, TypedDict, assert_never

from msgspec import Raw

from tuneway.errors import BadInput
from tuneway.prediction.hub.inline import base64_bytes, registered
from tuneway.prediction.hub.messages import AudioPart, FilePart, ImagePart, Part, TextPart

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_DATA_URL = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,(?P<data>[A-Za-z0-9+/]+={0,2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Base64Source(TypedDict):
    """Data by value."""

    type: Literal["base64"]
    media_type: str
    data: str


class TextSource(TypedDict):
    """A document that is text."""

    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class UrlSource(TypedDict):
    """Data by reference."""

    type: Literal["url"]
    url: str


class TextBlock(TypedDict, total=False):
    """Words."""

    type: Literal["text"]
    text: str
    cache_control: object


class ImageBlock(TypedDict, total=False):
    """A picture."""

    type: Literal["image"]
    source: Base64Source | UrlSource
    cache_control: object


class DocumentBlock(TypedDict, total=False):
    """A PDF, or a text."""

    type: Literal["document"]
    source: Base64Source | UrlSource | TextSource
    title: str
    cache_control: object


class ToolUseBlock(TypedDict):
    """A tool the model used; ``input`` is the object as it was written."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: Raw


class ToolResultBlock(TypedDict, total=False):
    """What a used tool gave back."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[TextBlock]


class ThoughtBlock(TypedDict, total=False):
    """A thought given back as it came."""

    type: Literal["thinking", "redacted_thinking"]
    thinking: str
    signature: str
    data: str


Block = TextBlock | ImageBlock | DocumentBlock | ToolUseBlock | ToolResultBlock | ThoughtBlock


def blocks_of(content: str | Sequence[Part], *, param: str) -> list[Block]:
    """A user message's content; blank texts are left out, the API refuses them.

    Raises BadInput naming the part, as ``messages[0].content[1].…``.
    """
    if isinstance(content, str):
        return [text_block(content)] if content.strip() else []
    return [
        _block(part, f"{param}[{position}]")
        for position, part in enumerate(content)
        if not (isinstance(part, TextPart) and not part.text.strip())
    ]


def text_block(text: str, cache_control: object = None) -> TextBlock:
    """Words, with the caller's cache hint where there is one."""
    block = TextBlock(type="text", text=text)
    return block if cache_control is None else {**block, "cache_control": cache_control}


def _block(part: Part, param: str) -> Block:
    match part:
        case TextPart(text=text):
            return text_block(text, part.cache_control)
        case ImagePart():
            return _image(part, f"{param}.image_url.url")
        case FilePart():
            return _document(part, f"{param}.file")
        case AudioPart():
            raise BadInput("Claude takes no sound. Send text, images or PDFs.", param=param, code="unsupported_value")
        case _:
            assert_never(part)


def _image(part: ImagePart, param: str) -> ImageBlock:
    url = part.image_url.url
    if (data := _DATA_URL.fullmatch(url)) is not None and (mime := registered(data["mime"])) in IMAGE_TYPES:
        block = ImageBlock(type="image", source=_inline(mime, data["data"]))
    elif url.startswith("https://"):
        block = ImageBlock(type="image", source=UrlSource(type="url", url=url))
    else:
        known = ", ".join(IMAGE_TYPES)
        raise _bad(f"The URL must be https://… or data:<type>;base64,<data> with one of {known}.", param)
    return block if part.cache_control is None else {**block, "cache_control": part.cache_control}


def _document(part: FilePart, param: str) -> DocumentBlock:
    block = DocumentBlock(type="document", source=_document_source(part, param))
    if part.file.filename is not None:
        block["title"] = part.file.filename
    return block if part.cache_control is None else {**block, "cache_control": part.cache_control}


def _document_source(part: FilePart, param: str) -> Base64Source | UrlSource | TextSource:
    given = part.file.file_data
    if given is None:
        if part.file.file_id is not None and part.file.file_id.startswith("https://"):
            return {"type": "url", "url": part.file.file_id}
        raise _bad(
            "A file part needs 'file_data' (a PDF as data: URL or base64) or an https:// URL.", f"{param}.file_id"
        )
    data = _DATA_URL.fullmatch(given)
    if data is not None and data["mime"] == "application/pdf":
        return _inline("application/pdf", data["data"])
    if data is not None and data["mime"].startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _text(data["data"], f"{param}.file_data")}
    if _BASE64.fullmatch(given):
        return _inline("application/pdf", given)
    raise _bad(
        "The file must be a PDF or a text: data:<type>;base64,<data>, or a PDF's base64 alone.", f"{param}.file_data"
    )


def _text(data: str, param: str) -> str:
    try:
        return base64_bytes(data, param=param).decode()
    except UnicodeDecodeError as exc:
        raise _bad("The text is not written in UTF-8.", param) from exc


def _inline(mime: str, data: str) -> Base64Source:
    return {"type": "base64", "media_type": mime, "data": data}


def _bad(message: str, param: str) -> BadInput:
    return BadInput(message, param=param, code="invalid_value")
