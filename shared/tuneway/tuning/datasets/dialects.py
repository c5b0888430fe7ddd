"""The words that Amazon Bedrock's base models want their rows in, as a table that the forms of rows draw on."""

from collections.abc import Callable
from typing import Literal

import msgspec

from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.chat_to_claude import to_claude
from tuneway.tuning.datasets.chat_to_nova import to_nova
from tuneway.tuning.datasets.chat_to_prompt_completion import to_prompt_completion

Dialect = Literal["claude", "converse", "prompt_completion"]
"""As the catalogue names them; ``converse`` is Nova's."""

_encode = msgspec.json.encode

_WRITERS: dict[Dialect, Callable[[ChatRow | PlainRow], object]] = {
    "claude": to_claude,
    "converse": to_nova,
    "prompt_completion": to_prompt_completion,
}


def writer(dialect: Dialect) -> Callable[[ChatRow | PlainRow], bytes]:
    """How a chat row becomes a line of this dialect, without its line feed. It raises Inexpressible."""
    write = _WRITERS[dialect]
    return lambda row: _encode(write(row))
