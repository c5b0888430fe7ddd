"""Hub → Converse: the conversation. System texts are hoisted, neighbours of one role become one turn.

The results of calls open their turn, and blanks at the end of an answer that is to go on are cut off: Claude refuses
what is otherwise.

Thoughts that came with a signature (``extra_content.anthropic.thinking_blocks``) go back to their places in the turn:
Claude refuses a tool loop without them.
"""

import re
from itertools import groupby
from typing import Literal, TypedDict, assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.dialects.bedrock.blocks import (
    ContentBlock,
    ToolResultContent,
    blocks_of,
    cache_points,
    text_blocks,
)
from tuneway.prediction.dialects.bedrock.documents import with_documents
from tuneway.prediction.hub.fit import fitting_id
from tuneway.prediction.hub.messages import (
    AssistantMessage,
    CustomToolCall,
    DeveloperMessage,
    FunctionToolCall,
    Message,
    SystemMessage,
    TextContent,
    ThinkingBlock,
    ToolMessage,
    UserMessage,
    spoken_texts,
    texts_of,
)
from tuneway.prediction.hub.thoughts import signed_thoughts, with_thoughts
from tuneway.prediction.profiles import Profile

Role = Literal["user", "assistant"]


class Turn(TypedDict):
    """What one side says until the other speaks."""

    role: Role
    content: list[ContentBlock]


_TOOL_USE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def system_blocks(messages: list[Message], profile: Profile) -> list[ContentBlock]:
    """The texts of system and developer messages, wherever they stand, in order."""
    return [
        block
        for message in messages
        if isinstance(message, SystemMessage | DeveloperMessage)
        for block in _text_content(message.content, profile)
    ]


def turns(messages: list[Message], profile: Profile) -> list[Turn]:
    """The turns, with signed thoughts where the model wants them back. Raises BadInput for what cannot be said."""
    spoken = [
        Turn(role=_role(message), content=blocks)
        for position, message in enumerate(messages)
        if (blocks := _blocks(message, param=f"messages[{position}]", profile=profile))
    ]
    runs = [sorted(run, key=_is_no_result) for _, run in groupby(spoken, key=_speaker)]
    contents = with_documents([[block for turn in run for block in turn["content"]] for run in runs])
    told = [Turn(role=run[0]["role"], content=blocks) for run, blocks in zip(runs, contents, strict=True)]
    return [*told[:-1], *(_without_blanks_behind(turn) for turn in told[-1:])]


def _is_no_result(turn: Turn) -> bool:
    return "toolResult" not in turn["content"][0]


def _without_blanks_behind(turn: Turn) -> Turn:
    *blocks, last = turn["content"]
    if turn["role"] != "assistant" or "text" not in last:
        return turn
    return {"role": "assistant", "content": [*blocks, {"text": last["text"].rstrip()}]}


def called_functions(messages: list[Message]) -> list[str]:
    """The names of the functions called so far, each once, in order."""
    return list(dict.fromkeys(call.function.name for message in messages for call in _calls(message)))


def _calls(message: Message) -> list[FunctionToolCall]:
    made = message.tool_calls or () if isinstance(message, AssistantMessage) else ()
    return [call for call in made if isinstance(call, FunctionToolCall)]


def _text_content(content: TextContent, profile: Profile) -> list[ContentBlock]:
    blocks = text_blocks(texts_of(content))
    return [*blocks, *cache_points(_hint(content), caching=profile.cache_points)] if blocks else []


def _hint(content: TextContent) -> object:
    """The last hint at caching: what stands before it is kept with it."""
    hints = [part.cache_control for part in content if not isinstance(part, str)]
    return next((hint for hint in reversed(hints) if hint is not None), None)


def _speaker(turn: Turn) -> Role:
    return turn["role"]


def _role(message: Message) -> Role:
    return "assistant" if isinstance(message, AssistantMessage) else "user"


def _blocks(message: Message, *, param: str, profile: Profile) -> list[ContentBlock]:
    match message:
        case SystemMessage() | DeveloperMessage():
            return []
        case UserMessage(content=content):
            return blocks_of(content, param=f"{param}.content", caching=profile.cache_points)
        case AssistantMessage():
            spoken = _spoken(message, param=param)
            thoughts = signed_thoughts(message.extra) if profile.reasoning != "none" else []
            return with_thoughts(spoken, thoughts, _thought)
        case ToolMessage(tool_call_id=id_, content=content):
            result = ContentBlock(toolResult={"toolUseId": fitting_id(id_, _TOOL_USE_ID), "content": _result(content)})
            return [result, *cache_points(_hint(content), caching=profile.cache_points)]
        case _:
            assert_never(message)


def _spoken(message: AssistantMessage, *, param: str) -> list[ContentBlock]:
    if message.audio is not None:
        raise BadInput("'audio' in a message is not supported. Send its text.", param=f"{param}.audio")
    blocks = text_blocks(spoken_texts(message))
    for position, call in enumerate(message.tool_calls or ()):
        blocks.append(_tool_use(call, param=f"{param}.tool_calls[{position}]"))
    return blocks


def _thought(block: ThinkingBlock) -> ContentBlock:
    if block.data is not None:
        return {"reasoningContent": {"redactedContent": block.data}}
    return {"reasoningContent": {"reasoningText": {"text": block.thinking or "", "signature": block.signature or ""}}}


def _tool_use(call: FunctionToolCall | CustomToolCall, *, param: str) -> ContentBlock:
    if isinstance(call, CustomToolCall):
        raise BadInput("Custom tool calls are not supported by this model. Use functions.", param=param)
    arguments = _arguments(call.function.arguments, param=f"{param}.function.arguments")
    call_id = fitting_id(call.id, _TOOL_USE_ID)
    return {"toolUse": {"toolUseId": call_id, "name": call.function.name, "input": arguments}}


def _arguments(text: str, *, param: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise BadInput("The arguments must be a JSON object, as text.", param=param, code="invalid_value") from exc


def _result(content: TextContent) -> list[ToolResultContent]:
    """The texts; a result that says nothing is an empty object, because a block may not be blank."""
    results: list[ToolResultContent] = [{"text": text} for text in texts_of(content) if text.strip()]
    return results or [{"json": {}}]
