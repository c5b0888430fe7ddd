"""A provider of endpoints that keeps what it was asked, and a registry that deploys there."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from tests.fakes import Crash, FakeEvents, Fuse, FusedDocuments
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, NotFound, TryLater
from tuneway.ports import Checkpoint, DeployOrder, Outcome, Place, Topic, TunedModel, Work
from tuneway.registry.adopt import adopt
from tuneway.registry.hosting.deploying import Deploying, DeployRef
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.intake import Intake
from tuneway.registry.hosting.orders import Orders
from tuneway.registry.hosting.rollout import Rollout
from tuneway.registry.inventory import Inventory
from tuneway.registry.serving import load
from tuneway.registry.shelves import Deployment
from tuneway.routing.snapshot import Snapshot, current

NOW = 1_795_000_000.0
LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
NOVA_ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova/abcdefghijkl"
ALIAS = "ft:llama:acme::1"
MAIN = "ft-1-1"
KINDS = ("model", "endpoint", "deployed")


def outcome(**fields: object) -> Outcome:
    folder = "gs://shop/out/checkpoints/"
    points = tuple(Checkpoint(id=str(n), epoch=n, step=n, weights=f"{folder}checkpoint-{n}/") for n in (1, 2))
    tuned = TunedModel(model="projects/p/locations/us-central1/tuningJobs/5", weights=f"{folder}final/")
    plain = Outcome(
        job="ftjob-1",
        owner="acme",
        alias=ALIAS,
        base_model=LLAMA,
        backend="vertex_open",
        location="us-central1",
        tuned=msgspec.structs.replace(tuned, checkpoints=points),
        dataset_sha256="f" * 64,
        finished_at=NOW,
    )
    return msgspec.structs.replace(plain, **fields)


class FakeOutcomes:
    """A job: what it was told, and whether it waits for more."""

    def __init__(self, found: Outcome) -> None:
        self.found = found
        self.settled: list[str] = []
        self.told: list[str] = []
        self.closed: list[str] = []

    def of(self, job: str) -> Outcome | None:
        return self.found if job == self.found.job else None

    def settle(self, job: str, *, alias: str, since: int | None = None) -> None:
        assert (job, since) == (self.found.job, None)
        self.settled.append(alias)

    def tell(self, job: str, *, message: str) -> None:
        assert job == self.found.job
        self.told.append(message)

    def promoted(self, job: str, *, since: int | None = None, refusal: str | None = None) -> None:
        raise AssertionError((job, since, refusal))

    def close(self, job: str, *, message: str) -> None:
        assert job == self.found.job
        self.closed.append(message)


class FakeDeployer:
    """Each thing is made by an operation that ends at the next look; ``made`` counts, ``there`` is what there is.

    ``fails`` are kinds whose operation fails, ``faults`` are raised by calls (``make endpoint``), ``stuck``
    operations take for ever, and ``deaf`` answers are lost.
    """

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.there: set[tuple[str, str]] = set()
        self.made: list[tuple[str, str]] = []
        self.operations: dict[str, tuple[str, str, str]] = {}
        self.fails: set[str] = set()
        self.faults: dict[str, Exception] = {}
        self.stuck: set[str] = set()
        self.deaf = 0
        self.shares: dict[str, dict[str, int]] = {}
        self.orders: dict[str, DeployOrder] = {}
        self.meanwhile: Callable[[], object] = lambda: None

    def upload(self, order: DeployOrder) -> Work:
        return self._have("model", order)

    def create_endpoint(self, order: DeployOrder) -> Work:
        return Work(done=True) if ("endpoint", order.endpoint) in self.there else self._have("endpoint", order)

    def deploy(self, order: DeployOrder) -> Work:
        on = order.endpoint or order.id
        assert order.weights is None or ("endpoint", on) in self.there
        self.orders[order.id] = order
        work = self._have("deployed", order)
        place = Place(resource=f"projects/p/locations/{order.location}/endpoints/{on}", host="h")
        return msgspec.structs.replace(work, place=place) if work.done else work

    def on(self, endpoint: str) -> list[str]:
        """Which deployments are on an endpoint."""
        there = [id_ for kind, id_ in self.there if kind == "deployed"]
        return [id_ for id_ in there if (self.orders[id_].endpoint or id_) == endpoint]

    def share(self, order: DeployOrder, shares: Mapping[str, int]) -> Work:
        if fault := self.faults.get("share"):
            raise fault
        with self.fuse.around():
            self.shares[order.endpoint or order.id] = dict(shares)
            self.meanwhile()
        return Work(done=True)

    def rest(self, order: DeployOrder) -> Work:
        if busy := self._under_way(order.id):
            return Work(operation=busy)
        if ("deployed", order.id) in self.there:
            return self._begin("remove", "deployed", order.id)
        return Work(done=True)

    def remove(self, order: DeployOrder) -> Work:
        if busy := self._under_way(order.id):
            return Work(operation=busy)
        on = order.endpoint or order.id
        if ("deployed", order.id) in self.there:
            return self._begin("remove", "deployed", order.id)
        if ("endpoint", on) in self.there and not order.keep_endpoint and not self.on(on):
            return self._begin("remove", "endpoint", on)
        return self._begin("remove", "model", order.id) if ("model", order.id) in self.there else Work(done=True)

    def status(self, operation: str) -> Work:
        if operation not in self.operations:
            raise NotFound(operation)
        verb, kind, id_ = self.operations[operation]
        if f"{verb} {kind}" in self.stuck:
            return Work(operation=operation, stage="waiting_for_machines")
        self._end(verb, kind, id_)
        if verb == "make" and kind in self.fails:
            return Work(done=True, operation=operation, error="No quota for L4.", cause="RESOURCE_EXHAUSTED")
        return Work(done=True, operation=operation)

    def _have(self, kind: str, order: DeployOrder) -> Work:
        if (kind, order.id) in self.there:
            return Work(done=True)
        if busy := self._under_way(order.id):
            return Work(operation=busy)
        return self._begin("make", kind, order.id)

    def _begin(self, verb: str, kind: str, id_: str) -> Work:
        if fault := self.faults.get(f"{verb} {kind}"):
            raise fault
        with self.fuse.around():
            name = f"operations/{len(self.operations) + 1}"
            self.operations[name] = (verb, kind, id_)
            if verb == "make":
                self.made.append((kind, id_))
            self.meanwhile()
        if self.deaf:
            self.deaf -= 1
            raise TryLater("The answer was lost.")
        return Work(operation=name)

    def _end(self, verb: str, kind: str, id_: str) -> None:
        if verb == "remove":
            self.there.discard((kind, id_))
        elif kind not in self.fails and (kind, id_) not in self.there and self._open(kind, id_):
            self.there.add((kind, id_))

    def _open(self, kind: str, id_: str) -> bool:
        """An operation that was seen to end does nothing more when it is asked about again."""
        last = [verb for verb, k, i in self.operations.values() if (k, i) == (kind, id_)]
        return last[-1] == "make"

    def _under_way(self, id_: str) -> str | None:
        """The last operation on one of its things, unless that has come to its end."""
        for kind in KINDS:
            mine = [(name, verb) for name, (verb, k, i) in self.operations.items() if (k, i) == (kind, id_)]
            if not mine:
                continue
            name, verb = mine[-1]
            over = ((kind, id_) in self.there) == (verb == "make")
            if not over and not (verb == "make" and kind in self.fails):
                return name
        return None


class World:
    """The registry, its handler, and the beat."""

    def __init__(
        self,
        folder: Path,
        *,
        fuse: Fuse | None = None,
        automatic: bool = True,
        usd_per_hour: float | None = None,
        **fields: object,
    ) -> None:
        self.fuse = fuse or Fuse()
        self.clock = NOW
        self.plain = SqliteDocuments(folder / "state.sqlite")
        self.documents = FusedDocuments(self.plain, self.fuse)
        self.events = FakeEvents(self.fuse)
        self.provider = FakeDeployer(self.fuse)
        self.outcomes = FakeOutcomes(outcome(**fields))
        self.deploying = Deploying(self.documents, self.events, lambda: self.clock)
        self.orders = Orders(load(), location="us-central1")
        self.intake = Intake(self.deploying, self.outcomes, self.orders, automatic=automatic, usd_per_hour=usd_per_hour)
        self.decided: list[str] = []
        self.rollout = Rollout(self.deploying, self, outcomes=self.outcomes, lease=60, decided=self.decided.append)
        self.inventory = Inventory(self.plain)
        self.desk = DeploymentDesk(self.deploying, self.inventory, self.orders, usd_per_hour=usd_per_hour)
        self.seen = 0
        self.known = {"vertex", "bedrock"}

    def of(self, name: str) -> FakeDeployer:
        if name not in self.known:
            raise BadInput(f"There is no deployer {name!r}.")
        return self.provider

    def finish(self) -> None:
        adopt(self.documents, self.outcomes, job="ftjob-1", since=0, intake=self.intake)

    def deliver(self) -> None:
        """What is published, a handler that dies or asks for more included."""
        while new := self.events.sent[self.seen :]:
            self.seen += len(new)
            for message in new:
                if message.topic is Topic.DEPLOY_REQUESTED:
                    with suppress(Crash, TryLater):
                        self.rollout(msgspec.json.decode(message.data, type=DeployRef))

    def settle(self, beats: int = 40) -> None:
        for _ in range(beats):
            self.deliver()
            self.clock += 61
            with suppress(Crash):
                self.deploying.tick()

    def deployment(self, id_: str = MAIN) -> Deployment:
        return self.deploying.shelf.get(id_).value

    def snapshot(self) -> Snapshot:
        return current(self.plain)
