"""Write an OpenAI chat row as a row for Amazon Nova, in the words of Converse.

| OpenAI | Nova |
|---|---|
| system, developer (at the front) | system, one text each |
| user, assistant | messages that alternate; neighbours of one role become one with several texts |
| calls, files, weight 0, refusals | not expressible |

Source: https://docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html (read 2026-11-21).
"""

import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.chat_said import Conversation, conversation
from tuneway.tuning.datasets.losses import inexpressible

SCHEMA = "bedrock-conversation-2024"
# A job fails when a prompt has one of these anywhere in it.
RESERVED = re.compile(r"User:|Bot:|Assistant:|System:|<image>|<video>|\[EOS\]")


class TextOut(TypedDict):
    """A text as it is written."""

    text: str


class TurnOut(TypedDict):
    """A turn as it is written."""

    role: str
    content: list[TextOut]


class NovaOut(TypedDict):
    """A row as it is written."""

    schemaVersion: str
    system: NotRequired[list[TextOut]]
    messages: list[TurnOut]


def to_nova(row: ChatRow | PlainRow) -> NovaOut:
    """The row in Nova's words. Raises Inexpressible."""
    said = conversation(row)
    _refuse_reserved(said)
    out: NovaOut = {"schemaVersion": SCHEMA, "messages": []}
    if said.system:
        out["system"] = _texts(said.system)
    out["messages"] = [{"role": turn.role, "content": _texts(turn.texts)} for turn in said.turns]
    return out


def _texts(texts: Sequence[tuple[str, str]]) -> list[TextOut]:
    return [{"text": text} for _, text in texts]


def _refuse_reserved(said: Conversation) -> None:
    prompts = [*said.system, *(text for turn in said.turns if turn.role == "user" for text in turn.texts)]
    for place, text in prompts:
        if found := RESERVED.search(text):
            raise inexpressible(place, f"Nova keeps '{found[0]}' for itself: its training fails on such a prompt.")
