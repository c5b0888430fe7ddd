"""Write an OpenAI chat row as one prompt and its completion, perhaps with the system message beside them."""

from collections.abc import Iterator

from tuneway.tuning.datasets.chat import (
    INSTRUCTIONS,
    AssistantMessage,
    ChatRow,
    Message,
    TextPart,
    UserMessage,
)
from tuneway.tuning.datasets.losses import Lost, inexpressible


def to_pair(row: ChatRow) -> tuple[str, str, str | None]:
    """What is asked, what is answered, and the instructions if there are any. Raises Inexpressible."""
    instructions = [message for message in row.messages if isinstance(message, INSTRUCTIONS)]
    turns = [message for message in row.messages if not isinstance(message, INSTRUCTIONS)]
    match turns:
        case [UserMessage(), AssistantMessage(tool_calls=None)]:
            pass
        case _:
            said = f"The row has {len(turns)} turns or a call; a pair is one question and one answer in words."
            raise inexpressible("$.messages", said)
    if len(instructions) > 1 or (instructions and row.messages[0] is not instructions[0]):
        raise inexpressible("$.messages", "The row has several system messages, or not at its beginning.")
    system = _text(instructions[0], "$.messages[0]") if instructions else None
    return _text(turns[0], "$.messages"), _text(turns[1], "$.messages"), system


def losses(row: ChatRow) -> Iterator[Lost]:
    """What the pair does not hold, but for the system message."""
    if row.tools:
        yield Lost("tools", "$.tools")
    if row.parallel_tool_calls is not None:
        yield Lost("parallel_tool_calls", "$.parallel_tool_calls")
    for place, message in enumerate(row.messages):
        if message.name is not None:
            yield Lost("name", f"$.messages[{place}].name")
        # A weight of 1 is what an answer has anyway.
        if isinstance(message, AssistantMessage) and message.weight == 0:
            yield Lost("weight", f"$.messages[{place}].weight")


def _text(message: Message, path: str) -> str:
    content = message.content
    if isinstance(content, str):
        return content
    texts = [part.text for part in content or () if isinstance(part, TextPart)]
    if len(texts) != 1 or len(content or ()) != 1:
        raise inexpressible(path, "The turn is not one text, which a pair needs.")
    return texts[0]
