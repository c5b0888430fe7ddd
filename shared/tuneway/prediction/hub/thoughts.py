"""Claude's thoughts in an answer that comes back, wherever it is served: which are given back, and where they stand."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tuneway.prediction.hub.messages import ExtraContent, ThinkingBlock

Block = TypeVar("Block")


def signed_thoughts(extra: ExtraContent | None) -> list[ThinkingBlock]:
    """What can be given back: an unsigned thought is not Claude's, and it would refuse it."""
    blocks = extra.anthropic.thinking_blocks if extra is not None and extra.anthropic is not None else None
    return [block for block in blocks or () if block.signature or block.data]


def with_thoughts(
    spoken: Sequence[Block], thoughts: Sequence[ThinkingBlock], said: Callable[[ThinkingBlock], Block]
) -> list[Block]:
    """What was spoken, with each thought where it stood; one that does not say stands at the front, in order.

    None may be the last word, nor stand alone.
    """
    blocks = list(spoken)
    for position, thought in enumerate(thoughts if blocks else ()):
        place = position if thought.index is None else thought.index
        blocks.insert(min(place, len(blocks) - 1), said(thought))
    return blocks
