"""``/v1/registry/routes/{alias}/versions`` and ``:rollback``: what a route was, who changed it, and back again."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.registry.routes import ROOT, RouteDesk, author, guard_of, shown, tagged
from tuneway.errors import BadInput, NotFound
from tuneway.registry.route_book import RouteBook
from tuneway.routing.history import Difference, Entry, Mark, differences, same

PAGE, LARGEST_PAGE = 20, 100
LOOKED_BACK = 50  # removals, and the steps of a canary, are passed over on the way to the route as it was


class Rollback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a rollback, which may be empty: the version to go back ``to``, else the one before this one.

    ``version`` is the one that it is meant for, as ``If-Match`` is.
    """

    to: Annotated[int, Meta(ge=0)] | None = None
    version: Annotated[int, Meta(ge=0)] | None = None


class RouteVersions:
    """Shows the history of routes, and takes changes back."""

    def __init__(self, desk: RouteDesk, book: RouteBook) -> None:
        self._desk = desk
        self._book = book

    def list(self, call: Call) -> Body:
        """``GET …/versions``: the newest first, each with the names of the fields it changed."""
        limit = call.limit(default=PAGE, most=LARGEST_PAGE)
        found = self._book.versions(call.path["alias"], below=_number(call, "before"), limit=limit + 1)
        rows = [_row(entry, before) for entry, before in zip(found, [*found[1:], None], strict=False)][:limit]
        return {"object": "list", "data": rows, "has_more": len(found) > limit}

    def get(self, call: Call) -> Body:
        """``GET …/versions/{version}``: the route as it was, and what it has otherwise than the one before it."""
        alias, number = call.path["alias"], _version(call.path["version"])
        entry = self._book.version(alias, number)
        against = _number(call, "against")
        before = self._before(entry) if against is None else self._book.version(alias, against)
        return {
            **_row(entry, before),
            "route": None if entry.route is None else shown(entry.route),
            "against": None if before is None else before.number,
            "diff": _diff(entry, before),
        }

    def rollback(self, call: Call) -> Body:
        """``POST …:rollback``: the route as it was, as a new version."""
        alias, wish = call.path["alias"], decoded(call.body() or b"{}", Rollback)
        guard = guard_of(call, seen=self._book.seen(alias), said=wish.version)
        entry = self._last_before(alias) if wish.to is None else self._book.version(alias, wish.to)
        if entry.route is None:
            said = f"Version {entry.number} of '{alias}' is its removal. To take it away, delete the route."
            raise BadInput(said, param="to", code="invalid_value")
        warnings = self._desk.sound(entry.route)
        mark = Mark(by=author(call.grant), why=f"Rolled back to version {entry.number}.")
        # A version from the middle of a canary comes back without it: who rolls back by hand has the last word.
        put = self._book.put(msgspec.structs.replace(entry.route, trial=None), guard=guard, mark=mark)
        return tagged(put, {"rolled_back_to": entry.number, **({"warnings": warnings} if warnings else {})})

    def _last_before(self, alias: str) -> Entry:
        """The newest version before the current one in which there was a route, and nothing was tried on it.

        Who takes a promotion back wants none of the candidate: what was so in the middle of its canary is not meant.
        """
        now, *older = self._book.versions(alias, limit=LOOKED_BACK)
        found = next((entry for entry in older if _is_back(entry, now)), None)
        if found is None:
            raise NotFound(f"The route '{alias}' has no version before this one to go back to.", param="to")
        return found

    def _before(self, entry: Entry) -> Entry | None:
        return next(iter(self._book.versions(entry.alias, below=entry.number, limit=1)), None)


def rules(desk: RouteDesk, book: RouteBook) -> list[Rule]:
    """For admins, as routes are."""
    versions, one = RouteVersions(desk, book), f"{ROOT}/{{alias}}"
    return [
        Rule("GET", f"{one}/versions", Scope.ADMIN, versions.list),
        Rule("GET", f"{one}/versions/{{version}}", Scope.ADMIN, versions.get),
        Rule("POST", f"{one}:rollback", Scope.ADMIN, versions.rollback),
        Rule("POST", f"{one}/rollback", Scope.ADMIN, versions.rollback),
    ]


def _is_back(entry: Entry, now: Entry) -> bool:
    """Whether it is a way back: a route, with nothing tried on it, and another one than that of ``now``."""
    if entry.route is None or entry.route.trial is not None:
        return False
    return now.route is None or not same(entry.route, now.route)


def _row(entry: Entry, before: Entry | None) -> dict[str, object]:
    diff = _diff(entry, before)
    return {
        "object": "route.version",
        "alias": entry.alias,
        "version": entry.number,
        "created_at": entry.at,
        "author": entry.by,
        "reason": entry.why or None,
        "removed": entry.route is None,
        "changed": None if diff is None else [one.field for one in diff],
    }


def _diff(entry: Entry, before: Entry | None) -> list[Difference] | None:
    """The differences; None where the version before is kept no longer."""
    if before is None:
        return differences(None, entry.route) if entry.number <= 1 else None
    return differences(before.route, entry.route)


def _number(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    return None if text is None else _version(text, name)


def _version(text: str, name: str = "version") -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(2**31))):
        raise BadInput(f"'{name}' is the number of a version, such as 3.", param=name)
    return int(text)
