"""``GET /v1/registry/usage``: requests, tokens, cost, errors and latencies, by what one asks."""

from collections.abc import Callable
from datetime import UTC, datetime

from tuneway.access.keys import Grant, Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput, NotAllowed
from tuneway.ports import Documents
from tuneway.registry.counts.usage_report import By, Wanted, report

ROOT = "/v1/registry/usage"
DAY = 86400.0
KNOWN = frozenset({"from", "to", "owner", "key", "alias", "target", "group_by"})


def rules(documents: Documents, *, now: Callable[[], float]) -> list[Rule]:
    """A tenant sees its own usage, an admin everybody's."""

    def usage(call: Call) -> Body:
        found = report(documents, _wanted(call, now()))
        return {"object": "list", "from": found.start, "to": found.end, "data": found.rows, "total": found.total}

    return [Rule("GET", ROOT, Scope.TUNE, usage)]


def _wanted(call: Call, now: float) -> Wanted:
    for name in call.query:
        if name not in KNOWN:
            raise BadInput(f"Unknown parameter: '{name}'. Use {', '.join(sorted(KNOWN))}.", param=name)
    end = _time(call, "to", now)
    return Wanted(
        start=_time(call, "from", end - DAY),
        end=end,
        owner=_owner(call.grant, call.query.get("owner")),
        key=_key(call.query.get("key")),
        alias=call.query.get("alias"),
        target=call.query.get("target"),
        by=_groups(call.query.get("group_by", "")),
    )


def _owner(grant: Grant, asked: str | None) -> str | None:
    if Scope.ADMIN in grant.scopes:
        return asked
    if asked not in {None, grant.owner}:
        raise NotAllowed("This key sees its own tenant's usage alone. Leave 'owner' out.", param="owner")
    return grant.owner


def _key(asked: str | None) -> str | None:
    """A key is counted under the beginning of its id, as the log names it."""
    return None if asked is None else asked[:12]


def _time(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        found = float(text) if _is_number(text) else _instant(text)
        datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError) as fault:
        raise BadInput(
            f"'{name}' is a time: 2026-11-22, 2026-11-22T08:00:00Z, or Unix seconds.", param=name, code="invalid_value"
        ) from fault
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit()


def _instant(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _groups(text: str) -> tuple[By, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in set(By):
            raise BadInput(
                f"Usage cannot be grouped by '{name[:80]}'. Use {', '.join(By)}.",
                param="group_by",
                code="invalid_value",
            )
    return tuple(dict.fromkeys(By(name) for name in names))
