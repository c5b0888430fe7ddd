"""Every backend in one local stack, by its real functions and bus: until the provider's job has ended."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.backends.ground import MODELS
from tests.integration.stack.bus import Recorder, bus_of
from tests.integration.stack.running import Stack, created, provider_jobs, running, uploaded
from tests.unit.adapters.aws import ROLE
from tests.vendors.aws_services import Asked, AwsFake, Refused, Reply, Service
from tests.vendors.aws_services import running as serving
from tests.vendors.bedrock_control import BedrockControl
from tests.vendors.s3_buckets import S3Buckets
from tests.vendors.sigv4 import Account
from tests.waiting import wait_until
from tuneway.ports import Topic

SPEED = 60.0
LOST = {"tuningJobs": ("vertex_ai", "vertex_open"), "customJobs": ("vertex_custom",)}
ENDED = {"succeeded", "failed", "cancelled"}


class Aws:
    """S3 and Bedrock's control plane at one address, as one setting names them."""

    def __init__(self) -> None:
        self.buckets = S3Buckets()
        self.control = BedrockControl(clock=lambda: time.time() * SPEED)

    def operation(self, asked: Asked) -> str:
        return self._meant(asked).operation(asked)

    def account(self, asked: Asked) -> Account:
        return self._meant(asked).account(asked)

    def perform(self, asked: Asked) -> Reply:
        return self._meant(asked).perform(asked)

    def refusal(self, asked: Asked, refused: Refused) -> Reply:
        return self._meant(asked).refusal(asked, refused)

    def _meant(self, asked: Asked) -> Service:
        return self.control if asked.raw_path.startswith("/model-customization") else self.buckets


class Site:
    """The stack, and AWS beside it."""

    def __init__(self, stack: Stack, aws: AwsFake, services: Aws) -> None:
        self.stack, self.aws, self.services = stack, aws, services

    def job(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.http.get(f"/v1/fine_tuning/jobs/{id_}").raise_for_status().json()
        return found

    def ended(self, id_: str) -> dict[str, Any]:
        """The job once the provider has ended it, whatever has to follow."""
        wait_until(lambda: self.job(id_)["tuneway"]["status"] in ENDED)
        return self.job(id_)

    def told(self, id_: str) -> list[str]:
        page = self.stack.http.get(f"/v1/fine_tuning/jobs/{id_}/events?limit=100").json()
        return [event["message"] for event in page["data"]][::-1]

    def lose_an_answer(self, backend: str) -> None:
        """The next create does its work, and nobody hears of it."""
        if backend == "bedrock":
            self.aws.loses("CreateModelCustomizationJob")
        for path, backends in LOST.items():
            if backend in backends:
                self.stack.fault(path=path, method="POST", fault="lost")

    def submitted(self, id_: str) -> int:
        """How many jobs the providers have for it."""
        custom = self.stack.vertex.get("/v1/projects/local-project/locations/us-central1/customJobs").json()
        labels = [job.get("labels", {}).get("tuneway-job") for job in custom.get("customJobs", [])]
        tokens = [job.body.get("clientRequestToken", "") for job in self.services.control.jobs.values()]
        return len(provider_jobs(self.stack.vertex, id_)) + labels.count(id_) + sum(id_ in token for token in tokens)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    services = Aws()
    account = Account()
    with serving(services) as aws, pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "TUNEWAY_AWS_URL": aws.url,
            "TUNEWAY_AWS_BUCKET": "bucket-1",
            "TUNEWAY_AWS_REGION": account.region,
            "TUNEWAY_BEDROCK_ROLE": ROLE,
            "TUNEWAY_AWS_SECRET": "env:SHOP_AWS_KEYS",
            "SHOP_AWS_KEYS": json.dumps({"access_key_id": account.access_key, "secret_access_key": account.secret_key}),
        }.items():
            environment.setenv(name, value)
        with running(tmp_path_factory.mktemp("backends")) as stack:
            yield Site(stack, aws, services)


every = pytest.mark.parametrize("backend", list(MODELS))


@every
def test_a_job_succeeds_at_its_provider(site: Site, backend: str) -> None:
    job = site.ended(created(site.stack.http, model=MODELS[backend])["id"])
    ours = job["tuneway"]
    assert (ours["status"], ours["backend"], job["error"]) == ("succeeded", backend, None)
    assert ours["tuned"]["endpoint"] or ours["tuned"]["weights"] or ours["tuned"]["model"]
    assert site.submitted(job["id"]) == 1
    told = site.told(job["id"])
    assert told[0] == "Created fine-tuning job."
    assert f"Submitted to the provider as {ours['provider_job']}." in told


@every
def test_a_job_is_cancelled_at_its_provider(site: Site, backend: str) -> None:
    id_ = created(site.stack.http, model=MODELS[backend], training_file=uploaded(site.stack.http))["id"]
    wait_until(
        lambda: site.job(id_)["tuneway"]["provider_job"] is not None or site.job(id_)["tuneway"]["status"] in ENDED
    )
    answer = site.stack.http.post(f"/v1/fine_tuning/jobs/{id_}/cancel")
    job = site.ended(id_)
    # A job that had finished before the wish reached the provider has succeeded, and says so.
    assert (job["tuneway"]["status"], answer.status_code) in {
        ("cancelled", 200),
        ("succeeded", 200),
        ("succeeded", 400),
    }
    assert site.submitted(id_) == 1


@every
def test_a_lost_answer_makes_no_second_job(site: Site, backend: str) -> None:
    site.lose_an_answer(backend)
    job = site.ended(created(site.stack.http, model=MODELS[backend])["id"])
    assert (job["tuneway"]["status"], job["error"]) == ("succeeded", None)
    assert site.submitted(job["id"]) == 1


def test_every_event_once_more_makes_no_second_job(site: Site) -> None:
    recorder = Recorder(site.stack.data)
    jobs = [created(site.stack.http, model=model)["id"] for model in MODELS.values()]
    for id_ in jobs:
        assert site.ended(id_)["tuneway"]["status"] == "succeeded"
    told = {id_: site.told(id_) for id_ in jobs}
    topics = {Topic.JOB_REQUESTED, Topic.POLL_DUE}
    again = [message for message in recorder.messages() if message.topic in topics]
    bus_of(site.stack.data).publish(*again, *reversed(again))
    wait_until(recorder.quiet)
    assert [site.submitted(id_) for id_ in jobs] == [1] * len(jobs)
    for id_ in jobs:
        assert site.told(id_)[: len(told[id_])] == told[id_]
        assert site.told(id_).count("Fine-tuning finished; deploying the model.") == 1
