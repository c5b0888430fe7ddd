"""Find what is sensitive in one row, with its JSON path and an excerpt that does not show it."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

import msgspec

from tuneway.tuning.datasets.report import Finding
from tuneway.tuning.datasets.sensitive import ALL, Sign, around, found

MOST_IN_A_ROW = 20
DEEPEST = 100

_decode = msgspec.json.Decoder().decode


def sensitive_findings(line: bytes, signs: AbstractSet[Sign] = ALL) -> list[Finding]:
    """The first sensitive places of a row, each with its path. Raises ValueError when the line is no JSON."""
    return list(islice(_in(_decode(line), "$", signs=signs, deep=DEEPEST), MOST_IN_A_ROW))


def _in(value: object, path: str, *, signs: AbstractSet[Sign], deep: int) -> Iterator[Finding]:
    match value:
        case str():
            places = found(value, signs)
            for at, place in enumerate(places):
                said = f"The text holds what looks like {place.kind}."
                yield Finding(place.rule, path, said, around(value, places, at))
        case list() if deep:
            for index, item in enumerate(msgspec.convert(value, list[object])):
                yield from _in(item, f"{path}[{index}]", signs=signs, deep=deep - 1)
        case dict() if deep:
            for key, item in msgspec.convert(value, dict[str, object]).items():
                yield from _in(item, f"{path}.{key}", signs=signs, deep=deep - 1)
        case _:
            return
