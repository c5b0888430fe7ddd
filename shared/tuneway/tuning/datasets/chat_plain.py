"""The usual chat row: turns of text alone. Read as types of its own, it is checked and written without a search.

Whatever these types do not take is read once more as a ``ChatRow``, which says what is wrong with it, if anything.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.gemini import ContentOut, RowOut
from tuneway.tuning.datasets.report import Measure

Text = Annotated[str, msgspec.Meta(min_length=1)]
MOST_ORDERS = 1024
"""Orders of roles that are remembered: a file has few, unless it is made to fill the memory."""


class _Turn(msgspec.Struct, frozen=True, gc=False, tag_field="role", forbid_unknown_fields=True):
    content: Text


class PlainSystem(_Turn, frozen=True, tag="system"):
    """Instructions."""


class PlainUser(_Turn, frozen=True, tag="user"):
    """What the user says."""


class PlainAssistant(_Turn, frozen=True, tag="assistant"):
    """An answer."""


PlainTurn = PlainSystem | PlainUser | PlainAssistant


class PlainRow(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One training example."""

    messages: list[PlainTurn]


decode_plain: Callable[[bytes], PlainRow] = msgspec.json.Decoder(PlainRow).decode
_decode_any = msgspec.json.Decoder(ChatRow).decode
_encode = msgspec.json.encode
_orders: dict[tuple[type[PlainTurn], ...], tuple[str, ...]] = {}
_moulds: dict[tuple[type[PlainTurn], ...], bytes] = {}
# Who speaks in which role; instructions are no turns.
_GEMINI_ROLES: dict[type[PlainTurn], str] = {PlainUser: "user", PlainAssistant: "model"}


def decode(line: bytes) -> PlainRow | ChatRow:
    """The row. Raises ValueError or RecursionError when it is none."""
    try:
        return decode_plain(line)
    except msgspec.ValidationError:
        return _decode_any(line)


def in_full(row: PlainRow) -> ChatRow:
    """The row with every field there may be."""
    return msgspec.convert(msgspec.to_builtins(row), ChatRow)


def measured(row: PlainRow) -> Measure | None:
    """What the row holds, if it breaks no rule; None when it has to be looked at more closely."""
    messages = row.messages
    kinds = tuple(map(type, messages))
    roles = _orders.get(kinds) or _order(kinds)
    texts = [message.content for message in messages]
    if not roles or any(map(str.isspace, texts)):
        return None
    said = "".join(texts)
    characters = len(said)
    return characters if said.isascii() else len(said.encode()), characters, roles


def _order(kinds: tuple[type[PlainTurn], ...]) -> tuple[str, ...]:
    """The roles in turn when they stand in a good order, else none."""
    turns = kinds[1:] if kinds[:1] == (PlainSystem,) else kinds
    good = turns and turns[0] is PlainUser and turns[-1] is PlainAssistant and PlainSystem not in turns
    roles = tuple(str(kind.__struct_config__.tag) for kind in kinds) if good else ()
    if roles and len(_orders) < MOST_ORDERS:
        _orders[kinds] = roles
    return roles


def gemini_line(row: PlainRow) -> bytes:
    """The row as a line in Gemini's words; it must have been found in order."""
    messages = row.messages
    kinds = tuple(map(type, messages))
    mould = _moulds.get(kinds) or _mould(kinds)
    return mould % tuple(map(_encode, [message.content for message in messages]))


def _mould(kinds: tuple[type[PlainTurn], ...]) -> bytes:
    """What all rows of an order have in common, with ``%b`` in the place of each text."""
    mould = _encode(to_gemini(PlainRow([kind("%b") for kind in kinds]))).replace(b'"%b"', b"%b")
    if len(_moulds) < MOST_ORDERS:
        _moulds[kinds] = mould
    return mould


def to_gemini(row: PlainRow) -> RowOut:
    """The row in Gemini's words; it must have been found in order."""
    out = RowOut()
    messages = row.messages
    if isinstance(messages[0], PlainSystem):
        out["systemInstruction"] = {"parts": [{"text": messages[0].content}]}
        messages = messages[1:]
    out["contents"] = _contents(messages)
    return out


def _contents(messages: Sequence[PlainTurn]) -> list[ContentOut]:
    contents: list[ContentOut] = []
    speaking = ""
    for message in messages:
        role = _GEMINI_ROLES[type(message)]
        if role == speaking:
            contents[-1]["parts"].append({"text": message.content})
        else:
            contents.append({"role": role, "parts": [{"text": message.content}]})
        speaking = role
    return contents
