"""Write an OpenAI chat row as a row for Claude on Amazon Bedrock.

| OpenAI | Claude |
|---|---|
| system, developer (at the front) | system, a blank line between several |
| user, assistant | messages that alternate; neighbours of one role become one, a blank line between them |
| calls, files, weight 0, refusals | not expressible |

Source: https://platform.claude.com/cookbook/finetuning-finetuning-on-bedrock (read 2026-11-21): the first message is
the user's, the last the assistant's, and no other keys are allowed.
"""

from typing import NotRequired, TypedDict

from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.chat_said import conversation, paragraphs


class MessageOut(TypedDict):
    """A turn as it is written."""

    role: str
    content: str


class ClaudeOut(TypedDict):
    """A row as it is written."""

    system: NotRequired[str]
    messages: list[MessageOut]


def to_claude(row: ChatRow | PlainRow) -> ClaudeOut:
    """The row in Claude's words. Raises Inexpressible."""
    said = conversation(row)
    messages: list[MessageOut] = [{"role": turn.role, "content": paragraphs(turn.texts)} for turn in said.turns]
    return {"system": paragraphs(said.system), "messages": messages} if said.system else {"messages": messages}
