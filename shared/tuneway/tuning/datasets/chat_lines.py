"""Chat rows and preferences as lines of OpenAI's JSON: every ``type`` that OpenAI wants, and no null."""

import msgspec

from tuneway.tuning.datasets.chat import AssistantMessage, ChatRow, Message
from tuneway.tuning.datasets.preferences import Preference

_encode = msgspec.json.encode


def chat_line(row: ChatRow) -> bytes:
    """The row, without a line feed."""
    return _encode(_row(row))


def preference_line(found: Preference) -> bytes:
    """The row in OpenAI's form of preferences, without a line feed."""
    asked = msgspec.structs.replace(found.row, messages=found.prompt.turns)
    return _encode(
        {
            "input": _row(asked),
            "preferred_output": list(map(_message, found.chosen.turns)),
            "non_preferred_output": list(map(_message, found.rejected.turns)),
        }
    )


def _row(row: ChatRow) -> dict[str, object]:
    out: dict[str, object] = {"messages": list(map(_message, row.messages))}
    if row.tools:
        out["tools"] = [{"type": "function", "function": msgspec.to_builtins(tool.function)} for tool in row.tools]
    if row.parallel_tool_calls is not None:
        out["parallel_tool_calls"] = row.parallel_tool_calls
    return out


def _message(message: Message) -> dict[str, object]:
    fields = msgspec.convert(msgspec.to_builtins(message), dict[str, object])
    held = {name: value for name, value in fields.items() if value is not None}
    if isinstance(message, AssistantMessage) and message.tool_calls:
        calls = [(call.id, msgspec.to_builtins(call.function)) for call in message.tool_calls]
        held["tool_calls"] = [{"id": id_, "type": "function", "function": function} for id_, function in calls]
    return held
