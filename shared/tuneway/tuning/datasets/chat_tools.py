"""Hold the tools of an OpenAI chat row against their rules: declared, called with an object, answered in turn."""

from collections.abc import Iterator, Sequence

import msgspec

from tuneway.tuning.datasets.chat import AssistantMessage, Message, Tool, ToolCall, ToolMessage
from tuneway.tuning.datasets.report import Finding, excerpt

_arguments: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


def declaration_findings(tools: Sequence[Tool], place: str = "$.tools") -> Iterator[Finding]:
    """What the declarations of functions lose on the way."""
    for index, tool in enumerate(tools):
        if tool.function.strict:
            path = f"{place}[{index}].function.strict"
            yield Finding("strict_dropped", path, "The function is strict.", excerpt(tool.function.name))


def call_findings(messages: Sequence[Message], tools: Sequence[Tool], place: str = "$.messages") -> Iterator[Finding]:
    """What is wrong with the calls of a row and their answers."""
    declared = frozenset(tool.function.name for tool in tools)
    for path, call in _calls(messages, place):
        yield from _one_call(call, path, declared)
    yield from _pairing(messages, place)
    yield from _renamed(messages, place)


def object_in(arguments: str) -> dict[str, object] | None:
    """The JSON object in a call's arguments, or None when they hold none."""
    try:
        return _arguments.decode(arguments)
    except (ValueError, RecursionError):
        return None


def _calls(messages: Sequence[Message], place: str) -> Iterator[tuple[str, ToolCall]]:
    for index, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            for position, call in enumerate(message.tool_calls or ()):
                yield f"{place}[{index}].tool_calls[{position}]", call


def _one_call(call: ToolCall, path: str, declared: frozenset[str]) -> Iterator[Finding]:
    name, arguments = call.function.name, call.function.arguments
    if not name:
        yield Finding("empty_content", f"{path}.function.name", "The call names no function.")
    elif name not in declared:
        said = f"The function '{excerpt(name)}' is not among the row's tools."
        yield Finding("undeclared_function", f"{path}.function.name", said)
    if object_in(arguments) is None:
        said = "The arguments are not a JSON object."
        yield Finding("arguments_not_object", f"{path}.function.arguments", said, excerpt(arguments))


def _pairing(messages: Sequence[Message], place: str) -> Iterator[Finding]:
    """Every call is answered by the tool turns right behind it, except by a last turn that is to be learned."""
    open_calls: dict[str, str] = {}
    used: set[str] = set()
    for index, message in enumerate(messages):
        path = f"{place}[{index}]"
        if isinstance(message, ToolMessage):
            if open_calls.pop(message.tool_call_id, None) is None:
                said = f"No open call has the id '{excerpt(message.tool_call_id)}'."
                yield Finding("answer_without_call", f"{path}.tool_call_id", said)
            continue
        yield from _unanswered(open_calls)
        opened = _opened(message, path)
        yield from _repeated(opened, used)
        used |= {call for call, _ in opened}
        open_calls = dict(opened)
    if messages and isinstance(messages[-1], ToolMessage):
        yield from _unanswered(open_calls)


def _renamed(messages: Sequence[Message], place: str) -> Iterator[Finding]:
    """A tool turn keeps the name of the function that was called, and no other."""
    names = {call.id: call.function.name for _, call in _calls(messages, place)}
    for index, message in enumerate(messages):
        if isinstance(message, ToolMessage) and message.name not in (None, names.get(message.tool_call_id)):
            said = f"The answer is named '{excerpt(message.name or '')}', not like the function that was called."
            yield Finding("name_dropped", f"{place}[{index}].name", said)


def _unanswered(open_calls: dict[str, str]) -> Iterator[Finding]:
    for call, path in open_calls.items():
        yield Finding("call_unanswered", path, f"No tool turn answers the call '{excerpt(call)}'.")


def _opened(message: Message, path: str) -> list[tuple[str, str]]:
    calls = message.tool_calls or () if isinstance(message, AssistantMessage) else ()
    return [(call.id, f"{path}.tool_calls[{place}]") for place, call in enumerate(calls)]


def _repeated(opened: Sequence[tuple[str, str]], used: set[str]) -> Iterator[Finding]:
    before = set(used)
    for call, path in opened:
        if call in before:
            yield Finding("repeated_call_id", f"{path}.id", f"The call id '{excerpt(call)}' was used before.")
        before.add(call)
