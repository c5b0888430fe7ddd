"""Anthropic's turns → hub messages.

A user's turn that holds tool results becomes one tool message for each, then what the user says; pictures and PDFs that
a tool gave back follow as the user's, since a tool message holds text alone. A failed result says so in its first word.
Thoughts go back where they came from: Claude's signed ones as ``extra_content``, others as ``reasoning_content``.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar, assert_never

import msgspec

from tuneway.prediction.hub.messages import (
    AnthropicExtra,
    AssistantMessage,
    CalledFunction,
    CustomToolCall,
    ExtraContent,
    FunctionToolCall,
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
    DocumentBlock,
    ImageBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserBlock,
)
from tuneway.prediction.surfaces.messages.parts import parts_of, text_part, words_of
from tuneway.prediction.surfaces.messages.request import AssistantTurn, SystemTurn, Turn, UserTurn
from tuneway.prediction.surfaces.messages.signatures import read_id

PartT = TypeVar("PartT", Part, TextPart, TextPart | RefusalPart)


def system_message(system: str | Sequence[TextBlock]) -> SystemMessage:
    """Instructions, whole or in parts."""
    return SystemMessage(content=system if isinstance(system, str) else _plain([text_part(block) for block in system]))


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
            parts += parts_of(block, param=where)
    return [*results, UserMessage(content=_plain(parts))] if parts else results


def _plain(parts: list[PartT]) -> str | list[PartT]:
    """A lone text as a string: the form that every host's chat template knows."""
    match parts:
        case [TextPart(text=text, cache_control=None)]:
            return text
        case _:
            return parts


def _tool_message(block: ToolResultBlock) -> ToolMessage:
    content = block.content or ""
    text = content if isinstance(content, str) else "\n".join(words for part in content if (words := words_of(part)))
    return ToolMessage(tool_call_id=read_id(block.tool_use_id)[0], content=f"Error: {text}" if block.is_error else text)


def _media_of(block: ToolResultBlock, *, param: str) -> Iterator[Part]:
    if block.content is None or isinstance(block.content, str):
        return
    for position, inner in enumerate(block.content):
        if isinstance(inner, ImageBlock | DocumentBlock):
            yield from parts_of(inner, param=f"{param}.content[{position}]")


def _assistant(blocks: str | Sequence[AssistantBlock]) -> AssistantMessage:
    if isinstance(blocks, str):
        return AssistantMessage(content=blocks)
    texts: list[TextPart | RefusalPart] = [text_part(block) for block in blocks if isinstance(block, TextBlock)]
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
