"""Hub → Converse: content blocks. Data travels as base64 (what botocore makes of bytes) or by an ``s3://`` reference.

Source of the shapes: ``ContentBlock`` in botocore's model of ``bedrock-runtime``.
"""

import re
from typing import Literal, NotRequired, TypedDict, assert_never

from tuneway.errors import BadInput
from tuneway.prediction.hub.inline import DATA_URL, base64_bytes, registered
from tuneway.prediction.hub.messages import AudioPart, FilePart, ImagePart, Part, TextPart


class S3Location(TypedDict):
    """An object in S3."""

    uri: str


class Source(TypedDict, total=False):
    """Data by value, as base64, or by reference."""

    bytes: str
    s3Location: S3Location


class Media(TypedDict):
    """A picture or a sound."""

    format: str
    source: Source


class Document(Media):
    """A document; models may read its name, so it should be neutral."""

    name: str


class ToolUse(TypedDict):
    """A function that was called."""

    toolUseId: str
    name: str
    input: dict[str, object]


class ToolResultContent(TypedDict, total=False):
    """What a called function gave back, in one form."""

    text: str
    json: dict[str, object]


class ToolResult(TypedDict):
    """The answer to a call."""

    toolUseId: str
    content: list[ToolResultContent]


class ReasoningText(TypedDict):
    """A thought, and the signature it came with."""

    text: str
    signature: str


class ReasoningContent(TypedDict, total=False):
    """A thought, or one that only the model can read."""

    reasoningText: ReasoningText
    redactedContent: str


class CachePoint(TypedDict):
    """What stands before it may be kept for later calls: five minutes, or an hour."""

    type: Literal["default"]
    ttl: NotRequired[Literal["1h"]]


class ContentBlock(TypedDict, total=False):
    """One block of a turn."""

    text: str
    image: Media
    audio: Media
    document: Document
    toolUse: ToolUse
    toolResult: ToolResult
    reasoningContent: ReasoningContent
    cachePoint: CachePoint


_S3 = re.compile(r"s3://[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](?:/.*)?", re.DOTALL)
_IMAGES = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
FOR_AN_HOUR = {"type": "ephemeral", "ttl": "1h"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9()\[\]-]+")
LONGEST_NAME = 200


def blocks_of(content: str | list[Part], *, param: str, caching: bool) -> list[ContentBlock]:
    """A user message's content without blank texts, which Converse refuses. Raises BadInput naming the part."""
    if isinstance(content, str):
        return text_blocks([content])
    return [
        told
        for position, part in enumerate(content)
        if (block := _block(part, position, param=f"{param}[{position}]")) is not None
        for told in (block, *cache_points(part.cache_control, caching=caching))
    ]


def cache_points(hint: object, *, caching: bool) -> list[ContentBlock]:
    """Anthropic's ``cache_control`` as the block that says it here, where the model keeps prompts."""
    return [{"cachePoint": cache_point(hint)}] if caching and hint is not None else []


def text_blocks(texts: list[str]) -> list[ContentBlock]:
    """Texts that say something."""
    return [{"text": text} for text in texts if text.strip()]


def cache_point(hint: object) -> CachePoint:
    """A hint in Converse's words."""
    return {"type": "default", "ttl": "1h"} if hint == FOR_AN_HOUR else {"type": "default"}


def _block(part: Part, position: int, *, param: str) -> ContentBlock | None:
    match part:
        case TextPart(text=text):
            return {"text": text} if text.strip() else None
        case ImagePart(image_url=image):
            return {"image": _image(image.url, param=f"{param}.image_url.url")}
        case AudioPart(input_audio=audio):
            data = _base64(audio.data, param=f"{param}.input_audio.data")
            return {"audio": {"format": audio.format, "source": {"bytes": data}}}
        case FilePart():
            return {"document": _document(part, position, param=f"{param}.file")}
        case _:
            assert_never(part)


def _image(url: str, *, param: str) -> Media:
    if data := DATA_URL.fullmatch(url):
        kind, source = registered(data["mime"]).removeprefix("image/"), Source(bytes=_base64(data["data"], param=param))
    elif _S3.fullmatch(url):
        kind, source = _extension(url), Source(s3Location={"uri": url})
    else:
        raise _bad(
            "Bedrock fetches no pictures. Send the picture itself (data:<type>;base64,<data>), or s3://<bucket>/<key>.",
            param,
        )
    if kind not in _IMAGES:
        raise _bad(f"Bedrock reads pictures as png, jpeg, gif or webp, not as '{kind[:40]}'.", param)
    return {"format": _IMAGES[kind], "source": source}


def _document(part: FilePart, position: int, *, param: str) -> Document:
    file = part.file
    name = _neutral(file.filename or "") or f"document-{position + 1}"
    if file.file_data is not None:
        kind, data = _data(file.file_data, file.filename or "")
        given = f"{param}.file_data"
        source = Source(bytes=_base64(data, param=given))
    elif file.file_id is not None and _S3.fullmatch(file.file_id):
        kind, given = _extension(file.file_id), f"{param}.file_id"
        source = Source(s3Location={"uri": file.file_id})
    else:
        raise _bad(
            "A file part needs 'file_data' (a data: URL or base64) or a 'file_id' that is an s3:// URI.",
            f"{param}.file_id",
        )
    if kind not in _DOCUMENTS.values():
        raise _bad(f"Bedrock reads documents as {', '.join(_DOCUMENTS.values())}, not as '{kind[:40]}'.", given)
    return {"format": kind, "name": name, "source": source}


def _data(text: str, filename: str) -> tuple[str, str]:
    """A file's format and its base64; bare base64 is what its name says, or a PDF."""
    if data := DATA_URL.fullmatch(text):
        return _DOCUMENTS.get(registered(data["mime"]), data["mime"]), data["data"]
    return _extension(filename) or "pdf", text


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _neutral(filename: str) -> str:
    """A file's name without its extension, in the characters Converse allows."""
    return _NOT_IN_NAMES.sub(" ", filename.rpartition(".")[0] or filename).strip()[:LONGEST_NAME]


def _base64(data: str, *, param: str) -> str:
    if not base64_bytes(data, param=param):
        raise _bad("The data is empty.", param)
    return data


def _bad(message: str, param: str) -> BadInput:
    return BadInput(message, param=param, code="invalid_value")
