"""Lists: Google's filter expressions, page sizes and page tokens."""

import base64
import binascii
import operator
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

import msgspec

from tuneway.local.vertex.narrow import mapping, whole
from tuneway.local.vertex.protos import camel
from tuneway.local.vertex.refusals import invalid

DEFAULT_SIZE = 100
CONDITION = re.compile(
    r"""\s*(?P<not>NOT\s+)?(?P<field>[\w.\-]+)\s*(?P<op>!=|<=|>=|=|:|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[^\s"'<>=]+)\s*"""
)
ORDERED: dict[str, Callable[[str, str], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


# What lists may be ordered by; the newest come first otherwise.
SORTED_BY = ("displayName", "createTime", "updateTime")
# Filters name a resource by its id.
BY_ID = ("model", "endpoint")


class Condition(msgspec.Struct, frozen=True):
    """One comparison: ``field:*`` is presence, ``field:a*`` a wildcard; times compare as they are written."""

    field: str
    op: str
    value: str
    negated: bool = False

    def holds(self, body: dict[str, object]) -> bool:
        """Whether a resource meets it."""
        return self._compared(_at(body, self.field)) is not self.negated

    def _compared(self, found: object) -> bool:
        match self.op:
            case ":":
                return found is not None and fnmatchcase(str(found), self.value)
            case "!=":
                return found != self.value
            case "=":
                return found == self.value
            case order:
                return isinstance(found, str) and ORDERED[order](found, self.value)


class Filter(msgspec.Struct, frozen=True):
    """Conditions joined by AND, those joined by OR; no groups at all lets everything pass."""

    groups: tuple[tuple[Condition, ...], ...] = ()

    def passes(self, body: dict[str, object]) -> bool:
        """Whether a resource is among those asked for."""
        return not self.groups or any(all(each.holds(body) for each in group) for group in self.groups)


def filtered(expression: str) -> Filter:
    """The filter of a list call. Raises Refusal when it cannot be read."""
    if not expression.strip():
        return Filter()
    groups = re.split(r"\s+OR\s+", expression)
    return Filter(
        tuple(tuple(_condition(piece, expression) for piece in re.split(r"\s+AND\s+", group)) for group in groups)
    )


def _condition(piece: str, expression: str) -> Condition:
    matched = CONDITION.fullmatch(piece)
    if matched is None:
        raise invalid("filter", f"Invalid list filter: {expression}")
    return Condition(matched["field"], matched["op"], matched["value"].strip("\"'"), bool(matched["not"]))


def page(rows: Iterable[tuple[int, dict[str, object]]], query: dict[str, str], *, key: str) -> dict[str, object]:
    """One page of the rows (``seq`` falling) that pass the filter, under ``key``, and the token of the next page."""
    wanted = filtered(query.get("filter", ""))
    size = whole(query.get("pageSize"), DEFAULT_SIZE) or DEFAULT_SIZE
    if order := query.get("orderBy", "").strip():
        passed = [row for row in rows if wanted.passes(row[1])]
        return _sorted_page(passed, order, key=key, size=size, first=_number(query.get("pageToken", "")) or 0)
    chosen: list[dict[str, object]] = []
    last = 0
    for seq, body in rows:
        if not wanted.passes(body):
            continue
        if len(chosen) == size:
            return {key: chosen, "nextPageToken": _token(last)}
        chosen.append(body)
        last = seq
    return {key: chosen} if chosen else {}


def start(query: dict[str, str]) -> int | None:
    """The ``seq`` below which this page begins. Raises Refusal for a token that is none of ours.

    Where the list has an order of its own, tokens count its rows instead.
    """
    return None if query.get("orderBy", "").strip() else _number(query.get("pageToken", ""))


def _number(token: str) -> int | None:
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as exc:
        raise invalid("page_token", "The page token is invalid.") from exc


def _token(seq: int) -> str:
    return base64.urlsafe_b64encode(str(seq).encode()).decode()


def _written(field: str) -> Callable[[tuple[int, dict[str, object]]], str]:
    """What rows are ordered by: the field as it is written."""
    return lambda row: str(row[1].get(field, ""))


def _sorted_page(
    rows: list[tuple[int, dict[str, object]]], order: str, *, key: str, size: int, first: int
) -> dict[str, object]:
    """Those from number ``first`` on; of two that are equal the older one comes first."""
    rows = sorted(rows, key=operator.itemgetter(0))
    for piece in reversed(order.split(",")):
        name, _, direction = piece.strip().partition(" ")
        if camel(name) not in SORTED_BY or direction.strip() not in {"", "asc", "desc"}:
            raise invalid("order_by", f"Cannot order by '{piece.strip()}'.")
        rows.sort(key=_written(camel(name)), reverse=direction.strip() == "desc")
    chosen = [body for _, body in rows[first : first + size]]
    more = {"nextPageToken": _token(first + size)} if first + size < len(rows) else {}
    return {key: chosen, **more} if chosen else {}


def _at(body: dict[str, object], field: str) -> object:
    if field in BY_ID:
        return str(body.get("name", "")).rpartition("/")[2].partition("@")[0]
    head, _, rest = field.partition(".")
    found = body.get(camel(head))
    return mapping(found).get(rest) if rest else found
