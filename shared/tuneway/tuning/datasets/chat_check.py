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
from tuneway.tuning.datasets.chat_tools import call_findings, declaration_findings
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.media import reference_findings
from tuneway.tuning.datasets.report import Checked, Finding, excerpt
from tuneway.tuning.datasets.tokens import utf8_length

_encode = msgspec.json.encode


def check(row: ChatRow, limits: DatasetLimits) -> Checked:
    """What the row holds and every rule that it breaks."""
    if plain := _plain_texts(row):
        return _measured((), plain, 0)
    texts = [text for message in row.messages for text in _texts(message)]
    if row.tools:
        texts.append(_encode(row.tools).decode())
    return _measured(tuple(_findings(row, limits)), texts, sum(map(_media, row.messages)))


def _measured(findings: tuple[Finding, ...], texts: Sequence[str], media: int) -> Checked:
    characters = sum(map(len, texts))
    return Checked(findings, characters, characters if _ascii(texts) else sum(map(utf8_length, texts)), media)


def _ascii(texts: Sequence[str]) -> bool:
    return all(map(str.isascii, texts))


def _plain_texts(row: ChatRow) -> list[str] | None:
    """The texts of the usual row: text turns alone, in order, none blank. It breaks no rule, so no search."""
    messages = row.messages
    if not messages or row.tools or row.functions is not None or row.parallel_tool_calls is False:
        return None
    turns = messages[1:] if isinstance(messages[0], INSTRUCTIONS) else messages
    if not turns or not isinstance(turns[0], UserMessage) or not isinstance(turns[-1], AssistantMessage):
        return None
    said = [text for text in map(_plain_turn, turns) if text]
    if len(said) < len(turns):
        return None
    if turns is not messages:
        said.append(_plain_text(messages[0]))
    return said if said[-1] else None


def _plain_turn(message: Message) -> str:
    if isinstance(message, AssistantMessage):
        bare = message.tool_calls is None and message.refusal is None and message.weight != 0
        return _plain_text(message) if bare and message.function_call is None and message.audio is None else ""
    return _plain_text(message) if isinstance(message, UserMessage) else ""


def _plain_text(message: Message) -> str:
    content = message.content
    return content if isinstance(content, str) and message.name is None and not content.isspace() else ""


def _findings(row: ChatRow, limits: DatasetLimits) -> Iterator[Finding]:
    yield from _row_findings(row)
    yield from _order_findings(row.messages)
    for index, message in enumerate(row.messages):
        yield from _message_findings(message, f"$.messages[{index}]", limits)
    yield from declaration_findings(row.tools or ())
    yield from call_findings(row)


def _row_findings(row: ChatRow) -> Iterator[Finding]:
    if row.functions is not None:
        yield Finding("functions_not_expressible", "$.functions", "The key 'functions' is deprecated.")
    if row.parallel_tool_calls is False:
        yield Finding("parallel_tool_calls_dropped", "$.parallel_tool_calls", "Parallel calls are switched off.")


def _order_findings(messages: Sequence[Message]) -> Iterator[Finding]:
    turns = [index for index, message in enumerate(messages) if not isinstance(message, INSTRUCTIONS)]
    if not turns:
        yield Finding("no_turns", "$.messages", "The row has no user turn and no answer.")
        return
    for index in range(turns[0], len(messages)):
        if isinstance(messages[index], INSTRUCTIONS):
            yield Finding("system_not_first", f"$.messages[{index}].role", "A system message follows the first turn.")
    first, last = messages[turns[0]], messages[-1]
    if not isinstance(first, UserMessage):
        said = f"The first turn is '{_role(first)}'."
        yield Finding("first_turn", f"$.messages[{turns[0]}].role", said)
    if not isinstance(last, AssistantMessage):
        said = f"The last turn is '{_role(last)}', not 'assistant'."
        yield Finding("last_turn", f"$.messages[{len(messages) - 1}].role", said)


def _role(message: Message) -> str:
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


def _texts(message: Message) -> list[str]:
    content = message.content
    if isinstance(content, str) and not isinstance(message, AssistantMessage):
        return [content]
    texts = (
        [content] if isinstance(content, str) else [part.text for part in content or () if isinstance(part, TextPart)]
    )
    if isinstance(message, AssistantMessage):
        texts += [text for call in message.tool_calls or () for text in (call.function.name, call.function.arguments)]
    return texts


def _media(message: Message) -> int:
    content = message.content
    return sum(isinstance(part, ImagePart) for part in content) if isinstance(content, list) else 0
