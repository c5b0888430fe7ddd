"""Hub → Converse: what it demands of turns with documents.

- No two documents of a request may have one name, not even in different turns: later ones are numbered, so that
  earlier turns stay as they were when a conversation goes on.
- A turn with a document needs a text: one that has none gets a full stop.

Source: Converse's refusals ("can't contain duplicate document names", "a text block must be included when using
documents") and the documentation of ``Message`` in botocore's model of ``bedrock-runtime``.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, count

from tuneway.prediction.dialects.bedrock.blocks import LONGEST_NAME, ContentBlock

_STOP = "."
# Names that are alike up to here are counted together: what follows may give way to the number.
_BEGINNING = LONGEST_NAME - len(" (1000000)")


def with_documents(contents: list[list[ContentBlock]]) -> list[list[ContentBlock]]:
    """The contents of all turns as Converse takes them."""
    if not any("document" in block for blocks in contents for block in blocks):
        return contents
    names = iter(
        _distinct([block["document"]["name"] for blocks in contents for block in blocks if "document" in block])
    )
    return [_worded([_named(block, names) for block in blocks]) for blocks in contents]


def _worded(blocks: list[ContentBlock]) -> list[ContentBlock]:
    if not any("document" in block for block in blocks) or any("text" in block for block in blocks):
        return blocks
    return [*blocks, {"text": _STOP}]


def _named(block: ContentBlock, names: Iterator[str]) -> ContentBlock:
    if "document" not in block:
        return block
    return {**block, "document": {**block["document"], "name": next(names)}}


def _distinct(names: list[str]) -> list[str]:
    """The names, each but its first bearer's with a number; in one pass, for a caller may send very many."""
    told: dict[str, str] = {}
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    for name in names:
        candidates = _numbered(name, numbers[name[:_BEGINNING].lower()])
        free = next(candidate for candidate in candidates if candidate.lower() not in told)
        told[free.lower()] = free
    return list(told.values())


def _numbered(name: str, numbers: Iterator[int]) -> Iterator[str]:
    """``name`` as it is, then with its numbers; a blank at the cut would make two in a row, which is refused."""
    marks = (f" ({number})" for number in numbers)
    return chain([name], (f"{name[: LONGEST_NAME - len(mark)].rstrip()}{mark}" for mark in marks))
