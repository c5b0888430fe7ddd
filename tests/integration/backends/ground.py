"""The whole loop of a tuning job by events, over each provider's simulation, with processes that die on the way."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import override

from tests.contract.tuning_backends import GROUNDS
from tests.fakes import BUCKET, NOW, Fuse, Loop
from tests.unit.adapters.aws import KEYS, HeldKeys
from tests.vendors.aws_services import running
from tests.vendors.s3_buckets import S3Buckets
from tests.vendors.sigv4 import Account
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.local_files import LocalFiles
from tuneway.adapters.s3_files import S3Files
from tuneway.adapters.s3_objects import S3Objects
from tuneway.adapters.sources import Sources
from tuneway.ports import Files, ProviderJob, Topic, TuningBackend, TuningRequest
from tuneway.tuning.catalogue import load
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job
from tuneway.tuning.lifecycle import JobRef
from tuneway.tuning.poll import Poller
from tuneway.tuning.submit import Submitter
from tuneway.tuning.validate import Datasets, Means

MODELS = {
    "vertex_ai": "gemini-3.5-flash",
    "vertex_open": "meta/llama3_1@llama-3.1-8b-instruct",
    "vertex_custom": "mistralai/Mistral-7B-Instruct-v0.3",
    "bedrock": "amazon.nova-micro-v1:0:128k",
}
_NUMBERS = itertools.count(1)


class Provider(Protocol):
    """A simulated provider, with the clock that a test moves."""

    backend: TuningBackend
    now: float

    def lose_an_answer(self) -> None: ...
    def jobs(self) -> int: ...


class Fused:
    """A backend whose caller may die before or after a create."""

    def __init__(self, inner: TuningBackend, fuse: Fuse) -> None:
        self.inner, self.fuse = inner, fuse
        self.find, self.get, self.unfinished, self.cancel = inner.find, inner.get, inner.unfinished, inner.cancel
        self.named = inner.named

    def create(self, request: TuningRequest) -> ProviderJob:
        with self.fuse.around():
            return self.inner.create(request)


class OnProvider(Loop):
    """The loop on a provider; what follows a job that has finished is left out."""

    def __init__(self, folder: Path, provider: Any, *, name: str, files: Files, fuse: Fuse | None = None) -> None:
        super().__init__(folder, fuse=fuse)
        self.provider: Provider = provider
        self.name = name
        self.began = self.provider.now
        self.fused = Fused(provider.backend, self.fuse)
        outputs = dict.fromkeys(MODELS, f"gs://{BUCKET}") | {"bedrock": "s3://bucket-1"}
        datasets = Datasets(
            self.documents,
            files,
            catalogue=load(),
            bucket=BUCKET,
            now=lambda: self.clock,
            means=Means(outputs=outputs),
        )
        self.submit = Submitter(self.lifecycle, self, datasets=datasets, catalogue=load(), lease=60, outputs=outputs)
        self.poll = Poller(self.lifecycle, self)

    def of(self, name: str) -> TuningBackend:
        assert name == self.name
        return self.fused

    @override
    def new_id(self) -> str:
        """Never the same: several loops share one provider."""
        return f"{next(_NUMBERS):024x}"

    @override
    def handler(self, topic: Topic) -> Callable[[JobRef], object] | None:
        return None if topic is Topic.JOB_FINISHED else super().handler(topic)

    @override
    def deliver_new(self) -> None:
        """The provider's clock goes with ours."""
        self.provider.now = self.began + self.clock - NOW
        super().deliver_new()

    def start(self, **fields: object) -> str:
        chosen = Hyperparameters(epochs=2)
        order = self.order(**({"model": MODELS[self.name], "hyperparameters": chosen} | fields))
        return str(self.desk.create(order, owner="acme").id)

    def looked_at(self, job_id: str, *, every: float, times: int) -> None:
        """Ask the provider so often, as the tick does when it has time."""
        for _ in range(times):
            self.clock += every
            self.deliver_new()
            self.poll(JobRef(self.job(job_id).id, self.job(job_id).announced))

    def ended(self, job_id: str, *, beats: int = 60) -> Job:
        """The job once the provider has ended it, or has had an hour."""
        for _ in range(beats):
            self.settle(train=False, beats=1)
            if self.job(job_id).finished_at is not None:
                break
        self.settle(train=False, beats=2)
        return self.job(job_id)

    def told(self, job_id: str) -> list[str]:
        return [happened.message for happened in self.lifecycle.history(self.job(job_id)).later()]


class Site:
    """One provider, on which many loops may run; each is as a new installation of the same project."""

    def __init__(self, folder: Path, provider: Any, *, name: str, files: Files) -> None:
        self.folder, self.provider, self.name, self.files = folder, provider, name, files

    def loop(self, fuse: Fuse | None = None, *, files: Files | None = None) -> OnProvider:
        mine = self.folder / f"loop-{next(_NUMBERS)}"
        mine.mkdir()
        (mine / "objects").symlink_to(self.folder / "objects")
        return OnProvider(mine, self.provider, name=self.name, files=files or self.files, fuse=fuse)


@contextmanager
def site(folder: Path, name: str) -> Iterator[Site]:
    """The provider called ``name``, with S3 beside it for Bedrock."""
    (folder / "objects" / BUCKET).mkdir(parents=True)
    objects = LocalFiles(folder / "objects")
    with ExitStack() as cleanup:
        provider: Any = cleanup.enter_context(GROUNDS[name](folder))
        if name != "bedrock":
            # Google's protos take seconds to load on a busy machine, which is longer than a create may take.
            path = "/v1beta1/projects/local-project/locations/us-central1/tuningJobs"
            assert provider.http.post(path, json={}, timeout=60).status_code == HTTPStatus.BAD_REQUEST
        fake = cleanup.enter_context(running(S3Buckets()))
        caller = AwsCaller(HeldKeys(KEYS), sleep=lambda _: None)
        cleanup.callback(caller.close)
        buckets = S3Files(S3Objects(caller, region=Account().region, base_url=fake.url))
        yield Site(folder, provider, name=name, files=Sources({"gs": lambda: objects, "s3": lambda: buckets}))
