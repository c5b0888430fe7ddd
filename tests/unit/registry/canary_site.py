"""A route with a canary, the calls it gets, and a clock."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes import FakeEvents, Fuse, FusedDocuments
from tests.unit.registry.requests import CANDIDATE, NOW, STABLE, request
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.canary_events import canary_event
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import Canary, Gates, Plan
from tuneway.registry.counts.usage_recorder import Recorder
from tuneway.registry.route_book import RouteBook
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current

OLD, NEW = Target(resource=STABLE, weight=3.0), Target(resource=CANDIDATE)
BEHIND = Target(resource="projects/p/locations/us-central1/endpoints/9", order=5)
PLAN = Plan(min_requests=20, min_minutes=1)


class Site:
    def __init__(self, folder: Path, *, targets: tuple[Target, ...] = (OLD, BEHIND)) -> None:
        self.clock = NOW
        self.documents = SqliteDocuments(folder / "state.sqlite")
        self.fuse = Fuse()
        self.fused = FusedDocuments(self.documents, self.fuse)
        self.events = FakeEvents(Fuse())
        self.book = RouteBook(self.documents, now=self.now)
        self.book.put(Route(alias="shop", targets=targets, created_at=0.0, cooldown=7.0))
        self.book.put(Route(alias="tuned", targets=(NEW,), created_at=0.0))
        self.canaries = Canaries(self.fused, self.events, now=self.now, announce=canary_event)
        self.desk = CanaryDesk(self.canaries, new_id=lambda: f"{random.getrandbits(40):x}")
        self.record = Recorder(self.documents)
        self.asked = 0

    def now(self) -> float:
        return self.clock

    def start(self, plan: Plan = PLAN, **changed: Any) -> Canary:
        return self.desk.start("shop", "tuned", msgspec.structs.replace(plan, **changed), by="ann")

    @property
    def canary(self) -> Canary:
        return self.canaries.stored("shop").value

    @property
    def route(self) -> Route:
        route = current(self.documents).routes["shop"]
        assert route == self.book.get("shop")
        return route

    def weights(self) -> dict[str, float]:
        return {target.resource.rpartition("/")[2]: target.weight for target in self.route.targets}

    def serve(self, target: str, count: int, **fields: Any) -> None:
        """So many calls that this target answered, in this step."""
        mark = self.route.trial
        for _ in range(count):
            self.asked += 1
            self.record(request(self.asked, target=target, trial=mark, **fields))

    def both(self, count: int, **fields: Any) -> None:
        self.serve(STABLE, 5 * count, **fields)
        self.serve(CANDIDATE, count, **fields)

    def tick(self, seconds: float = 60.0) -> Canary:
        self.clock += seconds
        self.canaries.tick()
        return self.canary

    def told(self) -> list[str]:
        return [message.attributes["ce-type"].rpartition(".")[2] for message in self.events.sent]


def gates(**chosen: Any) -> Gates:
    return Gates(**{"error_rate": None, "p95_latency": None, "cost": None, **chosen})


def until(true: Callable[[], bool], site: Site, *, ticks: int = 40) -> None:
    for _ in range(ticks):
        if true():
            return
        site.tick()
    raise AssertionError("waited in vain")
