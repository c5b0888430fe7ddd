"""The usual Gemini row: turns of text alone. Read as types of its own, it is checked without a search.

Whatever these types do not take is read once more as a ``GeminiRow``, which says what is wrong with it, if anything.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Annotated, Literal

import msgspec

from tuneway.tuning.datasets.gemini import GeminiRow
from tuneway.tuning.datasets.report import Measure
from tuneway.tuning.datasets.tokens import utf8_length

Text = Annotated[str, msgspec.Meta(min_length=1)]
MOST_ORDERS = 1024


class _Plain(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """An object of the row."""


class PlainPart(_Plain, frozen=True):
    """Text."""

    text: Text


Parts = Annotated[list[PlainPart], msgspec.Meta(min_length=1)]


class PlainContent(_Plain, frozen=True):
    """A turn."""

    role: Literal["user", "model"]
    parts: Parts


class PlainInstruction(_Plain, frozen=True):
    """The system instruction; its role is ignored by the provider."""

    parts: Parts
    role: str | None = None


class PlainGemini(_Plain, frozen=True, rename="camel"):
    """One training example."""

    contents: Annotated[list[PlainContent], msgspec.Meta(min_length=2)]
    system_instruction: PlainInstruction | None = None


decode_plain: Callable[[bytes], PlainGemini] = msgspec.json.Decoder(PlainGemini).decode
_decode_any = msgspec.json.Decoder(GeminiRow).decode
_orders: dict[tuple[str, ...], tuple[str, ...]] = {}


def decode(line: bytes) -> PlainGemini | GeminiRow:
    """The row. Raises ValueError or RecursionError when it is none."""
    try:
        return decode_plain(line)
    except msgspec.ValidationError:
        return _decode_any(line)


def in_full(row: PlainGemini) -> GeminiRow:
    """The row with every field there may be."""
    return msgspec.convert(msgspec.to_builtins(row), GeminiRow)


def measured(row: PlainGemini) -> Measure | None:
    """What the row holds, if it breaks no rule; None when it has to be looked at more closely."""
    contents = row.contents
    if contents[0].role != "user" or contents[-1].role != "model":
        return None
    roles = _known(tuple([content.role for content in contents]))
    parts: Iterable[PlainPart] = chain.from_iterable([content.parts for content in contents])
    texts = [part.text for part in parts]
    if row.system_instruction is not None:
        texts += [part.text for part in row.system_instruction.parts]
    if any(map(str.isspace, texts)):
        return None
    said = "".join(texts)
    return utf8_length(said), len(said), roles


def _known(roles: tuple[str, ...]) -> tuple[str, ...]:
    """One and the same tuple for the same order, so that rows alike are counted fast."""
    found = _orders.get(roles)
    if found is None and len(_orders) < MOST_ORDERS:
        _orders[roles] = roles
    return found or roles
