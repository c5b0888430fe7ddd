"""``/v1/registry/routes:import`` and ``:export``: all routes at once, as LiteLLM's configuration in JSON."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.registry.routes import ROOT, RouteDesk, author, shown
from tuneway.errors import BadInput
from tuneway.registry.route_book import RouteBook
from tuneway.routing.history import Mark
from tuneway.routing.identifiers import HostedModel, VertexIdentifier
from tuneway.routing.litellm.report import Fate, Line
from tuneway.routing.litellm_config import Import, exported, imported
from tuneway.routing.routes import Route, Target

TOLD = 5


class ImportRoutes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an import: a LiteLLM configuration in JSON's types.

    ``environment`` holds the variables to which it refers where no key is meant (addresses, regions). ``dry_run`` gives
    the report and changes nothing; ``partial`` takes what can be taken although something is refused.
    """

    config: dict[str, object]
    environment: dict[str, str] = {}
    dry_run: bool = False
    partial: bool = False


class RouteFiles:
    """Reads and writes the routes of an installation as a whole."""

    def __init__(self, desk: RouteDesk, book: RouteBook) -> None:
        self._desk = desk
        self._book = book

    def put(self, call: Call) -> Body:
        """``POST /v1/registry/routes:import``."""
        asked, warnings = decoded(call.body(), ImportRoutes), list[str]()

        def settle(target: Target, identifier: VertexIdentifier | HostedModel) -> Target:
            ask = None if asked.dry_run else identifier  # an answer is written down, so a rehearsal asks nobody
            found, said = self._desk.settled(target, ask, owner=call.grant.owner)
            warnings.extend(said)
            return found

        read = imported(
            asked.config,
            defaults=self._desk.defaults,
            environment=asked.environment,
            known=[route.alias for route in self._book.list()],
            settle=settle,
        )
        read = self._on_the_record(read)
        applied = not asked.dry_run and self._applied(read, partial=asked.partial, by=author(call.grant))
        return _answer(read, warnings, applied=applied)

    def get(self, _: Call) -> Body:
        """``GET /v1/registry/routes:export``."""
        return exported(self._book.list())

    def _on_the_record(self, read: Import) -> Import:
        """Without routes that would lead a version's name elsewhere than its alias: those are refused."""
        off = self._book.off_the_record(read.routes)
        lines = [
            Line(
                path=f"model_list.{alias}",
                value=alias,
                fate=Fate.REFUSED,
                became=f"It is the name of version alias '{named.alias}' of model '{named.model.id}', and would lead "
                "elsewhere than that.",
                remedy=f"Take it out, and move the alias: tuneway models alias {named.model.id} {named.alias} VERSION.",
            )
            for alias, named in off.items()
        ]
        kept = tuple(route for route in read.routes if route.alias not in off)
        return msgspec.structs.replace(read, routes=kept, lines=(*read.lines, *lines))

    def _applied(self, read: Import, *, partial: bool, by: str) -> bool:
        """Put all of it in one change. Raises BadInput when something is refused and it is to be whole."""
        if read.refused and not partial:
            raise _refusal(read.refused)
        self._book.put_all(read.routes, mark=Mark(by=by, why="Imported."))
        return True


def rules(desk: RouteDesk, book: RouteBook) -> list[Rule]:
    """For admins, as routes are."""
    files = RouteFiles(desk, book)
    return [
        Rule("POST", f"{ROOT}:import", Scope.ADMIN, files.put),
        Rule("GET", f"{ROOT}:export", Scope.ADMIN, files.get),
    ]


def _answer(read: Import, warnings: list[str], *, applied: bool) -> Mapping[str, object]:
    counts = Counter(line.fate.value for line in read.lines)
    return {
        "object": "route_import",
        "applied": applied,
        "counts": dict(counts),
        "report": read.lines,
        "routes": [_planned(route) for route in read.routes],
        **({"warnings": warnings} if warnings else {}),
    }


def _planned(route: Route) -> dict[str, object]:
    """A route as JSON, without time and version: it is not put yet, or was put so before."""
    return {name: value for name, value in shown(route).items() if name not in {"created_at", "version"}}


def _refusal(refused: tuple[Line, ...]) -> BadInput:
    told = [f"{line.path}: {line.became} {line.remedy}" for line in refused[:TOLD]]
    more = [f"And {len(refused) - TOLD} more."] if len(refused) > TOLD else []
    return BadInput(
        " ".join(
            [
                f"Nothing is imported, since {len(refused)} of the values cannot be taken.",
                *told,
                *more,
                "See the whole report with dry_run, or take the rest with partial.",
            ]
        ),
        param=refused[0].path,
        code="invalid_value",
    )
