"""Fakes that keep the ports' promises, and one that breaks them on purpose."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tuneway.adapters.local_files import LocalFiles
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, Conflict, NotFound, TryLater
from tuneway.ports import (
    Checkpoint,
    Document,
    Documents,
    Key,
    Message,
    ProviderJob,
    ProviderState,
    Query,
    Topic,
    TunedModel,
    TuningBackend,
    TuningRequest,
    Write,
)
from tuneway.registry.adopt import adopt
from tuneway.tuning.approvals import Approvals
from tuneway.tuning.beats import PlaceRef
from tuneway.tuning.catalogue import Catalogue, load
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.files import FileShelf
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.installation import Installation
from tuneway.tuning.jobs import Job
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.orders import JobOrder
from tuneway.tuning.outcomes import FinishedJobs
from tuneway.tuning.poll import Poller
from tuneway.tuning.submit import Submitter
from tuneway.tuning.tick import FEW, tick
from tuneway.tuning.validate import Datasets
from tuneway.tuning.watching import Watcher

BUCKET = "shop-models"
CHAT = b'{"messages":[{"role":"user","content":"Q%d"},{"role":"assistant","content":"A%d"}]}\n'
NOW = 1_795_000_000.0  # 2026-11-18


class Crash(BaseException):
    """The process dies here."""


class Fuse:
    """Burns at its ``n``-th use: the process dies before or after the deed."""

    def __init__(self, n: int | None = None) -> None:
        self.left = n
        self.uses = 0

    @contextmanager
    def around(self) -> Iterator[None]:
        self.uses += 1
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Crash
        yield
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Crash


class FusedDocuments:
    """A store that dies, is away, loses answers, or in which somebody else writes first (``rivals`` times)."""

    def __init__(self, inner: Documents, fuse: Fuse) -> None:
        self.inner = inner
        self.fuse = fuse
        self.lose_answers = 0
        self.rivals = 0
        self.away = False

    def get(self, key: Key) -> Document | None:
        return self.inner.get(key)

    def find(self, query: Query) -> list[Document]:
        return self.inner.find(query)

    def commit(self, *writes: Write) -> None:
        if self.away:
            raise TryLater("The state is away.")
        if self.rivals:
            self.rivals -= 1
            raise Conflict("Somebody else wrote first.")
        with self.fuse.around():
            self.inner.commit(*writes)
        if self.lose_answers:
            self.lose_answers -= 1
            raise TryLater("The answer was lost.")


class FakeEvents:
    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.sent: list[Message] = []
        self.away = False

    def publish(self, *messages: Message) -> None:
        if self.away:
            raise TryLater("The bus is away.")
        if messages:
            with self.fuse.around():
                self.sent.extend(messages)


class FakeBackend:
    """A provider that keeps what it was asked, and can lose an answer after the work was done.

    ``meanwhile`` is done by somebody else while a job is being created. Where it ``names``, jobs may be listed by their
    tokens; ``asked_for`` are those that were.
    """

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.jobs: dict[str, tuple[TuningRequest, ProviderJob]] = {}
        self.lose_answers = 0
        self.fault: Exception | None = None
        self.away = False
        self.slow = False
        self.meanwhile: Callable[[], object] = lambda: None
        self.ending: set[str] = set()
        self.names = False
        self.asked_for: list[tuple[str, ...]] = []

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        mine = (job for request, job in self.jobs.values() if (request.token, request.location) == (token, location))
        return next(mine, None)

    def create(self, request: TuningRequest) -> ProviderJob:
        if self.fault:
            raise self.fault
        self.meanwhile()
        with self.fuse.around():
            name = f"projects/p/locations/{request.location}/tuningJobs/{len(self.jobs) + 1}"
            self.jobs[name] = (request, ProviderJob(name=name, state=ProviderState.QUEUED, token=request.token))
            if self.lose_answers:
                self.lose_answers -= 1
                raise TryLater("The answer was lost.")
        return self.jobs[name][1]

    def get(self, name: str) -> ProviderJob:
        if self.away:
            raise TryLater("The provider is away.")
        if name not in self.jobs:
            raise NotFound(name)
        return self.jobs[name][1]

    def unfinished(self, location: str, *, waiting: bool = True) -> Iterator[ProviderJob]:
        if self.away:
            raise TryLater("The provider is away.")
        shown = {ProviderState.QUEUED, ProviderState.RUNNING} if waiting else {ProviderState.RUNNING}
        for request, job in self.jobs.values():
            if request.location == location and job.state in shown:
                yield job

    def named(self, tokens: Sequence[str], *, location: str) -> list[ProviderJob] | None:
        if not self.names:
            return None
        self.asked_for.append(tuple(tokens))
        return [job for request, job in self.jobs.values() if request.token in tokens and request.location == location]

    def cancel(self, name: str) -> None:
        """At once, or when it is ``slow``, once a test says so: ``ending`` are those that were asked to end."""
        if self.jobs[name][1].state in {ProviderState.QUEUED, ProviderState.RUNNING}:
            self.ending.add(name)
            if not self.slow:
                self.turn(name, ProviderState.CANCELLED)

    def turn(self, name: str, state: ProviderState, **fields: object) -> None:
        request, job = self.jobs[name]
        if state is ProviderState.SUCCEEDED:
            endpoint = "projects/p/locations/us/endpoints/77"
            point = Checkpoint(id="1", epoch=1, step=10, endpoint=endpoint)
            model = TunedModel(model="projects/p/locations/us/models/9@1", endpoint=endpoint, checkpoints=(point,))
            fields = {"tuned": model, "billable_tokens": 617, "epochs_done": 2, **fields}
        self.jobs[name] = (request, msgspec.structs.replace(job, state=state, **fields))


class FakeBackends:
    """The same fake under every name but ``none``; ``asked`` are the names in the order they came."""

    def __init__(self, backend: TuningBackend) -> None:
        self.backend = backend
        self.asked: list[str] = []

    def of(self, name: str) -> TuningBackend:
        self.asked.append(name)
        if name == "none":
            raise BadInput("There is no backend called 'none'.")
        return self.backend


class Loop:
    """The whole tuning loop on fakes: deliver what is published, as often and in the order a test likes."""

    def __init__(
        self,
        folder: Path,
        *,
        fuse: Fuse | None = None,
        catalogue: Catalogue | None = None,
        max_cost_usd: float | None = None,
        missing: dict[str, str] | None = None,
        few: int = FEW,
    ) -> None:
        self.few = few
        self.fuse = fuse or Fuse()
        self.clock = NOW
        self.ids = 0
        self.seen = 0
        self.waiting: list[Message] = []
        self.documents = FusedDocuments(SqliteDocuments(folder / "state.sqlite"), self.fuse)
        self.events = FakeEvents(self.fuse)
        self.backend = FakeBackend(self.fuse)
        self.files = LocalFiles(folder / "objects")
        self.lifecycle = Lifecycle(self.documents, self.events, lambda: self.clock)
        self.shelf = FileShelf(self.documents, self.files, bucket=BUCKET, now=lambda: self.clock, new_id=self.new_id)
        self.catalogue = catalogue or load()
        self.desk = JobDesk(
            self.lifecycle,
            self.shelf,
            catalogue=self.catalogue,
            installation=Installation(location="us-central1", max_cost_usd=max_cost_usd, missing=missing or {}),
            new_id=self.new_id,
        )
        self.approvals = Approvals(self.lifecycle, max_cost_usd=max_cost_usd)
        self.backends = FakeBackends(self.backend)
        self.submit = self.submitter(self.catalogue)
        self.poll = Poller(self.lifecycle, self.backends)
        self.watch = Watcher(self.lifecycle, self.backends, few=few)
        self.outcomes = FinishedJobs(self.lifecycle)

    def submitter(self, catalogue: Catalogue) -> Submitter:
        """The handler of ``job-requested`` as it is with this catalogue."""
        datasets = Datasets(self.documents, self.files, catalogue=catalogue, bucket=BUCKET, now=lambda: self.clock)
        outputs = {"vertex_open": f"gs://{BUCKET}", "vertex_custom": f"gs://{BUCKET}"}
        return Submitter(
            self.lifecycle, self.backends, datasets=datasets, catalogue=catalogue, lease=60, outputs=outputs
        )

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:024x}"

    def upload(self, content: bytes | None = None) -> str:
        uri = f"gs://{BUCKET}/data/{self.new_id()}.jsonl"
        with self.files.write(uri) as target:
            target.write(b"".join(CHAT % (n, n) for n in range(100)) if content is None else content)
        return uri

    def order(self, **fields: object) -> JobOrder:
        plain = JobOrder(model="gemini-3.5-flash", training_file="", hyperparameters=Hyperparameters())
        return msgspec.structs.replace(plain, **({"training_file": self.upload()} | fields))

    def job(self, job_id: str) -> Job:
        return self.lifecycle.jobs.get(job_id).value

    def handler(self, topic: Topic) -> Callable[[JobRef], object] | None:
        handlers: dict[Topic, Callable[[JobRef], object]] = {
            Topic.JOB_REQUESTED: self.submit,
            Topic.POLL_DUE: self.poll,
            Topic.JOB_FINISHED: lambda ref: adopt(self.documents, self.outcomes, job=ref.job_id, since=ref.since),
        }
        return handlers.get(topic)

    def deliver(self, message: Message) -> bool:
        """True when the message was taken: not when its handler asks for another delivery, or dies."""
        handler = self.handler(message.topic)
        try:
            if "place" in message.attributes:
                self.watch(msgspec.json.decode(message.data, type=PlaceRef))
            elif handler:
                handler(msgspec.json.decode(message.data, type=JobRef))
        except (TryLater, Conflict, Crash):
            return False
        return True

    def settle(self, *, train: bool = True, beats: int = 30) -> None:
        """Beat and deliver until nothing is open, the provider's jobs doing what they do."""
        for _ in range(beats):
            self.deliver_new()
            if train:
                self.train()
            self.clock += 61
            tick(self.lifecycle, few=self.few)

    def deliver_new(self) -> None:
        """Deliver what was not taken the last time, and what was published since."""
        self.waiting = [message for message in self.waiting if not self.deliver(message)]
        while new := self.events.sent[self.seen :]:
            self.seen += len(new)
            self.waiting += [message for message in new if not self.deliver(message)]

    def train(self) -> None:
        steps = {ProviderState.QUEUED: ProviderState.RUNNING, ProviderState.RUNNING: ProviderState.SUCCEEDED}
        for name, (_, job) in list(self.backend.jobs.items()):
            if job.state in steps:
                self.backend.turn(name, steps[job.state])

    def announced(self) -> list[int]:
        """The sequence numbers on tuning-events, in the order they came."""
        bodies = (m.data for m in self.events.sent if m.topic is Topic.TUNING_EVENTS)
        return [int(str(msgspec.json.decode(body, type=dict[str, object])["sequence"])) for body in bodies]


def wait_until(true: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Raises AssertionError when it does not come true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


class CountedDocuments:
    """A state that counts what is asked of it, and what is written."""

    def __init__(self, inner: Documents) -> None:
        self.inner = inner
        self.asked = self.written = 0

    def get(self, key: Key) -> Document | None:
        self.asked += 1
        return self.inner.get(key)

    def find(self, query: Query) -> list[Document]:
        self.asked += 1
        return self.inner.find(query)

    def commit(self, *writes: Write) -> None:
        self.written += 1
        self.inner.commit(*writes)
