"""Write an OpenAI chat row as a prompt and its completion, for Llama and Titan on Amazon Bedrock.

| OpenAI | pair |
|---|---|
| system, developer (at the front) | the beginning of the prompt, a blank line behind it |
| one user turn | prompt |
| one answer | completion |
| more turns, calls, files, weight 0, refusals | not expressible |

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/preparing-text-data.html (read 2026-11-21).
"""

from typing import TypedDict

from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.chat_said import conversation, paragraphs
from tuneway.tuning.datasets.losses import inexpressible


class PairOut(TypedDict):
    """A row as it is written."""

    prompt: str
    completion: str


def to_prompt_completion(row: ChatRow | PlainRow) -> PairOut:
    """The row as a pair. Raises Inexpressible."""
    said = conversation(row)
    match said.turns:
        case (asked, answered):
            return {"prompt": paragraphs((*said.system, *asked.texts)), "completion": paragraphs(answered.texts)}
        case turns:
            raise inexpressible("$.messages", f"The row has {len(turns)} turns; a pair is one question and one answer.")
