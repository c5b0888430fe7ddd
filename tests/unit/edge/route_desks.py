"""The routes of a registry behind its door, with a state on disk and an installation whose secrets are a set."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.unit.edge.asking import NOW, Asked, Asking
from tuneway.edge.registry import route_probes, route_versions, routes
from tuneway.edge.registry.routes import RouteDesk
from tuneway.ports import Documents
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.route_book import RouteBook
from tuneway.registry.route_means import Means
from tuneway.routing.probes import Finding, TargetProbe
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults

ROOT = "/v1/registry/routes"
ONE = {"identifier": "vertex_ai/gemini-3.5-flash"}


class Desk:
    """A door for routes; ``secrets`` are those that can be read, ``looked_at`` and ``probed`` what was."""

    def __init__(self, documents: Documents) -> None:
        self.secrets: set[str] = set()
        self.looked_at: list[str] = []
        self.probed: list[str] = []
        self.cost: float | None = 0.001
        self.book = RouteBook(documents, now=lambda: NOW)
        self.desk = RouteDesk(
            self.book,
            Deployments(documents, now=lambda: NOW),
            defaults=Defaults(project="own-project", location="us-central1"),
            means=Means(detect=self._detect, unreadable=self._unreadable, probe=self._probe),
        )
        edges = (routes, route_versions, route_probes)
        self.rules = [rule for edge in edges for rule in edge.rules(self.desk, self.book)]
        self.asking = Asking(self.rules)

    def ask(self, method: str, path: str, *, body: object = None, key: str = "admin", **sent: str) -> Asked:
        headers = {name.replace("_", "-"): value for name, value in sent.items()}
        return self.asking(method, ROOT + path, key=key, body=body, sent=headers)

    def put(self, alias: str = "shop", body: Any = None, **sent: str) -> Asked:
        return self.ask("PUT", f"/{alias}", body=ONE if body is None else body, **sent)

    def _detect(self, named: Target) -> Target:
        return named

    def _unreadable(self, references: Sequence[str]) -> Mapping[str, str]:
        self.looked_at += references
        return {one: "the variable is not set" for one in references if one not in self.secrets}

    def _probe(self, targets: Sequence[Target]) -> Sequence[TargetProbe]:
        self.probed += [target.resource for target in targets]
        stars = {"stream": Finding(works=True), "vision": Finding(works=False, reason="It sees nothing.")}
        return [
            TargetProbe(
                target=target.resource,
                provider=target.provider,
                dialect=target.dialect,
                answers=Finding(works=True),
                first_chunk_ms=12.5,
                whole_ms=340.0,
                stars=stars,
                tokens=9,
                cost_usd=self.cost,
            )
            for target in targets
        ]
