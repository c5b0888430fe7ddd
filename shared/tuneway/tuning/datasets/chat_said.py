"""An OpenAI chat row in words alone: instructions, then user and assistant in turn. What has no such form is named.

Amazon Bedrock's models learn from text: a row with calls, files or an answer not to be learned has no way there.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from tuneway.tuning.datasets.chat import (
    AssistantMessage,
    ChatRow,
    DeveloperMessage,
    Message,
    Part,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from tuneway.tuning.datasets.chat_plain import PlainAssistant, PlainRow, PlainSystem, PlainTurn, PlainUser
from tuneway.tuning.datasets.losses import inexpressible

PLAIN_ROLES: dict[type[PlainTurn], str] = {PlainSystem: "system", PlainUser: "user", PlainAssistant: "assistant"}


class Said(msgspec.Struct, frozen=True, gc=False):
    """One turn: who speaks, and the texts, each with its place in the row."""

    role: str
    texts: tuple[tuple[str, str], ...]


class Conversation(msgspec.Struct, frozen=True):
    """``system`` are the instructions; the turns begin with the user's, end with an answer, and alternate."""

    system: tuple[tuple[str, str], ...]
    turns: tuple[Said, ...]


def conversation(row: ChatRow | PlainRow) -> Conversation:
    """The row in words alone. Raises Inexpressible."""
    said = _plainly(row) if isinstance(row, PlainRow) else _fully(row)
    first = next((index for index, turn in enumerate(said) if turn.role != "system"), len(said))
    for index in range(first, len(said)):
        if said[index].role == "system":
            raise inexpressible(f"$.messages[{index}].role", "A system message follows the first turn.")
    turns = tuple(_joined(said[first:]))
    if not turns or turns[0].role != "user" or turns[-1].role != "assistant":
        raise inexpressible("$.messages", "The row does not go from a user's turn to an answer.")
    return Conversation(tuple(text for turn in said[:first] for text in turn.texts), turns)


def paragraphs(texts: Sequence[tuple[str, str]]) -> str:
    """Several texts as one, a blank line between them."""
    return "\n\n".join(text for _, text in texts)


def _plainly(row: PlainRow) -> list[Said]:
    return [
        Said(PLAIN_ROLES[type(turn)], ((f"$.messages[{index}].content", turn.content),))
        for index, turn in enumerate(row.messages)
    ]


def _fully(row: ChatRow) -> list[Said]:
    if row.tools:
        raise inexpressible("$.tools", "The row declares functions, and the base model learns no calls.")
    if row.functions is not None:
        raise inexpressible("$.functions", "The row declares functions, and the base model learns no calls.")
    return [_said(message, f"$.messages[{index}]") for index, message in enumerate(row.messages)]


def _joined(said: Sequence[Said]) -> Iterator[Said]:
    """Neighbours of one role as one turn."""
    open_turn: Said | None = None
    for turn in said:
        if open_turn is None or open_turn.role != turn.role:
            if open_turn is not None:
                yield open_turn
            open_turn = turn
        else:
            open_turn = Said(turn.role, (*open_turn.texts, *turn.texts))
    if open_turn is not None:
        yield open_turn


def _said(message: Message, path: str) -> Said:
    match message:
        case SystemMessage() | DeveloperMessage():
            return Said("system", _texts(message.content, path))
        case UserMessage():
            return Said("user", _texts(message.content, path))
        case AssistantMessage():
            return _answer(message, path)
        case ToolMessage():
            raise inexpressible(path, "The turn is a function's answer, and the base model learns no calls.")
        case _:
            assert_never(message)


def _answer(message: AssistantMessage, path: str) -> Said:
    if message.weight == 0:
        raise inexpressible(f"{path}.weight", "The base model learns every answer of a row, also one of weight 0.")
    for field in ("tool_calls", "function_call", "refusal", "audio"):
        if getattr(message, field) is not None:
            raise inexpressible(f"{path}.{field}", "The base model learns answers in words alone.")
    return Said("assistant", _texts(message.content, path))


def _texts(content: str | Sequence[Part] | None, path: str) -> tuple[tuple[str, str], ...]:
    if isinstance(content, str):
        found = [(f"{path}.content", content)]
    else:
        found = [_text(part, f"{path}.content[{index}]") for index, part in enumerate(content or ())]
    texts = tuple((place, text) for place, text in found if text)
    if not texts:
        raise inexpressible(f"{path}.content", "The turn says nothing.")
    return texts


def _text(part: Part, path: str) -> tuple[str, str]:
    if not isinstance(part, TextPart):
        raise inexpressible(path, "The base model learns from text alone, and this part is none.")
    return path, part.text
