"""Hold an OpenAI chat row against the rules of its conversation and of what Gemini can express."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

import msgspec

from tuneway.tuning.datasets.chat import (
    INSTRUCTIONS,
    AssistantMessage,
    AudioPart,
    ChatRow,
    DeveloperMessage,
    FilePart,
    ImagePart,
    Message,
    Part,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from tuneway.tuning.datasets.chat_plain import PlainRow, in_full
from tuneway.tuning.datasets.chat_plain import measured as plain_measured
from tuneway.tuning.datasets.chat_tools import call_findings, declaration_findings
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.media import reference_findings
from tuneway.tuning.datasets.report import Checked, Finding, excerpt, flawless
from tuneway.tuning.datasets.tokens import utf8_length

_encode = msgspec.json.encode


def check(row: ChatRow | PlainRow, limits: DatasetLimits) -> Checked:
    """What the row holds and every rule that it breaks."""
    if isinstance(row, PlainRow):
        measure = plain_measured(row)
        return flawless(measure) if measure else check(in_full(row), limits)
    texts = [text for message in row.messages for text in texts_of(message)]
    if row.tools:
        texts.append(_encode(row.tools).decode())
    return Checked(
        tuple(_findings(row, limits)),
        sum(map(len, texts)),
        sum(map(utf8_length, texts)),
        sum(map(media_of, row.messages)),
        tuple(map(role_of, row.messages)),
    )


def _findings(row: ChatRow, limits: DatasetLimits) -> Iterator[Finding]:
    yield from row_findings(row)
    yield from _order_findings(row.messages)
    yield from conversation_findings(row.messages, "$.messages", limits)
    yield from declaration_findings(row.tools or ())
    yield from call_findings(row.messages, row.tools or ())


def row_findings(row: ChatRow, place: str = "$") -> Iterator[Finding]:
    """What is wrong with the keys beside the messages."""
    if row.functions is not None:
        yield Finding("functions_not_expressible", f"{place}.functions", "The key 'functions' is deprecated.")
    if row.parallel_tool_calls is False:
        path = f"{place}.parallel_tool_calls"
        yield Finding("parallel_tool_calls_dropped", path, "Parallel calls are switched off.")


def conversation_findings(messages: Sequence[Message], place: str, limits: DatasetLimits) -> Iterator[Finding]:
    """What is wrong with turns one by one."""
    for index, message in enumerate(messages):
        yield from _message_findings(message, f"{place}[{index}]", limits)


def _order_findings(messages: Sequence[Message]) -> Iterator[Finding]:
    turns = [index for index, message in enumerate(messages) if not isinstance(message, INSTRUCTIONS)]
    if not turns:
        yield Finding("no_turns", "$.messages", "The row has no user turn and no answer.")
        return
    yield from opening_findings(messages, "$.messages")
    if not isinstance(last := messages[-1], AssistantMessage):
        said = f"The last turn is '{role_of(last)}', not 'assistant'."
        yield Finding("last_turn", f"$.messages[{len(messages) - 1}].role", said)


def opening_findings(messages: Sequence[Message], place: str) -> Iterator[Finding]:
    """Instructions stand in front, and the user speaks first; there is at least one turn."""
    turns = [index for index, message in enumerate(messages) if not isinstance(message, INSTRUCTIONS)]
    for index in range(turns[0], len(messages)):
        if isinstance(messages[index], INSTRUCTIONS):
            yield Finding("system_not_first", f"{place}[{index}].role", "A system message follows the first turn.")
    first = messages[turns[0]]
    if not isinstance(first, UserMessage):
        yield Finding("first_turn", f"{place}[{turns[0]}].role", f"The first turn is '{role_of(first)}'.")


def role_of(message: Message) -> str:
    """Who speaks."""
    return str(message.__struct_config__.tag)


def _message_findings(message: Message, path: str, limits: DatasetLimits) -> Iterator[Finding]:
    if message.name is not None and not isinstance(message, ToolMessage):
        yield Finding("name_dropped", f"{path}.name", "The turn has a name.", excerpt(message.name))
    match message:
        case AssistantMessage():
            yield from _assistant_findings(message, path)
        case SystemMessage() | DeveloperMessage() | UserMessage():
            yield from _content_findings(message.content, path)
        case ToolMessage():
            # A tool may well answer nothing.
            pass
    yield from chain.from_iterable(map(partial(_part_findings, limits), *_placed_parts(message, path)))


def _placed_parts(message: Message, path: str) -> tuple[Sequence[Part], list[str]]:
    parts = message.content if isinstance(message.content, list) else []
    return parts, [f"{path}.content[{index}]" for index in range(len(parts))]


def _assistant_findings(message: AssistantMessage, path: str) -> Iterator[Finding]:
    if message.weight == 0:
        yield Finding("weight_zero", f"{path}.weight", "The answer has weight 0.")
    if message.refusal is not None:
        yield Finding(
            "refusal_not_expressible", f"{path}.refusal", "The answer is a refusal.", excerpt(message.refusal)
        )
    if message.function_call is not None:
        yield Finding(
            "function_call_not_expressible", f"{path}.function_call", "The key 'function_call' is deprecated."
        )
    if message.audio is not None:
        yield Finding("audio_not_expressible", f"{path}.audio", "The answer is spoken.")
    # Calls stand for the text; so does what was reported above, which says more than "empty".
    silent = message.tool_calls or message.refusal is not None or message.function_call is not None or message.audio
    if not silent or message.content not in (None, "", []):
        yield from _content_findings(message.content, path)


def _content_findings(content: str | Sequence[Part] | None, path: str) -> Iterator[Finding]:
    if content is None:
        yield Finding("empty_content", f"{path}.content", "The turn has neither text nor tool calls.")
    elif not content:
        yield Finding("empty_content", f"{path}.content", "The turn is empty.")
    elif isinstance(content, str) and _blank(content):
        yield Finding("empty_content", f"{path}.content", "The turn holds white space alone.")


def _part_findings(limits: DatasetLimits, part: Part, path: str) -> Iterator[Finding]:
    match part:
        case TextPart(text=text):
            if _blank(text):
                yield Finding("empty_content", f"{path}.text", "The part has no text.")
        case ImagePart(image_url=image):
            if image.detail != "auto":
                said = f"The image asks for detail '{image.detail}'."
                yield Finding("detail_dropped", f"{path}.image_url.detail", said)
            yield from reference_findings(image.url, f"{path}.image_url.url", limits.modalities)
        case RefusalPart(refusal=refusal):
            yield Finding("refusal_not_expressible", path, "The part is a refusal.", excerpt(refusal))
        case AudioPart():
            yield Finding("part_not_expressible", path, "The part is inline sound (input_audio).")
        case FilePart():
            yield Finding("part_not_expressible", path, "The part is a file by OpenAI's id or inline.")


def _blank(text: str) -> bool:
    return not text or text.isspace()


def texts_of(message: Message) -> list[str]:
    """What the turn says, its calls included."""
    content = message.content
    if isinstance(content, str) and not isinstance(message, AssistantMessage):
        return [content]
    texts = (
        [content] if isinstance(content, str) else [part.text for part in content or () if isinstance(part, TextPart)]
    )
    if isinstance(message, AssistantMessage):
        texts += [text for call in message.tool_calls or () for text in (call.function.name, call.function.arguments)]
    return texts


def media_of(message: Message) -> int:
    """How many files the turn holds."""
    content = message.content
    return sum(isinstance(part, ImagePart) for part in content) if isinstance(content, list) else 0
