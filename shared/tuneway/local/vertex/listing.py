"""Lists: Google's filter expressions, page sizes and page tokens."""

import base64
import binascii
import re
from collections.abc import Iterable

import msgspec

from tuneway.local.vertex.narrow import mapping, whole
from tuneway.local.vertex.protos import camel
from tuneway.local.vertex.refusals import invalid

DEFAULT_SIZE = 100
CONDITION = re.compile(r"""\s*(?P<field>[\w.\-]+)\s*(?P<op>!=|=|:)\s*(?P<value>"[^"]*"|'[^']*'|[^\s"']+)\s*""")


class Condition(msgspec.Struct, frozen=True):
    """One ``field = value``, ``field != value`` or ``field:*`` (present)."""

    field: str
    op: str
    value: str

    def holds(self, body: dict[str, object]) -> bool:
        """Whether a resource meets it."""
        found = _at(body, self.field)
        match self.op, self.value:
            case ":", "*":
                return found is not None
            case "!=", wanted:
                return found != wanted
            case _, wanted:
                return found == wanted


def conditions(expression: str) -> list[Condition]:
    """The conditions of a filter, joined by AND. Raises Refusal when it cannot be read."""
    found: list[Condition] = []
    for piece in re.split(r"\s+AND\s+", expression) if expression.strip() else []:
        matched = CONDITION.fullmatch(piece)
        if matched is None:
            raise invalid("filter", f"Invalid list filter: {expression}")
        found.append(Condition(matched["field"], matched["op"], matched["value"].strip("\"'")))
    return found


def page(rows: Iterable[tuple[int, dict[str, object]]], query: dict[str, str], *, key: str) -> dict[str, object]:
    """One page of the rows (``seq`` falling) that pass the filter, under ``key``, and the token of the next page."""
    wanted = conditions(query.get("filter", ""))
    size = whole(query.get("pageSize"), DEFAULT_SIZE) or DEFAULT_SIZE
    chosen: list[dict[str, object]] = []
    last = 0
    for seq, body in rows:
        if not all(condition.holds(body) for condition in wanted):
            continue
        if len(chosen) == size:
            return {key: chosen, "nextPageToken": _token(last)}
        chosen.append(body)
        last = seq
    return {key: chosen} if chosen else {}


def start(query: dict[str, str]) -> int | None:
    """The ``seq`` below which this page begins. Raises Refusal for a token that is none of ours."""
    token = query.get("pageToken", "")
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as exc:
        raise invalid("page_token", "The page token is invalid.") from exc


def _token(seq: int) -> str:
    return base64.urlsafe_b64encode(str(seq).encode()).decode()


def _at(body: dict[str, object], field: str) -> object:
    head, _, rest = field.partition(".")
    found = body.get(camel(head))
    return mapping(found).get(rest) if rest else found
