"""Hub → Anthropic: the conversation. System texts are hoisted, neighbours of one role become one turn.

The API refuses texts that are blank, and blanks at the end of an answer that Claude is to go on with. Results of tools
open the user's turn, as it demands. Signed thoughts go back to the places they came from
(``extra_content.anthropic.thinking_blocks[].index``), because Claude refuses a tool loop without them.
"""

import re
from itertools import groupby
from typing import Literal, TypedDict, assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.dialects.anthropic.blocks import (
    Block,
    TextBlock,
    ThoughtBlock,
    ToolResultBlock,
    ToolUseBlock,
    blocks_of,
    text_block,
)
from tuneway.prediction.hub.fit import fitting_id
from tuneway.prediction.hub.messages import (
    AssistantMessage,
    CustomToolCall,
    DeveloperMessage,
    FunctionToolCall,
    Message,
    RefusalPart,
    SystemMessage,
    TextContent,
    TextPart,
    ThinkingBlock,
    ToolMessage,
    UserMessage,
)
from tuneway.prediction.hub.thoughts import signed_thoughts, with_thoughts

Role = Literal["user", "assistant"]
_TOOL_USE_ID = re.compile(r"[A-Za-z0-9_-]+")


class Turn(TypedDict):
    """One turn."""

    role: Role
    content: list[Block]


def system_blocks(messages: list[Message]) -> list[TextBlock]:
    """The texts of system and developer messages, wherever they stand, in order."""
    return [
        block
        for message in messages
        if isinstance(message, SystemMessage | DeveloperMessage)
        for block in _texts(message.content)
    ]


def turns(messages: list[Message]) -> list[Turn]:
    """The turns. Raises BadInput for content Claude cannot take."""
    spoken = [
        Turn(role=_role(message), content=blocks)
        for position, message in enumerate(messages)
        if (blocks := _blocks(message, param=f"messages[{position}]"))
    ]
    told = [
        Turn(role=role, content=_results_first([block for turn in run for block in turn["content"]]))
        for role, run in groupby(spoken, key=_speaker)
    ]
    return [*told[:-1], *(_without_blanks_behind(turn) for turn in told[-1:])]


def _without_blanks_behind(turn: Turn) -> Turn:
    match turn:
        case {"role": "assistant", "content": [*blocks, {"type": "text", "text": str(text), **hint}]}:
            return {"role": "assistant", "content": [*blocks, text_block(text.rstrip(), hint.get("cache_control"))]}
        case _:
            return turn


def _speaker(turn: Turn) -> Role:
    return turn["role"]


def _role(message: Message) -> Role:
    return "assistant" if isinstance(message, AssistantMessage) else "user"


def _results_first(blocks: list[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: block.get("type") != "tool_result")


def _blocks(message: Message, *, param: str) -> list[Block]:
    match message:
        case SystemMessage() | DeveloperMessage():
            return []
        case UserMessage(content=content):
            return blocks_of(content, param=f"{param}.content")
        case AssistantMessage():
            return _assistant_blocks(message, param=param)
        case ToolMessage():
            return [_tool_result(message)]
        case _:
            assert_never(message)


def _assistant_blocks(message: AssistantMessage, *, param: str) -> list[Block]:
    if message.audio is not None:
        raise BadInput("'audio' in a message is not supported. Send its text.", param=f"{param}.audio")
    blocks: list[Block] = [*_assistant_texts(message)]
    for position, call in enumerate(message.tool_calls or ()):
        blocks.append(_tool_use(call, param=f"{param}.tool_calls[{position}]"))
    return with_thoughts(blocks, signed_thoughts(message.extra), _thought)


def _assistant_texts(message: AssistantMessage) -> list[TextBlock]:
    match message.content:
        case None:
            return _texts(message.refusal or "")
        case str(text):
            return _texts(text)
        case parts:
            return [text_block(_text_of(part), part.cache_control) for part in parts if _text_of(part).strip()]


def _text_of(part: TextPart | RefusalPart) -> str:
    return part.text if isinstance(part, TextPart) else part.refusal


def _tool_use(call: FunctionToolCall | CustomToolCall, *, param: str) -> ToolUseBlock:
    if isinstance(call, CustomToolCall):
        raise BadInput("Custom tool calls are not supported by this model. Use functions.", param=param)
    arguments = call.function.arguments.strip() or "{}"
    try:
        msgspec.json.decode(arguments, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise BadInput(
            "The arguments must be a JSON object, as text.", param=f"{param}.function.arguments", code="invalid_value"
        ) from exc
    call_id = fitting_id(call.id, _TOOL_USE_ID)
    return {"type": "tool_use", "id": call_id, "name": call.function.name, "input": msgspec.Raw(arguments)}


def _tool_result(message: ToolMessage) -> ToolResultBlock:
    said = message.content
    content = (said if said.strip() else "") if isinstance(said, str) else _texts(said) or ""
    call_id = fitting_id(message.tool_call_id, _TOOL_USE_ID)
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def _texts(content: TextContent) -> list[TextBlock]:
    if isinstance(content, str):
        return [text_block(content)] if content.strip() else []
    return [text_block(part.text, part.cache_control) for part in content if part.text.strip()]


def _thought(thought: ThinkingBlock) -> ThoughtBlock:
    if thought.type == "redacted_thinking":
        return {"type": "redacted_thinking", "data": thought.data or ""}
    return {"type": "thinking", "thinking": thought.thinking or "", "signature": thought.signature or ""}
