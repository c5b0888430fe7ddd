"""The loop of fakes with sweeps in it: jobs train with losses of a test's choice, two at a time."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from typing_extensions import override

from tests.fakes import BUCKET, CHAT, Crash, Fuse, Loop
from tests.unit.tuning.test_gate import priced
from tuneway.errors import TryLater
from tuneway.ports import Loss, Message, ProviderJob, ProviderState, Topic, TunedModel, TuningRequest
from tuneway.registry.models.promote import promote
from tuneway.routing.snapshot import current
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.cost import estimate
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job
from tuneway.tuning.lifecycle import JobRef, SweepRef
from tuneway.tuning.orders import JobOrder
from tuneway.tuning.sweeps.conductor import Conductor
from tuneway.tuning.sweeps.desk import Seen, SweepDesk, SweepOrder
from tuneway.tuning.sweeps.quotas import Quotas
from tuneway.tuning.sweeps.store import Sweeps, wake
from tuneway.tuning.sweeps.sweep import Sweep
from tuneway.tuning.tick import tick

RATES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
ALIVE = frozenset({ProviderState.QUEUED, ProviderState.RUNNING})
Losses = Callable[[TuningRequest], tuple[Loss, ...]]


def by_rate(request: TuningRequest) -> tuple[Loss, ...]:
    """The best rate is 1."""
    far = abs((request.learning_rate_multiplier or 1.0) - 1.0)
    return (Loss(step=10, training=1.0 + far), Loss(step=20, training=0.5 + far, validation=0.6 + far))


def training_only(request: TuningRequest) -> tuple[Loss, ...]:
    return (Loss(step=10, training=request.learning_rate_multiplier),)


class SweepLoop(Loop):
    """``most`` is the greatest number of jobs that were at the provider at once, ``committed`` the greatest sum."""

    def __init__(
        self,
        folder: Path,
        *,
        fuse: Fuse | None = None,
        quota: int = 2,
        catalogue: Catalogue | None = None,
        losses: Losses = by_rate,
    ) -> None:
        super().__init__(folder, fuse=fuse, catalogue=catalogue or priced())
        self.sweeps = Sweeps(self.documents, self.events, self.lifecycle)
        self.sweep_desk = SweepDesk(self.sweeps, self.desk, new_id=self.new_id)
        self.losses = losses
        self.failing: set[str] = set()
        self.most = 0
        self.billable = 160  # tokens an epoch; the estimate of the rows is 184 at most
        self.conduct = self.conductor(quota)

    def conductor(self, quota: int) -> Conductor:
        quotas = Quotas(msgspec.json.encode({"vertex_ai": quota}).decode())
        return Conductor(self.sweeps, catalogue=self.catalogue, quotas=quotas, location="us-central1")

    def jobs_of(self, *rates: float, **fields: object) -> tuple[JobOrder, ...]:
        fields = {"training_file": self.upload(), **fields}
        return tuple(
            self.order(hyperparameters=Hyperparameters(epochs=1, learning_rate_multiplier=rate), **fields)
            for rate in rates or RATES
        )

    def start(self, *rates: float, **fields: object) -> Sweep:
        order = SweepOrder(jobs=self.jobs_of(*rates))
        return self.sweep_desk.create(msgspec.structs.replace(order, **fields), owner="acme").sweep

    def start_once(self, *rates: float, **fields: object) -> Sweep:
        """As ``start``, on a file whose name is known, with a key."""
        uri = f"gs://{BUCKET}/data/once.jsonl"
        with self.files.write(uri) as target:
            target.write(b"".join(CHAT % (n, n) for n in range(100)))
        jobs = self.jobs_of(*rates, training_file=uri)
        return self.start(jobs=jobs, idempotency_key="once", **fields)

    def bound(self) -> float:
        """The upper end of the estimate of a job of ``jobs_of``."""
        report = lint([b"".join(CHAT % (n, n) for n in range(100))], limits=DatasetLimits())
        base = self.desk.base("gemini-3.5-flash")
        return estimate(report, base, Hyperparameters(epochs=1)).usd_high or 0.0

    def poll_all(self) -> None:
        """Beat once without time to pass for sweeps."""
        tick(self.lifecycle)
        self.deliver_new()

    def told(self) -> list[tuple[object, ...]]:
        """What has become of all sweeps and their jobs, in an order that no crash changes."""
        sweeps = [stored.value for stored in self.sweeps.kept.find()]
        ends = [(each.status, each.open, each.promotion and each.promotion.state) for each in sweeps]
        members = [(each.state, each.result and each.result.status) for sweep in sweeps for each in sweep.members]
        routes = sorted(alias for alias in current(self.documents).routes if alias == "shop")
        paid = sorted(request.token for request, _ in self.backend.jobs.values())
        return [*ends, *members, tuple(routes), tuple(paid)]

    def now(self, sweep: Sweep) -> Sweep:
        return self.sweeps.kept.get(sweep.id).value

    def look(self, sweep: Sweep) -> Seen:
        return self.sweep_desk.get(sweep.id, owner="acme")

    def ran(self) -> list[Job]:
        """The jobs that exist, oldest first."""
        return [stored.value for stored in self.lifecycle.jobs.find(order_by="created_at")]

    @override
    def deliver(self, message: Message) -> bool:
        try:
            match message.topic:
                case Topic.SWEEP_DUE:
                    self.conduct(msgspec.json.decode(message.data, type=SweepRef))
                case Topic.JOB_FINISHED if not super().deliver(message):
                    return False
                case Topic.JOB_FINISHED:
                    ref = msgspec.json.decode(message.data, type=JobRef)
                    promote(self.documents, self.outcomes, job=ref.job_id, since=ref.since, now=lambda: self.clock)
                case _:
                    return super().deliver(message)
        except (TryLater, Crash):
            return False
        return True

    def beat(self, *, train: bool = True) -> None:
        self.deliver_new()
        self.most = max(self.most, sum(job.state in ALIVE for _, job in self.backend.jobs.values()))
        if train:
            self.train()
        self.clock += 61
        tick(self.lifecycle)
        wake(self.documents, self.events, now=self.clock)

    @override
    def settle(self, *, train: bool = True, beats: int = 60) -> None:
        for _ in range(beats):
            self.beat(train=train)

    @override
    def train(self) -> None:
        """One step for each job; what becomes of it depends on its request."""
        for n, (name, (request, job)) in enumerate(list(self.backend.jobs.items()), 100):
            if job.state is ProviderState.QUEUED:
                self.backend.turn(name, ProviderState.RUNNING)
            elif job.state is ProviderState.RUNNING:
                self._end(name, request, number=n)

    def _end(self, name: str, request: TuningRequest, *, number: int) -> None:
        if request.token in self.failing:
            self.backend.turn(name, ProviderState.FAILED, error="It broke.")
            return
        place = "projects/p/locations/us"
        tuned = TunedModel(model=f"{place}/models/{number}@1", endpoint=f"{place}/endpoints/{number}")
        self.backend.turn(
            name, ProviderState.SUCCEEDED, tuned=tuned, losses=self.losses(request), billable_tokens=self.billable
        )

    def provider(self, job: str) -> ProviderJob:
        return next(each for request, each in self.backend.jobs.values() if request.token == job)
