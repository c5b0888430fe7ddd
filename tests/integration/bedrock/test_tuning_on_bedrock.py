"""A tuning job on Bedrock by events, end to end: rows from Cloud Storage, their copy in S3, the job, its end."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typing_extensions import override

from tests.fakes import Loop
from tests.unit.adapters.aws import KEYS, ROLE, HeldKeys
from tests.vendors.aws_services import AwsFake, running
from tests.vendors.bedrock_control import BedrockControl as Control
from tests.vendors.s3_buckets import S3Buckets
from tests.vendors.sigv4 import Account
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.bedrock_control import BedrockControl
from tuneway.adapters.bedrock_tuning import BedrockTuning
from tuneway.adapters.s3_files import S3Files
from tuneway.adapters.s3_objects import S3Objects
from tuneway.adapters.sources import Sources
from tuneway.ports import Topic, TuningBackend
from tuneway.tuning.catalogue import load
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.lifecycle import JobRef
from tuneway.tuning.submit import Submitter
from tuneway.tuning.validate import Datasets, Means

NOVA = "amazon.nova-micro-v1:0:128k"
OUTPUTS = {"bedrock": "s3://bucket-1"}


class OnBedrock(Loop):
    """The loop with fakes of S3 and of Bedrock's control plane; the registry's part is left out."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        super().__init__(folder)
        self.buckets = S3Buckets()
        self.service = Control(clock=lambda: self.clock)
        self.s3: AwsFake = cleanup.enter_context(running(self.buckets))
        self.control: AwsFake = cleanup.enter_context(running(self.service))
        caller = AwsCaller(HeldKeys(KEYS), sleep=lambda _: None)
        cleanup.callback(caller.close)
        objects = S3Objects(caller, region=Account().region, base_url=self.s3.url)
        self.tuning = BedrockTuning(BedrockControl(caller, timeout=60, base_url=self.control.url), role=ROLE)
        datasets = Datasets(
            self.documents,
            Sources({"gs": lambda: self.files, "s3": lambda: S3Files(objects)}),
            catalogue=load(),
            bucket="shop-models",
            now=lambda: self.clock,
            means=Means(outputs=OUTPUTS),
        )
        self.submit = Submitter(self.lifecycle, self, datasets=datasets, catalogue=load(), lease=60, outputs=OUTPUTS)
        self.poll = type(self.poll)(self.lifecycle, self)

    def of(self, name: str) -> TuningBackend:
        assert name == "bedrock"
        return self.tuning

    @override
    def handler(self, topic: Topic) -> Callable[[JobRef], object] | None:
        return None if topic is Topic.JOB_FINISHED else super().handler(topic)

    def start(self, **fields: object) -> str:
        return str(self.desk.create(self.order(model=NOVA, **fields), owner="acme").id)

    def ended(self, job_id: str) -> Job:
        self.settle(train=False, beats=10)
        return self.job(job_id)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[OnBedrock]:
    with ExitStack() as cleanup:
        yield OnBedrock(tmp_path, cleanup)


def test_a_job_succeeds_with_a_copy_in_the_bases_words(loop: OnBedrock) -> None:
    chosen = Hyperparameters(epochs=3, learning_rate=0.00002)
    job_id = loop.start(
        hyperparameters=chosen, validation_file=loop.upload(b'{"prompt": "q", "completion": "a"}\n' * 20)
    )
    job = loop.ended(job_id)
    assert job.status is Status.SUCCEEDED
    [theirs] = loop.service.jobs.values()
    assert job.tuned is not None
    assert job.tuned.model == theirs.model_arn
    assert theirs.body["trainingDataConfig"] == {"s3Uri": f"s3://bucket-1/jobs/{job_id}/training.jsonl"}
    assert theirs.body["hyperParameters"] == {"epochCount": "3", "learningRate": "0.00002"}
    rows = loop.buckets.objects[f"bucket-1/jobs/{job_id}/training.jsonl"].splitlines()
    assert json.loads(rows[0])["messages"][0] == {"role": "user", "content": [{"text": "Q0"}]}
    assert len(rows) == 100
    checked = json.loads(loop.buckets.objects[f"bucket-1/jobs/{job_id}/validation.jsonl"].splitlines()[0])
    assert checked["schemaVersion"] == "bedrock-conversation-2024"


def test_a_job_that_fails_says_why(loop: OnBedrock) -> None:
    loop.service.dooms = lambda _: "The rows were too short to learn from."
    job = loop.ended(loop.start())
    assert (job.status, job.error is not None) == (Status.FAILED, True)
    assert "too short to learn from" in str(job.error)


def test_a_lost_answer_makes_no_second_job(loop: OnBedrock) -> None:
    loop.control.loses("CreateModelCustomizationJob")
    job = loop.ended(loop.start())
    assert job.status is Status.SUCCEEDED
    assert loop.control.operations.count("CreateModelCustomizationJob") == 1
    assert len(loop.service.jobs) == 1


def test_bedrock_being_busy_costs_time_alone(loop: OnBedrock) -> None:
    loop.control.fails("CreateModelCustomizationJob", 429, "ThrottlingException", times=2)
    loop.control.fails("CreateModelCustomizationJob", 400, "ServiceQuotaExceededException")
    loop.s3.fails("PutObject", 503, "SlowDown", times=3)
    assert loop.ended(loop.start()).status is Status.SUCCEEDED
    assert len(loop.service.jobs) == 1


def test_a_running_job_is_stopped(loop: OnBedrock) -> None:
    job_id = loop.start()
    loop.deliver_new()
    loop.clock += 40
    loop.desk.cancel(job_id, owner="acme")
    assert loop.ended(job_id).status is Status.CANCELLED
    [theirs] = loop.service.jobs.values()
    assert theirs.stopped is not None


def test_a_row_that_nova_cannot_learn_stops_the_job_before_it_costs(loop: OnBedrock) -> None:
    row = b'{"messages":[{"role":"user","content":"User: hi"},{"role":"assistant","content":"hello"}]}\n'
    job = loop.ended(loop.start(training_file=loop.upload(row * 1)))
    assert job.status is Status.FAILED
    assert "keeps 'User:' for itself" in str(job.error)
    assert (loop.service.jobs, loop.buckets.objects) == ({}, {})


def test_a_role_without_a_permission_is_told(loop: OnBedrock) -> None:
    loop.control.fails("CreateModelCustomizationJob", 403, "AccessDeniedException", said="No iam:PassRole.")
    job = loop.ended(loop.start())
    assert job.status is Status.FAILED
    assert "iam:PassRole" in str(job.error)
