"""Anthropic's turns → hub messages.

A user's turn that holds tool results becomes one tool message for each, then what the user says; pictures and PDFs that
a tool gave back follow as the user's, since a tool message holds text alone. A failed result says so in its first word.
Thoughts go back where they came from: Claude's signed ones as ``extra_content``, others as ``reasoning_content``.
"""

import binascii
from collections.abc import Iterator, Sequence
from typing import TypeVar, assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.messages import (
    AnthropicExtra,
    AssistantMessage,
    CalledFunction,
    CustomToolCall,
    ExtraContent,
    FilePart,
    FunctionToolCall,
    ImagePart,
    ImageUrl,
    InputFile,
    Message,
    Part,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from tuneway.prediction.hub.messages import ThinkingBlock as HubThinkingBlock
from tuneway.prediction.surfaces.messages.blocks import (
    AssistantBlock,
    Base64Source,
    ContentSource,
    DocumentBlock,
    FileSource,
    ImageBlock,
    RedactedThinkingBlock,
    TextBlock,
    TextSource,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UrlSource,
    UserBlock,
)
from tuneway.prediction.surfaces.messages.request import AssistantTurn, SystemTurn, Turn, UserTurn
from tuneway.prediction.surfaces.messages.signatures import read_id

PartT = TypeVar("PartT", Part, TextPart, TextPart | RefusalPart)


def system_message(system: str | Sequence[TextBlock]) -> SystemMessage:
    """Instructions, whole or in parts."""
    return SystemMessage(content=system if isinstance(system, str) else _plain([_text(block) for block in system]))


def messages_of(turn: Turn, *, param: str) -> list[Message]:
    """The messages of a turn. Raises BadInput naming the block, as ``messages[0].content[1].…``."""
    match turn:
        case SystemTurn(content=content):
            return [system_message(content)] if content else []
        case UserTurn(content=content):
            return _user_messages(content, param=f"{param}.content")
        case AssistantTurn(content=content):
            return [_assistant(content)]
        case _:
            assert_never(turn)


def _user_messages(blocks: str | Sequence[UserBlock], *, param: str) -> list[Message]:
    if isinstance(blocks, str):
        return [UserMessage(content=blocks)]
    results: list[Message] = []
    parts: list[Part] = []
    for position, block in enumerate(blocks):
        where = f"{param}[{position}]"
        if isinstance(block, ToolResultBlock):
            results.append(_tool_message(block))
            parts += _media_of(block, param=where)
        else:
            parts.append(_part(block, param=where))
    return [*results, UserMessage(content=_plain(parts))] if parts else results


def _part(block: TextBlock | ImageBlock | DocumentBlock, *, param: str) -> Part:
    match block:
        case TextBlock():
            return _text(block)
        case ImageBlock(source=source):
            return ImagePart(
                image_url=ImageUrl(_image_url(source, f"{param}.source")), cache_control=block.cache_control
            )
        case DocumentBlock():
            _refuse_citations(block, f"{param}.citations")
            return _document(block, f"{param}.source")
        case _:
            assert_never(block)


def _plain(parts: list[PartT]) -> str | list[PartT]:
    """A lone text as a string: the form that every host's chat template knows."""
    match parts:
        case [TextPart(text=text, cache_control=None)]:
            return text
        case _:
            return parts


def _text(block: TextBlock) -> TextPart:
    return TextPart(text=block.text, cache_control=block.cache_control)


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


def _document(block: DocumentBlock, param: str) -> Part:
    match block.source:
        case Base64Source() as source:
            file = InputFile(file_data=_data_url(source, param), filename=block.title)
            return FilePart(file=file, cache_control=block.cache_control)
        case UrlSource(url=url):
            return FilePart(file=InputFile(file_id=url, filename=block.title), cache_control=block.cache_control)
        case TextSource(data=text):
            return _titled(block, text)
        case ContentSource(content=content):
            return _titled(block, content if isinstance(content, str) else "".join(part.text for part in content))
        case FileSource():
            raise _elsewhere(param)
        case _:
            assert_never(block.source)


def _refuse_citations(block: DocumentBlock, param: str) -> None:
    """An answer that quotes its documents by place is Claude's alone."""
    if block.citations is not None and block.citations.enabled:
        raise BadInput(
            f"{param}: this model does not cite documents. Leave it out, or set 'enabled' to false.",
            param=param,
            code="unsupported_value",
        )


def _titled(block: DocumentBlock, text: str) -> TextPart:
    """A text document as text, after its title and context."""
    said = [head for head in (block.title, block.context) if head]
    return TextPart(text="\n\n".join([*said, text]), cache_control=block.cache_control)


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


def _tool_message(block: ToolResultBlock) -> ToolMessage:
    content = block.content or ""
    texts = [content] if isinstance(content, str) else [part.text for part in content if isinstance(part, TextBlock)]
    text = "\n".join(texts)
    return ToolMessage(tool_call_id=read_id(block.tool_use_id)[0], content=f"Error: {text}" if block.is_error else text)


def _media_of(block: ToolResultBlock, *, param: str) -> Iterator[Part]:
    if block.content is None or isinstance(block.content, str):
        return
    for position, inner in enumerate(block.content):
        if not isinstance(inner, TextBlock):
            yield _part(inner, param=f"{param}.content[{position}]")


def _assistant(blocks: str | Sequence[AssistantBlock]) -> AssistantMessage:
    if isinstance(blocks, str):
        return AssistantMessage(content=blocks)
    texts: list[TextPart | RefusalPart] = [_text(block) for block in blocks if isinstance(block, TextBlock)]
    calls: list[FunctionToolCall | CustomToolCall] = [
        _call(block) for block in blocks if isinstance(block, ToolUseBlock)
    ]
    unsigned = [block.thinking for block in blocks if isinstance(block, ThinkingBlock) and not block.signature]
    signed = [thought for place, block in enumerate(blocks) if (thought := _thought(block, place)) is not None]
    return AssistantMessage(
        content=_plain(texts) if texts else None,
        tool_calls=calls or None,
        reasoning_content="".join(unsigned) or None,
        extra_content=ExtraContent(anthropic=AnthropicExtra(thinking_blocks=signed)) if signed else None,
    )


def _call(block: ToolUseBlock) -> FunctionToolCall:
    call_id, extra = read_id(block.id)
    function = CalledFunction(name=block.name, arguments=msgspec.json.encode(block.input).decode())
    return FunctionToolCall(id=call_id, function=function, extra_content=extra)


def _thought(block: AssistantBlock, place: int) -> HubThinkingBlock | None:
    match block:
        case ThinkingBlock(thinking=thinking, signature=signature) if signature:
            return HubThinkingBlock(type="thinking", index=place, thinking=thinking, signature=signature)
        case RedactedThinkingBlock(data=data):
            return HubThinkingBlock(type="redacted_thinking", index=place, data=data)
        case _:
            return None
