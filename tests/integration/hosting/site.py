"""A registry that deploys to a simulated Vertex AI or Bedrock: the handlers, redelivery and the beat."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from tests.fakes import Crash, FakeEvents, Fuse
from tests.integration.hosting.bedrock_wire import MODEL_ARN, Bedrock
from tests.integration.hosting.kept import KeptDocuments
from tests.integration.hosting.points import PointedDocuments, PointedEvents, Points
from tests.integration.hosting.vertex_wire import Clock, Vertex
from tuneway.edge.deployment_events import deployment_event
from tuneway.errors import BadInput, Conflict, TryLater
from tuneway.ports import Checkpoint, Deployer, Message, Topic, TunedModel
from tuneway.registry.adopt import adopt
from tuneway.registry.hosting.deploying import Deploying, DeployRef
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.intake import Intake
from tuneway.registry.hosting.orders import Orders
from tuneway.registry.hosting.rests.resting import Outward
from tuneway.registry.hosting.rests.resting_desk import RestingDesk
from tuneway.registry.hosting.rollout import Rollout
from tuneway.registry.inventory import Inventory
from tuneway.registry.serving import load
from tuneway.registry.shelves import Deployment
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job, JobId, Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.outcomes import FinishedJobs
from tuneway.tuning.tick import tick

T = TypeVar("T")
NOW = 1_795_000_000.0
OWNER = "acme"
JOB = "ftjob-1"
ALIAS = "ft:model:acme::1"
MAIN = "ft-1-1"
LEASE = 60.0
BEAT = LEASE + 1
DELIVERIES = 5  # as functions/manifest.yaml has it
BEATS = 120
FOLDER = "gs://shop/out/checkpoints"
POINT = Checkpoint(id="1", epoch=1, step=1, weights=f"{FOLDER}/checkpoint-1/")
OPEN = TunedModel(
    model="projects/local-project/locations/us-central1/tuningJobs/5", weights=f"{FOLDER}/final/", checkpoints=(POINT,)
)
LLAMA = Job(
    id=JobId(JOB),
    owner=OWNER,
    base_model="meta/llama3_1@llama-3.1-8b-instruct",
    location="us-central1",
    alias=ALIAS,
    training_file="file-1",
    hyperparameters=Hyperparameters(),
    created_at=NOW,
    moved_at=NOW,
    deadline=NOW,
    backend="vertex_open",
    status=Status.SUCCEEDED,
    tuned=OPEN,
    finished_at=NOW,
)
NOVA = msgspec.structs.replace(
    LLAMA, base_model="amazon.nova-micro-v1:0:128k", backend="bedrock", tuned=TunedModel(model=MODEL_ARN)
)


class Site:
    """One installation with one job that has just succeeded, or as ``after`` left it."""

    def __init__(self, folder: Path, points: Points, *, job: Job = LLAMA, after: "Site | None" = None) -> None:
        self.points, self.clock = points, Clock(NOW)
        self.plain: KeptDocuments = KeptDocuments(after.plain if after else None)
        self.documents, self.events = PointedDocuments(self.plain, points), PointedEvents(points)
        self.vertex, self.bedrock = Vertex(folder, points, self.clock), Bedrock(points, self.clock)
        self.lifecycle = Lifecycle(self.documents, self.events, self.now)
        self.outcomes = FinishedJobs(self.lifecycle)
        self.deploying = Deploying(self.documents, self.events, self.now)
        orders = Orders(load(), location="us-central1")
        self.intake = Intake(self.deploying, self.outcomes, orders, automatic=True)
        self.decided: list[str] = []
        self.rollout = Rollout(
            self.deploying,
            self,
            outcomes=self.outcomes,
            lease=LEASE,
            decided=self.decided.append,
            outward=Outward(announce=deployment_event),
        )
        self.inventory = Inventory(self.plain)
        self.desk = DeploymentDesk(self.deploying, self.inventory, orders)
        self.resting = RestingDesk(self.deploying)
        self.waiting: deque[tuple[Message, int]] = deque()
        self.seen = 0
        if after is None:
            self.begin(job)
        else:
            self._goes_on(after)

    def _goes_on(self, after: "Site") -> None:
        """With what the other was about to do."""
        self.clock.now = after.clock.now
        self.events.sent, self.seen = list(after.events.sent), after.seen
        self.waiting, self.decided[:] = deque(after.waiting), after.decided
        self.vertex.goes_on(after.vertex)
        self.bedrock.service.deployments |= after.bedrock.service.deployments

    def begin(self, job: Job) -> None:
        """The job as the poller leaves it: succeeded, and its message on the way."""
        began = Lifecycle(self.plain, FakeEvents(Fuse()), self.now).begin(job, "The job succeeded.")
        body = msgspec.json.encode(JobRef(began.value.id, 0))
        self.waiting.append((Message(topic=Topic.JOB_FINISHED, data=body, attributes={}), 0))

    def now(self) -> float:
        return self.clock.now

    def of(self, name: str) -> Deployer:
        known: dict[str, Deployer] = {"vertex": self.vertex.deployer, "bedrock": self.bedrock.deployer}
        if name not in known:
            raise BadInput(f"There is no deployer {name!r}.")
        return known[name]

    def asked(self, deed: Callable[[], T]) -> T:
        """A caller who gets no answer, or is told to try later, asks again."""
        for _ in range(4):
            with suppress(Crash, TryLater):
                return deed()
        raise AssertionError("never answered")

    def deliver(self) -> None:
        """What is published; a message whose handler died or asks for more comes again at the next beat."""
        again: list[tuple[Message, int]] = []
        while self._collected():
            message, times = self.waiting.popleft()
            if not self._taken(message) and times + 1 < DELIVERIES:
                again.append((message, times + 1))
        self.waiting.extend(again)

    def beat(self) -> None:
        self.deliver()
        self.clock.now += BEAT
        with suppress(Crash, TryLater):
            tick(self.lifecycle)
        with suppress(Crash, TryLater):
            self.deploying.tick()

    def settle(self) -> None:
        """Beats until nothing has to happen any more."""
        for _ in range(BEATS):
            if self.quiet():
                return
            self.beat()
        raise AssertionError([(found.status, found.stage, found.error) for found in self.deployments()])

    def quiet(self) -> bool:
        return not (self._collected() or self.job().open or any(found.open for found in self.deployments()))

    def job(self) -> Job:
        return Lifecycle(self.plain, self.events, self.now).jobs.get(JOB).value

    def told(self) -> list[str]:
        """What stands in the job's history."""
        return [happened.message for happened in self.lifecycle.history(self.job()).later()]

    def deployments(self) -> list[Deployment]:
        return self.inventory.deployments(owner=None)

    def deployment(self, id_: str = MAIN) -> Deployment:
        return next(found for found in self.deployments() if found.id == id_)

    def close(self) -> None:
        self.vertex.close()
        self.bedrock.close()

    def _collected(self) -> bool:
        """Whether a message waits, those of the bus included."""
        new = self.events.sent[self.seen :]
        self.seen += len(new)
        self.waiting.extend((message, 0) for message in new if message.topic in HANDLERS)
        return bool(self.waiting)

    def _taken(self, message: Message) -> bool:
        try:
            HANDLERS[message.topic](self, message)
        except (Crash, TryLater, Conflict):
            return False
        return True


def _finished(site: Site, message: Message) -> None:
    ref = msgspec.json.decode(message.data, type=JobRef)
    adopt(site.documents, site.outcomes, job=ref.job_id, since=ref.since, intake=site.intake)


def _deploy(site: Site, message: Message) -> None:
    site.rollout(msgspec.json.decode(message.data, type=DeployRef))


HANDLERS: dict[Topic, Callable[[Site, Message], None]] = {
    Topic.JOB_FINISHED: _finished,
    Topic.DEPLOY_REQUESTED: _deploy,
}
