"""A registry whose models stand on a base that retires, with re-tunes and all that takes them on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes import NOW, FakeEvents, Fuse
from tests.unit.registry.modelled import ACME, ADMIN, PLACE, Modelled, elsewhere
from tests.unit.registry.requests import request
from tuneway.edge.canary_events import canary_event
from tuneway.edge.retirement_events import retiring_event, retune_event
from tuneway.ports import Loss, ProviderState, Topic, TunedModel
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import Canary, Gates, Plan
from tuneway.registry.counts.usage_recorder import Recorder
from tuneway.registry.models.model_desk import Who
from tuneway.registry.models.registering import Into
from tuneway.registry.retirements.notices import NoticeBeat
from tuneway.registry.retirements.radar import Radar, Retiring, day_of, priced
from tuneway.registry.retirements.retune import Retune
from tuneway.registry.retirements.retune_book import RetuneBook
from tuneway.registry.retirements.retune_desk import RetuneDesk, RetuneOrder
from tuneway.registry.retirements.retune_steps import Means, RetuneSteps
from tuneway.routing.names import place
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import change, current
from tuneway.state import Collection
from tuneway.tuning.catalogue import Catalogue, load
from tuneway.tuning.heirs import CatalogueFates
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.jobs import Job
from tuneway.tuning.retuning import FollowedJobs, JobRetuner

BASE, HEIR = "gemini-3.5-flash", "gemini-3.5-flash-lite"
TODAY = day_of(NOW)
PLAN = Plan(steps=(50.0,), min_requests=5, min_minutes=0, gates=Gates(error_rate=0.0, p95_latency=None, cost=None))


def ending(days: int | None = 20, **fields: object) -> Catalogue:
    """The catalogue, in which the base retires in so many days."""
    ends = None if days is None else str(TODAY + timedelta(days=days))
    row = {"name": BASE, "retired_on": ends, "successor": HEIR, **fields}
    return load().merged(msgspec.json.encode({"models": [row]}))


class World(Modelled):
    """``Modelled``, with what looks at retirements and takes re-tunes on."""

    def __init__(self, folder: Path, *, fuse: Fuse | None = None, catalogue: Catalogue | None = None) -> None:
        super().__init__(folder, fuse=fuse, catalogue=catalogue or ending())
        self.catalogue = self.loop.catalogue
        self.fates = CatalogueFates(self.catalogue)
        self.events: FakeEvents = self.loop.events
        self.retuner = self._retuner()
        self.radar = Radar(self.shelf, self.fates)
        self.canaries = Canaries(self.documents, self.events, now=self.now, announce=canary_event)
        means = Means(
            shelf=self.shelf,
            canaries=self.canaries,
            following=FollowedJobs(self.loop.lifecycle),
            outcomes=self.loop.outcomes,
            origins=self.origins,
            fates=self.fates,
        )
        self.book = RetuneBook(self.documents, self.events, now=self.now, announce=retune_event)
        self.steps = RetuneSteps(self.book, means)
        self.retunes = RetuneDesk(self.steps, self.shelf, self.retuner, new_id=self.loop.new_id)
        self.record = Recorder(self.documents)
        self.called = 0
        self.left: int | None = None

    def now(self) -> float:
        return self.loop.clock

    def _retuner(self) -> JobRetuner:
        inspector = Inspector(self.loop.shelf, self.loop.files, catalogue=self.catalogue, now=self.now)
        return JobRetuner(self.loop.desk, inspector, catalogue=self.catalogue, now=self.now)

    announce = staticmethod(retiring_event)
    acme = ACME

    def beat(self) -> NoticeBeat:
        """The beat of a process that has just started."""
        return NoticeBeat(self.documents, self.events, now=self.now, fates=self.fates, announce=retiring_event)

    def rows(self, **asked: Any) -> dict[str, Retiring]:
        """The rows by their ids, with what a re-tune costs."""
        seen = self.radar.look(**{"owner": None, **asked})
        return {row.id: priced(row, self.retuner) for row in seen.rows}

    def start(self, model: str, who: Who = ACME, **order: Any) -> Retune:
        return self.retunes.start(model, self.order(**order), who=who)

    def retune(self, id_: str) -> Retune:
        return self.book.kept.get(id_).value

    def train(self, job: str, *, loss: float | None = None, state: ProviderState = ProviderState.SUCCEEDED) -> None:
        """The provider's part of a job: it runs, and ends at an endpoint of its own with this loss."""
        self.loop.settle(train=False, beats=2)
        name = next(name for name, (asked, _) in self.loop.backend.jobs.items() if asked.token == job)
        self.loop.backend.turn(name, ProviderState.RUNNING)
        self.tuned += 1
        number = str(100 + self.tuned)
        made = TunedModel(model=f"{PLACE}/models/{number}@1", endpoint=f"{PLACE}/endpoints/{number}")
        losses = () if loss is None else (Loss(step=1, training=loss),)
        fields = {"tuned": made, "losses": losses} if state is ProviderState.SUCCEEDED else {"error": "It broke."}
        self.loop.backend.turn(name, state, **fields)
        self.loop.settle(train=False, beats=6)

    def trained(self, *, loss: float | None = 1.0, **fields: object) -> Job:
        """A finished job, registered and routed by itself."""
        job = self.loop.desk.create(self.loop.order(**fields), owner="acme")
        self.train(job.id, loss=loss)
        return self.loop.job(job.id)

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.loop.clock += 60
            self.canaries.tick()
            self.steps.tick()

    def lead(self, alias: str, *targets: Target, **fields: Any) -> None:
        """A route by hand."""
        route = Route(alias=alias, targets=targets, created_at=0.0, **{"owner": "acme", **fields})
        write = Collection(self.documents, "routes", Route).put(alias, route)
        change(self.documents, lambda snapshot: snapshot.with_route(route), write)

    def target(self, alias: str) -> Target:
        """Where a route leads first."""
        return current(self.documents).routes[alias].targets[0]

    def call(self, alias: str, count: int, *, bad: str = "") -> None:
        """So many calls of each target of the route; those of ``bad`` fail."""
        route = current(self.documents).routes[alias]
        for target in (place(each) for each in route.targets):
            for _ in range(count):
                self.called += 1
                status = 500 if bad and target.endswith(bad) else 200
                asked = request(
                    self.called, route=alias, target=target, trial=route.trial, status=status, at=self.now() - 1
                )
                self.record(asked)

    def routes_elsewhere(self) -> tuple[Target, ...]:
        return elsewhere()

    def elsewhere_registered(self) -> None:
        """A model that no job made, called ``outside``."""
        self.registering.from_targets(elsewhere(), Into(name="outside", owner="acme"), base_model="", who=ADMIN)

    def order(self, **order: Any) -> RetuneOrder:
        return RetuneOrder(**{"plan": PLAN, **order})

    def canary_desk(self) -> CanaryDesk:
        return CanaryDesk(self.canaries, new_id=self.loop.new_id)

    def canary(self, alias: str) -> Canary:
        return self.canaries.stored(alias).value

    def told(self, kind: str) -> list[dict[str, str]]:
        """The attributes of the events of this kind."""
        found = [message.attributes for message in self.events.sent if message.topic is Topic.TUNING_EVENTS]
        return [each for each in found if each["ce-type"].startswith(f"tuneway.{kind}")]
