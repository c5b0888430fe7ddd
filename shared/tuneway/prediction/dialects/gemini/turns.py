"""Hub → Gemini: the conversation. System texts are hoisted, neighbours of one role become one turn.

Results of calls are a turn of their own, right behind the calls and in their order: newer models refuse other parts
behind results in one turn (https://github.com/google/oss-rebuild/pull/1559).
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, NamedTuple, TypedDict, assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.parts import Part, parts_of
from tuneway.prediction.hub.messages import (
    AssistantMessage,
    CustomToolCall,
    DeveloperMessage,
    ExtraContent,
    FunctionToolCall,
    Message,
    SystemMessage,
    TextContent,
    ToolMessage,
    UserMessage,
    spoken_texts,
    texts_of,
)

Role = Literal["user", "model"]
_INSTRUCTIONS = (SystemMessage, DeveloperMessage)


class Content(TypedDict):
    """One turn."""

    role: Role
    parts: list[Part]


class SystemInstruction(TypedDict):
    """Instructions."""

    parts: list[Part]


class _Call(NamedTuple):
    """A function that was called, and its place among all calls."""

    place: int
    name: str


_Calls = dict[str, _Call]


def system_parts(messages: list[Message]) -> list[Part]:
    """The texts of system and developer messages, wherever they stand, in order."""
    return [
        {"text": text}
        for message in messages
        if isinstance(message, _INSTRUCTIONS)
        for text in texts_of(message.content)
        if text
    ]


def contents(messages: list[Message]) -> list[Content]:
    """The turns. Raises BadInput for a tool result without its call, and for content Gemini cannot take."""
    turns: list[Content] = []
    for position, message, calls in _in_order(messages):
        parts, role = _parts(message, calls, param=f"messages[{position}]"), _role(message)
        if parts and turns and turns[-1]["role"] == role and _results(turns[-1]["parts"]) == _results(parts):
            turns[-1]["parts"] += parts
        elif parts:
            turns.append({"role": role, "parts": parts})
    return turns


def _results(parts: list[Part]) -> bool:
    return "functionResponse" in parts[0]


def _in_order(messages: list[Message]) -> Iterator[tuple[int, Message, _Calls]]:
    """Messages with their positions and what was called before them; what answers calls comes first, in their order."""
    calls: _Calls = {}
    if not any(isinstance(message, AssistantMessage) and message.tool_calls for message in messages):
        yield from ((position, message, calls) for position, message in enumerate(messages))
        return
    for answered, run in groupby(enumerate(messages), key=_is_answer):
        spoken = list(run)
        if calls and not answered:
            spoken.sort(key=lambda item: _place(item[1], calls))
        yield from ((position, message, calls) for position, message in spoken)
        if answered:
            calls |= _called((message for _, message in spoken), len(calls))


def _is_answer(item: tuple[int, Message]) -> bool:
    return isinstance(item[1], AssistantMessage)


def _place(message: Message, calls: _Calls) -> int:
    call = calls.get(message.tool_call_id) if isinstance(message, ToolMessage) else None
    return call.place if call is not None else sys.maxsize


def _role(message: Message) -> Role:
    return "model" if isinstance(message, AssistantMessage) else "user"


def _parts(message: Message, calls: _Calls, *, param: str) -> list[Part]:
    match message:
        case UserMessage(content=content):
            return parts_of(content, param=f"{param}.content")
        case AssistantMessage():
            return _assistant_parts(message, param=param)
        case SystemMessage() | DeveloperMessage():
            return []
        case ToolMessage():
            return [_function_response(message, _call_of(message, calls, param=f"{param}.tool_call_id"))]
        case _:
            assert_never(message)


def _assistant_parts(message: AssistantMessage, *, param: str) -> list[Part]:
    if message.audio is not None:
        raise BadInput("'audio' in a message is not supported. Send its text.", param=f"{param}.audio")
    if isinstance(message.content, str) and message.content and not (message.tool_calls or message.extra):
        return [{"text": message.content}]  # nearly every answer of a conversation
    texts: list[Part] = [{"text": text} for text in spoken_texts(message) if text]
    parts = [*texts[:-1], *(_signed(last, message.extra) for last in texts[-1:])]
    for position, call in enumerate(message.tool_calls or ()):
        parts.append(_function_call(call, param=f"{param}.tool_calls[{position}]"))
    return parts


def _function_call(call: FunctionToolCall | CustomToolCall, *, param: str) -> Part:
    if isinstance(call, CustomToolCall):
        raise BadInput("Custom tool calls are not supported by this model. Use functions.", param=param)
    args = _arguments(call.function.arguments, param=f"{param}.function.arguments")
    return _signed({"functionCall": {"name": call.function.name, "args": args}}, call.extra_content)


def _arguments(text: str, *, param: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise BadInput("The arguments must be a JSON object, as text.", param=param, code="invalid_value") from exc


def _signed(part: Part, extra: ExtraContent | None) -> Part:
    """The part with the thought signature it came with: Gemini 3 wants it back there. Of texts it is the last one's."""
    signature = extra.google.thought_signature if extra is not None and extra.google is not None else None
    return {**part, "thoughtSignature": signature} if signature else part


def _called(messages: Iterable[Message], before: int) -> _Calls:
    """The functions called, by call id; of one id the last, because some hosts count from 0 in every answer."""
    made = [
        call
        for message in messages
        if isinstance(message, AssistantMessage) and message.tool_calls
        for call in message.tool_calls
        if isinstance(call, FunctionToolCall)
    ]
    return {call.id: _Call(place, call.function.name) for place, call in enumerate(made, before)}


def _call_of(message: ToolMessage, calls: _Calls, *, param: str) -> _Call:
    call = calls.get(message.tool_call_id)
    if call is None:
        raise BadInput(
            f"No earlier assistant message has a tool call with the id '{message.tool_call_id}'.",
            param=param,
            code="invalid_value",
        )
    return call


def _function_response(message: ToolMessage, call: _Call) -> Part:
    return {"functionResponse": {"name": call.name, "response": _result(message.content)}}


def _result(content: TextContent) -> dict[str, object]:
    """A result must be an object: JSON objects are taken as they are, anything else is wrapped."""
    text = "".join(texts_of(content))
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, RecursionError):
            pass
    return {"result": text}
