"""Which columns of a table make a row, and the row's line of JSON from its cells."""

from collections.abc import Sequence

import msgspec

from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.ledger import Ledger, Unreadable
from tuneway.tuning.datasets.report import Finding, excerpt

PAIRS = (("prompt", "completion"), ("question", "answer"), ("instruction", "output"))
PREFERENCES = (("prompt", "chosen", "rejected"), ("input", "preferred_output", "non_preferred_output"))
"""Columns of a better and a worse answer; those of the first hold texts, or turns."""

MARKS = ("messages", "contents")
"""A column with one of these names holds whole turns, and the ones below, where they are, the row's other keys."""

KEYS = (
    *MARKS,
    "completions",
    "tools",
    "parallel_tool_calls",
    "functions",
    "systemInstruction",
    "toolConfig",
    "generationConfig",
)

_encode = msgspec.json.Encoder().encode


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """How a row is made: ``used`` are the places of its columns, whose cells ``line`` takes in this order.

    With ``keys`` a row is a pair, and the first ``asked`` cells, joined by a blank line, are what is asked; ``system``
    says that the last cell holds instructions. Without, each cell is the value of the key that ``names`` tells, which
    is JSON in a table in text, but for ``texts``.
    """

    used: tuple[int, ...]
    names: tuple[str, ...] = ()
    keys: tuple[str, str] | None = None
    asked: int = 1
    system: bool = False
    texts: bool = False

    def line(self, cells: Sequence[object]) -> bytes:
        """The row as JSON, without a line feed. Raises UnicodeEncodeError: a cell is not UTF-8."""
        if self.keys is None:
            return _encode({name: cell for name, cell in zip(self.names, cells, strict=True) if cell is not None})
        asked = cells[0] if self.asked == 1 else "\n\n".join(str(cell) for cell in cells[: self.asked] if cell)
        if not self.system:
            return _encode({self.keys[0]: asked, self.keys[1]: cells[self.asked]})
        turns = [("user", asked), ("assistant", cells[self.asked])]
        said = [("system", cells[-1]), *turns] if cells[-1] else turns
        return _encode({"messages": [{"role": role, "content": text} for role, text in said]})


def header(names: Sequence[str], columns: Columns | None, ledger: Ledger, *, line: int | None = 1) -> Header:
    """What the names say; columns that make no part of a row are noted. Raises Unreadable: there is no pair."""
    if columns is not None:
        check_two(columns, line)
    found = known(names, columns)
    if found is None:
        told = ", ".join(f"'{name}'" for name in names)
        raise Unreadable(Finding("missing_column", "$", f"The columns are {excerpt(told)}."), line)
    for place in sorted(set(range(len(names))) - set(found.used)):
        said = f"The column '{excerpt(names[place])}' makes no part of the rows."
        ledger.fault(Finding("column_ignored", "$", said), line)
    return found


def check_two(columns: Columns, line: int | None) -> None:
    """Whether two different columns are asked and answered. Raises Unreadable."""
    if folded(columns.prompt) == folded(columns.completion):
        said = f"The same column is asked and answered: '{excerpt(columns.prompt)}'."
        raise Unreadable(Finding("missing_column", "$", said), line)


def known(names: Sequence[str], columns: Columns | None) -> Header | None:
    """How a row is made of columns with these names, or None. Case and blanks around a name do not matter."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(folded(name), place)
    if columns is not None:
        return _named(places, columns)
    return _whole(places) or _compared(places) or _usual(places)


def folded(name: str) -> str:
    """The name as it is compared: case and blanks around it do not matter."""
    return name.strip().casefold()


def _whole(places: dict[str, int]) -> Header | None:
    if not any(mark in places for mark in MARKS):
        return None
    used = {key: places[folded(key)] for key in KEYS if folded(key) in places}
    return Header(used=tuple(used.values()), names=tuple(used))


def _compared(places: dict[str, int]) -> Header | None:
    for names in PREFERENCES:
        if all(name in places for name in names):
            used = tuple(places[name] for name in names)
            return Header(used=used, names=names, texts=names is PREFERENCES[0])
    return None


def _usual(places: dict[str, int]) -> Header | None:
    for asked, answered in PAIRS:
        if asked in places and answered in places:
            # "input" is what an instruction is about, in the form that Stanford's Alpaca made usual.
            about = ["input"] if asked == "instruction" and "input" in places else []
            keys = (asked, answered) if asked == "question" else PAIRS[0]
            return _pair(places, [asked, *about], answered, system="system" in places, keys=keys)
    return None


def _named(places: dict[str, int], columns: Columns) -> Header | None:
    asked, answered, system = map(folded, (columns.prompt, columns.completion, columns.system or ""))
    if any(name not in places for name in (asked, answered, system) if name):
        return None
    told = {**places, "system": places[system]} if system else places
    return _pair(told, [asked], answered, system=bool(system), keys=PAIRS[0])


def _pair(
    places: dict[str, int], asked: Sequence[str], answered: str, *, system: bool, keys: tuple[str, str]
) -> Header:
    names = [*asked, answered, *(["system"] if system else [])]
    return Header(used=tuple(places[name] for name in names), keys=keys, asked=len(asked), system=system)
