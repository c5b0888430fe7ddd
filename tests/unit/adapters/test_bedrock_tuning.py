"""Tuning jobs on Bedrock, against a control plane whose requests and answers botocore's model checks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from botocore.session import get_session

from tests.unit.adapters.aws import KEYS, NOVA, ROLE, Region, asked, region
from tests.vendors.aws_services import Fault, Reply
from tests.vendors.botocore_shapes import faults, operation
from tuneway.adapters.bedrock_hyperparameters import families
from tuneway.adapters.bedrock_job import Job, from_job, job_name, to_body, token_in
from tuneway.adapters.bedrock_tuning import BedrockTuning
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports import Loss, Method, PreTuned, ProviderState, TrainingContainer

CREATE = "CreateModelCustomizationJob"


@pytest.fixture
def world() -> Iterator[Region]:
    with region() as found:
        yield found


@pytest.fixture
def backend(world: Region) -> BedrockTuning:
    return BedrockTuning(world.control, role=ROLE)


def phases(world: Region, backend: BedrockTuning, name: str, *, at: tuple[int, ...]) -> list[tuple[str, str | None]]:
    seen, start = [], world.now
    for seconds in at:
        world.now = start + seconds
        job = backend.get(name)
        seen.append((job.state.value, job.phase))
    return seen


def test_a_job_goes_through_its_phases_and_succeeds(world: Region, backend: BedrockTuning) -> None:
    name = backend.create(asked(validation_uri="s3://bucket-1/v.jsonl")).name
    assert phases(world, backend, name, at=(0, 12, 22, 40, 100)) == [
        ("queued", None),
        ("running", "processing_dataset"),
        ("running", "processing_dataset"),
        ("running", "tuning"),
        ("succeeded", None),
    ]
    job = backend.get(name)
    assert job.tuned is not None
    assert job.tuned.model.startswith("arn:aws:bedrock:us-east-1:123456789012:custom-model/")
    assert (job.tuned.endpoint, job.losses) == (None, (Loss(step=0, training=0.25, validation=0.5),))
    assert job.finished_at == datetime.fromtimestamp(world.now, UTC)


def test_a_job_that_fails_says_why(world: Region, backend: BedrockTuning) -> None:
    world.service.dooms = lambda _: "Row 7 has no assistant turn."
    name = backend.create(asked()).name
    world.pass_seconds(100)
    job = backend.get(name)
    assert (job.state, job.error, job.cause) == (
        ProviderState.FAILED,
        "Row 7 has no assistant turn.",
        "training_failed",
    )
    assert job.tuned is None


def test_a_job_is_stopped_by_and_by(world: Region, backend: BedrockTuning) -> None:
    name = backend.create(asked()).name
    world.pass_seconds(40)
    backend.cancel(name)
    assert phases(world, backend, name, at=(0, 10)) == [("running", "stopping"), ("cancelled", None)]


@pytest.mark.parametrize("code", ["ConflictException", "ValidationException"])
def test_stopping_what_has_ended_changes_nothing(world: Region, backend: BedrockTuning, code: str) -> None:
    name = backend.create(asked()).name
    world.pass_seconds(100)
    world.fake.fails("StopModelCustomizationJob", 400, code)
    backend.cancel(name)
    assert backend.get(name).state is ProviderState.SUCCEEDED


def test_a_stop_that_is_refused_while_the_job_runs_is_told(world: Region, backend: BedrockTuning) -> None:
    name = backend.create(asked()).name
    world.fake.fails("StopModelCustomizationJob", 400, "ConflictException")
    with pytest.raises(TryLater, match="ConflictException"):
        backend.cancel(name)


def test_a_stop_whose_answer_was_lost_is_asked_for_again(world: Region, backend: BedrockTuning) -> None:
    name = backend.create(asked()).name
    world.fake.loses("StopModelCustomizationJob")
    backend.cancel(name)
    assert backend.get(name).phase == "stopping"
    assert world.fake.operations.count("StopModelCustomizationJob") == 2


def test_a_create_whose_answer_was_lost_is_not_repeated_but_found(world: Region, backend: BedrockTuning) -> None:
    world.fake.loses(CREATE)
    with pytest.raises(TryLater, match="Amazon Bedrock: AWS could not be reached"):
        backend.create(asked())
    found = backend.find("ftjob-1", location="us-east-1")
    assert found is not None
    assert (found.token, found.state) == ("ftjob-1", ProviderState.QUEUED)
    assert world.fake.operations == [CREATE, "GetModelCustomizationJob"]


@pytest.mark.parametrize("remembered", [True, False], ids=["by its token", "by its name"])
def test_creating_twice_is_creating_once(world: Region, backend: BedrockTuning, *, remembered: bool) -> None:
    world.service.remembers_tokens = remembered
    first = backend.create(asked())
    assert backend.create(asked()).name == first.name
    assert len(world.service.jobs) == 1


def test_a_name_that_somebody_else_took_is_told(world: Region, backend: BedrockTuning) -> None:
    backend.create(asked("other"))
    job = world.service.jobs["tuneway-ftjob-1"] = world.service.jobs.pop("tuneway-other")
    job.body["jobName"] = "tuneway-ftjob-1"
    assert backend.find("ftjob-1", location="us-east-1") is None
    with pytest.raises(BadInput, match="'tuneway-ftjob-1' that tuneway did not start"):
        backend.create(asked())


def test_a_model_name_in_use_is_told(world: Region, backend: BedrockTuning) -> None:
    backend.create(asked("other"))
    world.service.jobs["tuneway-other"].body["customModelName"] = to_body(asked(), role=ROLE)["customModelName"]
    with pytest.raises(BadInput, match="custom model name is currently in use"):
        backend.create(asked())


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "ThrottlingException", TryLater),
        (500, "InternalServerException", TryLater),
        (503, "ServiceUnavailableException", TryLater),
        (400, "ServiceQuotaExceededException", TryLater),
        (400, "ConflictException", TryLater),
        (400, "TooManyTagsException", BadInput),
        (400, "ValidationException", BadInput),
        (403, "AccessDeniedException", NotAllowed),
        (404, "ResourceNotFoundException", NotFound),
        (403, "UnrecognizedClientException", TryLater),
        (403, "ExpiredTokenException", TryLater),
        (418, "TeapotException", TryLater),
    ],
)
def test_each_refusal_is_the_callers_next_move(
    world: Region, backend: BedrockTuning, status: int, code: str, kind: type[Exception]
) -> None:
    world.fake.fails(CREATE, status, code, said="So it is.")
    with pytest.raises(kind, match=rf"Amazon Bedrock: AWS answered {status} {code}: So it is\."):
        backend.create(asked())
    assert world.service.jobs == {}


def test_a_refusal_names_the_remedy(world: Region, backend: BedrockTuning) -> None:
    for status, code, remedy in (
        (403, "AccessDeniedException", "iam:PassRole"),
        (400, "ServiceQuotaExceededException", "higher quota"),
        (403, "UnrecognizedClientException", "keys or role"),
    ):
        world.fake.fails(CREATE, status, code)
        with pytest.raises((NotAllowed, TryLater), match=remedy):
            backend.create(asked())


def test_reading_is_repeated_when_bedrock_is_busy(world: Region, backend: BedrockTuning) -> None:
    name = backend.create(asked()).name
    world.fake.fails("GetModelCustomizationJob", 429, "ThrottlingException", times=2)
    world.fake.loses("GetModelCustomizationJob")
    assert backend.get(name).name == name
    assert len(world.pauses) == 3


@pytest.mark.parametrize("body", [b"<html/>", b"{}", b'{"jobArn": 1}', b"\xff"])
def test_an_answer_that_makes_no_sense_is_no_job(world: Region, backend: BedrockTuning, body: bytes) -> None:
    world.fake.faults.append(Fault(CREATE, reply=Reply(201, body)))
    with pytest.raises(TryLater, match="cannot be read"):
        backend.create(asked())
    assert backend.find("ftjob-1", location="us-east-1") is not None


def test_listing_tells_ours_alone_page_by_page(world: Region, backend: BedrockTuning) -> None:
    names = {backend.create(asked(f"ftjob-{number}")).name for number in range(205)}
    ended = backend.create(asked("ended")).name
    world.service.jobs["tuneway-ended"].created -= 1000
    stranger = world.service.jobs["not-by-tuneway-1"] = world.service.jobs.pop("tuneway-ftjob-0")
    stranger.body["jobName"] = "not-by-tuneway-1"
    world.pass_seconds(40)
    stopping = backend.find("ftjob-7", location="us-east-1")
    assert stopping is not None
    backend.cancel(stopping.name)
    listed = list(backend.unfinished("us-east-1"))
    assert {job.name for job in listed} == names - {stranger.arn, ended}
    assert {job.phase for job in listed} == {"tuning", "stopping"}
    assert len(listed) == 204
    assert world.fake.operations.count("ListModelCustomizationJobs") == 4


@pytest.mark.parametrize("location", ["", "us-east-1.evil.example", "us-central1", "../x"])
def test_what_is_no_region_is_never_called(world: Region, backend: BedrockTuning, location: str) -> None:
    for call in (
        lambda: backend.create(asked(location=location)),
        lambda: backend.find("ftjob-1", location=location),
        lambda: list(backend.unfinished(location)),
    ):
        with pytest.raises(BadInput, match="no region of AWS"):
            call()
    assert world.fake.asked == []


@pytest.mark.parametrize("name", ["", "tuneway-1", "projects/p/locations/l/tuningJobs/1", "arn:aws:bedrock:x"])
def test_what_is_no_job_of_bedrock_is_never_called(world: Region, backend: BedrockTuning, name: str) -> None:
    for call in (backend.get, backend.cancel):
        with pytest.raises(BadInput, match="arn:aws:"):
            call(name)
    assert world.fake.asked == []


def test_a_job_that_is_not_there_is_not_found(backend: BedrockTuning) -> None:
    with pytest.raises(NotFound, match="cannot be found"):
        backend.get("arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-micro/000000000000")


# The body.


def test_the_body_is_what_bedrock_takes() -> None:
    request = asked(epochs=2, learning_rate=1e-05, warmup_steps=10, validation_uri="s3://bucket-1/v.jsonl")
    tags = [{"key": "tuneway-job", "value": "ftjob-1"}]
    assert to_body(request, role=ROLE) == {
        "jobName": "tuneway-ftjob-1",
        "customModelName": "ft-nova-micro-acme-greetings-12345678-ftjob-1",
        "roleArn": ROLE,
        "clientRequestToken": "ftjob-1",
        "baseModelIdentifier": NOVA,
        "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": "s3://bucket-1/jobs/1/training.jsonl"},
        "validationDataConfig": {"validators": [{"s3Uri": "s3://bucket-1/v.jsonl"}]},
        "outputDataConfig": {"s3Uri": "s3://bucket-1/jobs/1/"},
        "hyperParameters": {"epochCount": "2", "learningRate": "0.00001", "learningRateWarmupSteps": "10"},
        "jobTags": tags,
        "customModelTags": tags,
    }


@pytest.mark.parametrize("display_name", ["", "ft:x:y", "ü" * 80, "-_-", "a" * 200, "ft:a--b__c::d"])
@pytest.mark.parametrize("token", ["ftjob-" + "a" * 24, "0", "t-1", "x" * 55])
def test_every_name_fits_bedrocks_patterns(token: str, display_name: str) -> None:
    body = to_body(asked(token, display_name=display_name), role=ROLE)
    assert list(faults(dict(body), operation("bedrock", CREATE).input_shape)) == []
    assert token_in(body["jobName"]) == token


@pytest.mark.parametrize("token", ["", "a_b", "x" * 56, "-a", "a--b", "a/b", "ü"])
def test_a_token_that_no_name_can_hold_is_refused(token: str) -> None:
    with pytest.raises(BadInput, match="fits no job of Bedrock"):
        job_name(token)


@pytest.mark.parametrize("name", ["mine", "tuneway-", "xtuneway-a", "tuneway-a.b", "tuneway"])
def test_a_name_that_is_not_ours_holds_no_token(name: str) -> None:
    assert token_in(name) is None


@pytest.mark.parametrize(
    ("base", "chosen", "written"),
    [
        (
            "anthropic.claude-3-haiku-20240307-v1:0:200k",
            {"epochs": 3, "batch_size": 8, "learning_rate_multiplier": 0.5},
            {"epochCount": "3", "batchSize": "8", "learningRateMultiplier": "0.5"},
        ),
        (
            "meta.llama3-1-8b-instruct-v1:0:128k",
            {"epochs": 5, "batch_size": 1, "learning_rate": 0.0001},
            {"epochCount": "5", "batchSize": "1", "learningRate": "0.0001"},
        ),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0:300k",
            {"learning_rate": 5e-06, "warmup_steps": 0},
            {"learningRate": "0.000005", "learningRateWarmupSteps": "0"},
        ),
        ("some.new-model-v1:0", {}, None),
    ],
)
def test_hyperparameters_are_written_in_the_familys_words(
    base: str, chosen: dict[str, Any], written: dict[str, str] | None
) -> None:
    assert to_body(asked(base_model=base, **chosen), role=ROLE).get("hyperParameters") == written


def test_every_family_is_known_once_with_its_source() -> None:
    beginnings = [family.models for family in families()]
    assert len(set(beginnings)) == len(beginnings)
    assert all(family.source and family.names for family in families())


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"learning_rate_multiplier": 2.0}, "hyperparameters.learning_rate_multiplier"),
        ({"adapter_size": 8}, "hyperparameters.adapter_size"),
        ({"weight_decay": 0.1}, "hyperparameters.weight_decay"),
        ({"beta": 0.1}, "hyperparameters.beta"),
        ({"base_model": "some.new-model-v1:0", "epochs": 1}, "hyperparameters.epochs"),
        ({"method": Method.PREFERENCE}, "method"),
        ({"method": Method.DISTILLATION, "teacher": "x"}, "method"),
        ({"teacher": "x"}, "teacher"),
        ({"tuning_mode": "full"}, "tuning_mode"),
        ({"container": TrainingContainer(image="i", arguments=(), machine_type="m")}, "container"),
        ({"training_uri": "gs://bucket/train.jsonl"}, "training_file"),
        ({"validation_uri": "gs://bucket/train.jsonl"}, "validation_file"),
        ({"output_uri": None}, "output_uri"),
        ({"output_uri": "gs://bucket/out"}, "output_uri"),
        ({"pre_tuned": PreTuned(model="arn:x", checkpoint="3")}, "model"),
    ],
)
def test_what_bedrock_cannot_do_names_its_field(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        to_body(asked(**changes), role=ROLE)
    assert caught.value.param == param


def test_without_a_role_nothing_is_asked(world: Region) -> None:
    with pytest.raises(NotAllowed, match="TUNEWAY_BEDROCK_ROLE"):
        BedrockTuning(world.control, role=None).create(asked())
    assert world.fake.asked == []


def test_a_tuned_model_is_tuned_on(world: Region, backend: BedrockTuning) -> None:
    name = backend.create(asked()).name
    world.pass_seconds(100)
    tuned = backend.get(name).tuned
    assert tuned is not None
    again = backend.create(asked("ftjob-2", pre_tuned=PreTuned(model=tuned.model)))
    assert world.service.jobs["tuneway-ftjob-2"].body["baseModelIdentifier"] == tuned.model
    assert again.state is ProviderState.QUEUED


# Answers that no document shows.


def test_a_status_that_is_new_goes_on() -> None:
    job = from_job(msgspec.json.decode(b'{"jobArn": "a", "jobName": "tuneway-1", "status": "Paused"}', type=Job))
    assert (job.state, job.phase, job.finished_at) == (ProviderState.RUNNING, None, None)


@pytest.mark.parametrize(
    ("fields", "state", "phase"),
    [
        ({"status": "InProgress"}, "running", None),
        ({"status": "InProgress", "statusDetails": {}}, "queued", None),
        (
            {"status": "InProgress", "statusDetails": {"trainingDetails": {"status": "Completed"}}},
            "running",
            "post_processing",
        ),
        ({"status": "Failed", "statusDetails": {"validationDetails": {"status": "Failed"}}}, "failed", None),
        ({"status": "Failed", "outputModelArn": "arn"}, "failed", None),
        ({"status": "Completed", "trainingMetrics": {}, "validationMetrics": []}, "succeeded", None),
    ],
)
def test_a_job_that_tells_little_is_read_all_the_same(fields: dict[str, object], state: str, phase: str | None) -> None:
    job = from_job(msgspec.convert({"jobArn": "a", **fields}, Job))
    assert (job.state.value, job.phase, job.losses, job.tuned) == (state, phase, (), None)


def test_awss_own_client_works_against_the_fake(world: Region) -> None:
    client = get_session().create_client(
        "bedrock",
        endpoint_url=world.fake.url,
        region_name="us-east-1",
        aws_access_key_id=KEYS.access_key_id,
        aws_secret_access_key=KEYS.secret_access_key,
    )
    arn = client.create_model_customization_job(**to_body(asked(), role=ROLE))["jobArn"]
    assert client.get_model_customization_job(jobIdentifier=arn)["jobName"] == "tuneway-ftjob-1"
    page = client.list_model_customization_jobs(statusEquals="InProgress", nameContains="tuneway-", maxResults=1)
    assert [job["jobArn"] for job in page["modelCustomizationJobSummaries"]] == [arn]
    client.stop_model_customization_job(jobIdentifier=arn)
    with pytest.raises(client.exceptions.ConflictException):
        client.stop_model_customization_job(jobIdentifier=arn)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_model_customization_job(jobIdentifier="nobody")
    client.close()


def test_the_fake_refuses_what_awss_model_does(world: Region, backend: BedrockTuning) -> None:
    with pytest.raises(BadInput, match=r"\$\.trainingDataConfig\.s3Uri does not match"):
        backend.create(asked(training_uri="s3://bucket-1/not allowed here.jsonl"))
    body = json.loads(world.fake.asked[0].raw)
    assert body["clientRequestToken"] == "ftjob-1"
