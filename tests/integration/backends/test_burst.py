"""A thousand jobs in one burst, over the Firestore and Pub/Sub emulators: none is lost and none is doubled."""

import itertools
import time
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import flask
import functions_framework
import httpx
import msgspec
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.firestore import Client
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import PullResponse

from tests.integration.stack.running import BASE, dataset
from tests.waiting import PATIENCE, wait_until
from tuneway.access.keys import Grant, Scope
from tuneway.adapters import plugs
from tuneway.adapters.firestore_documents import FirestoreDocuments
from tuneway.adapters.pubsub import PubsubEvents
from tuneway.errors import TryLater
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings
from tuneway.ports import Topic
from tuneway.registry.keyring import Keyring
from tuneway.settings import Settings
from tuneway.tuning.jobs import Status
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.submit import Submitter
from tuneway.tuning.validate import Datasets

JOBS = 1_000
THREADS = 16
FOLLOWED = 100  # of them are taken to the provider, which takes most of the time; every message is counted
QUIET = 3.0  # seconds to wait for a message; after two waits in vain, none will come
KEY = "tw-burst"
ROWS = "gs://tuneway-local/rows.jsonl"
FUNCTION = Path(__file__).resolve().parents[3] / "functions" / "tuning" / "main.py"


class Cloud:
    """A project on the emulators with the tuning function in front of it, and Vertex AI simulated beside it."""

    def __init__(self, settings: Settings, firestore: Client, publisher: PublisherClient) -> None:
        self.settings = settings
        self.documents = FirestoreDocuments(firestore)
        self.lifecycle = Lifecycle(self.documents, PubsubEvents(publisher, settings.project), time.time)
        self.vertex = httpx.Client(base_url=str(settings.vertex_url), trust_env=False, timeout=PATIENCE)
        self.subscriber = SubscriberClient()
        self.subscription = f"projects/{settings.project}/subscriptions/counted"
        keyring = Keyring(self.documents, now=time.time, randomness=lambda: b"")
        keyring.admit(KEY, Grant(owner="acme", scopes=(Scope.TUNE,), name="burst", created_at=0.0))
        self.door: flask.Flask = functions_framework.create_app("tuning", str(FUNCTION))

    def ordered(self, number: int) -> str:
        """The id of a new job; every tenth order is sent again at once, as by a client whose answer was lost."""
        ids = {self._created(number) for _ in range(1 + (number % 10 == 0))}
        assert len(ids) == 1
        return ids.pop()

    def messages(self, jobs: Collection[str]) -> list[JobRef]:
        """What was published for the function that starts jobs: of each of these, and until nothing more comes."""
        found: list[JobRef] = []

        def heard_of_all() -> bool:
            found.extend(self._pulled())
            return {str(ref.job_id) for ref in found} >= set(jobs)

        wait_until(heard_of_all)
        quiet = 0
        while quiet < 2:
            refs = self._pulled()
            quiet = 0 if refs else quiet + 1
            found += refs
        return found

    def _pulled(self) -> list[JobRef]:
        pulled: Any = PullResponse()
        with suppress(DeadlineExceeded):
            pulled = self.subscriber.pull(subscription=self.subscription, max_messages=500, timeout=QUIET, retry=None)
        if acks := [each.ack_id for each in pulled.received_messages]:
            self.subscriber.acknowledge(subscription=self.subscription, ack_ids=acks, timeout=60)
        return [msgspec.json.decode(each.message.data, type=JobRef) for each in pulled.received_messages]

    def submitter(self) -> Submitter:
        """The handler of these messages, as the function has it."""
        catalogue = plugs.catalogue(self.settings)
        files = plugs.files(self.settings)
        datasets = Datasets(self.documents, files, catalogue=catalogue, bucket="tuneway-local", now=time.time)
        backends = plugs.backends(self.settings)
        return Submitter(self.lifecycle, backends, datasets=datasets, catalogue=catalogue, lease=65)

    def provider_jobs(self) -> Counter[str]:
        """How many jobs Vertex AI has for each of ours."""
        tokens: Counter[str] = Counter()
        page: dict[str, str] = {}
        path = f"/v1/projects/{self.settings.project}/locations/us-central1/tuningJobs"
        while True:
            listed = self.vertex.get(path, params={"pageSize": 100, **page}).raise_for_status().json()
            tokens.update(job["labels"]["tuneway-job"] for job in listed.get("tuningJobs", []))
            if not (token := listed.get("nextPageToken")):
                return tokens
            page = {"pageToken": token}

    def _created(self, number: int) -> str:
        body = {"model": BASE, "training_file": ROWS, "suffix": f"n{number}", "hyperparameters": {"n_epochs": 1}}
        headers = {"authorization": f"Bearer {KEY}", "idempotency-key": f"order-{number}"}
        answer = self.door.test_client().post("/v1/fine_tuning/jobs", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["id"])


@pytest.fixture
def cloud(
    firestore_emulator: str, pubsub_emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    objects = tmp_path / "objects"
    (objects / "tuneway-local").mkdir(parents=True)
    (objects / "tuneway-local" / "rows.jsonl").write_bytes(dataset())
    with VertexServer(VertexSettings(store=tmp_path / "vertex.db", objects=objects, chunk_seconds=0)) as vertex:
        settings = Settings(project="burst", objects_folder=objects, vertex_url=vertex.url)
        names = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "PUBSUB_EMULATOR_HOST": pubsub_emulator}
        for name, value in {**settings.to_env(), **names}.items():
            monkeypatch.setenv(name, value)
        firestore, publisher = Client(project="burst"), PublisherClient()
        for topic in Topic:
            publisher.create_topic(name=f"projects/burst/topics/{topic.value}", timeout=60)
        cloud = Cloud(settings, firestore, publisher)
        counted = f"projects/burst/topics/{Topic.JOB_REQUESTED.value}"
        cloud.subscriber.create_subscription(name=cloud.subscription, topic=counted, timeout=60)
        yield cloud
        cloud.vertex.close()
        cloud.subscriber.close()
        publisher.stop()
        firestore.close()


def test_a_thousand_jobs_in_a_burst_are_neither_lost_nor_doubled(cloud: Cloud) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        ids = list(pool.map(cloud.ordered, range(JOBS)))
    assert len(set(ids)) == JOBS
    kept = {stored.id: stored.value for stored in cloud.lifecycle.jobs.find(("owner", "==", "acme"))}
    assert kept.keys() == set(ids)
    assert {job.status for job in kept.values()} == {Status.REQUESTED}
    told = Counter(ref.job_id for ref in cloud.messages(ids))
    assert told.keys() == set(ids)
    followed = ids[:FOLLOWED]
    _delivered_twice(cloud, followed)
    assert cloud.provider_jobs() == Counter(followed)
    after = [cloud.lifecycle.jobs.get(id_).value for id_ in followed]
    assert {job.status for job in after} == {Status.QUEUED}
    assert len({job.provider_job for job in after}) == FOLLOWED


def _delivered_twice(cloud: Cloud, ids: list[str]) -> None:
    """Each message twice, the second while the first may be under way; as Pub/Sub does, until it is taken."""
    submit = cloud.submitter()

    def deliver(id_: str) -> None:
        for _ in range(50):
            try:
                submit(JobRef(cloud.lifecycle.jobs.get(id_).value.id, 0))
            except TryLater:
                time.sleep(0.1)
                continue
            return
        raise AssertionError(id_)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(deliver, itertools.chain.from_iterable(zip(ids, ids, strict=True))))
