"""Anthropic's blocks of a user → the hub's parts: words, pictures, documents, what a search found."""

import binascii
from itertools import groupby
from typing import assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.messages import FilePart, ImagePart, ImageUrl, InputFile, Part, TextPart
from tuneway.prediction.surfaces.messages.blocks import (
    Base64Source,
    ContentSource,
    DocumentBlock,
    FileSource,
    ImageBlock,
    SearchResultBlock,
    TextBlock,
    TextSource,
    UrlSource,
)

Block = TextBlock | ImageBlock | DocumentBlock | SearchResultBlock


def parts_of(block: Block, *, param: str) -> list[Part]:
    """The parts that say a block. Raises BadInput naming what cannot be said."""
    match block:
        case TextBlock():
            return [text_part(block)]
        case ImageBlock():
            return [_image(block, param)]
        case DocumentBlock():
            _refuse_citations(block, f"{param}.citations")
            return _document(block, f"{param}.source")
        case SearchResultBlock():
            _refuse_citations(block, f"{param}.citations")
            return [TextPart(text=_found(block), cache_control=block.cache_control)]
        case _:
            assert_never(block)


def text_part(block: TextBlock) -> TextPart:
    """Words, with the caller's cache hint where there is one."""
    return TextPart(text=block.text, cache_control=block.cache_control)


def words_of(block: Block) -> str:
    """What a block says in words alone; nothing where it is a picture or a document."""
    match block:
        case TextBlock(text=text):
            return text
        case SearchResultBlock():
            return _found(block)
        case ImageBlock() | DocumentBlock():
            return ""
        case _:
            assert_never(block)


def _found(block: SearchResultBlock) -> str:
    """A search result as text: its title, where it is from, its words."""
    return "\n\n".join([f"{block.title}\n{block.source}", *(part.text for part in block.content)])


def _image(block: ImageBlock, param: str) -> ImagePart:
    url = _image_url(block.source, f"{param}.source")
    return ImagePart(image_url=ImageUrl(url), cache_control=block.cache_control)


def _image_url(source: Base64Source | UrlSource | FileSource, param: str) -> str:
    match source:
        case Base64Source():
            return _data_url(source, param)
        case UrlSource(url=url):
            return url
        case FileSource():
            raise _elsewhere(param)
        case _:
            assert_never(source)


def _document(block: DocumentBlock, param: str) -> list[Part]:
    match block.source:
        case Base64Source() as source:
            file = InputFile(file_data=_data_url(source, param), filename=block.title)
            return [FilePart(file=file, cache_control=block.cache_control)]
        case UrlSource(url=url):
            return [FilePart(file=InputFile(file_id=url, filename=block.title), cache_control=block.cache_control)]
        case TextSource(data=text) | ContentSource(content=str(text)):
            return _titled(block, [TextPart(text=text)])
        case ContentSource(content=content):
            return _titled(block, _parts_within(content, param))
        case FileSource():
            raise _elsewhere(param)
        case _:
            assert_never(block.source)


def _parts_within(content: str | list[TextBlock | ImageBlock], param: str) -> list[Part]:
    """A document's own blocks; neighbouring words are one text."""
    parts: list[Part] = []
    for spoken, run in groupby(enumerate(content), key=lambda item: isinstance(item[1], TextBlock)):
        blocks = list(run)
        if spoken:
            parts.append(TextPart(text="".join(one.text for _, one in blocks if isinstance(one, TextBlock))))
        else:
            parts += [_image(one, f"{param}.content[{at}]") for at, one in blocks if isinstance(one, ImageBlock)]
    return parts


def _titled(block: DocumentBlock, parts: list[Part]) -> list[Part]:
    """A document's parts, after its title and context in its first words; its cache hint stands in the last."""
    heads = [head for head in (block.title, block.context) if head]
    first = parts[0] if parts else None
    if isinstance(first, TextPart):
        told: list[Part] = [TextPart(text="\n\n".join([*heads, first.text])), *parts[1:]]
    else:
        told = [TextPart(text="\n\n".join(heads)), *parts] if heads else parts
    return [*told[:-1], *(msgspec.structs.replace(last, cache_control=block.cache_control) for last in told[-1:])]


def _refuse_citations(block: DocumentBlock | SearchResultBlock, param: str) -> None:
    """An answer that quotes its documents by place is Claude's alone."""
    if block.citations is not None and block.citations.enabled:
        raise BadInput(
            f"{param}: this model does not cite documents. Leave it out, or set 'enabled' to false.",
            param=param,
            code="unsupported_value",
        )


def _data_url(source: Base64Source, param: str) -> str:
    try:
        binascii.a2b_base64(source.data, strict_mode=True)
    except (binascii.Error, ValueError) as exc:
        raise BadInput(f"{param}.data: not valid base64: {exc}", param=f"{param}.data", code="invalid_value") from exc
    return f"data:{source.media_type};base64,{source.data}"


def _elsewhere(param: str) -> BadInput:
    return BadInput(
        f"{param}: files uploaded to Anthropic are not known to this model. Send the data itself.",
        param=param,
        code="unsupported_value",
    )
