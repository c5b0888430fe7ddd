"""Chat rows in the words of providers other than Google's Gemini: open models' messages, pairs, Claude and Nova.

| target | a row | source |
|---|---|---|
| messages | ``{"messages": [{"role": system, user or assistant, "content": …}]}`` | Vertex AI, open models |
| prompt_completion | ``{"prompt": …, "completion": …}``, instructions before the prompt | Bedrock, Llama and Titan |
| claude | ``{"system": …, "messages": […]}``, turns alternate | Bedrock, Claude 3 Haiku |
| converse | ``{"schemaVersion": …, "system": [{"text": …}], "messages": […]}`` | Bedrock, Nova |

Pages as of 2026-11.
"""

import msgspec

from tuneway.tuning.datasets.chat import ChatRow, DeveloperMessage, Message, SystemMessage
from tuneway.tuning.datasets.chat_lines import chat_line
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.dialects import writer

_encode = msgspec.json.encode

to_prompt_completion = writer("prompt_completion")
to_claude = writer("claude")
to_converse = writer("converse")


def to_messages(row: ChatRow | PlainRow) -> bytes:
    """The row with system in the place of developer, which chat templates of open models do not know."""
    if isinstance(row, PlainRow):
        return _encode(row)
    return chat_line(msgspec.structs.replace(row, messages=[_as_system(message) for message in row.messages]))


def _as_system(message: Message) -> Message:
    if isinstance(message, DeveloperMessage):
        return SystemMessage(content=message.content, name=message.name)
    return message
