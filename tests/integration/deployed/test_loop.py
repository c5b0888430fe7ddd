"""The whole loop through the deployed shape, with the unmodified ``openai`` SDK."""

import base64
import json
import time
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from openai.types.fine_tuning import FineTuningJob

from tests.integration.deployed.google import CHUNK_SECONDS
from tests.integration.deployed.installation import Installation
from tests.integration.stack.running import BASE, ENDED, dataset
from tests.waiting import wait_until

QUESTION = "What is 12 plus one?"
ASKED: ChatCompletionMessageParam = {"role": "user", "content": QUESTION}
LONG: ChatCompletionMessageParam = {"role": "user", "content": "one two three four five " * 40}


@pytest.fixture(scope="module")
def client(installation: Installation) -> Iterator[openai.OpenAI]:
    with installation.sdk() as client:
        yield client


@pytest.fixture(scope="module")
def job(client: openai.OpenAI) -> FineTuningJob:
    """Created from a file, and polled to its end."""
    file = client.files.create(file=("train.jsonl", dataset()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id, suffix="deployed")
    assert job.status == "validating_files"
    end = time.monotonic() + 120
    while job.status not in ENDED and time.monotonic() < end:
        time.sleep(0.2)
        job = client.fine_tuning.jobs.retrieve(job.id)
    return job


@pytest.fixture(scope="module")
def model(job: FineTuningJob) -> str:
    assert job.status == "succeeded", job.error
    assert job.fine_tuned_model is not None
    return job.fine_tuned_model


def test_a_job_goes_from_its_file_to_a_model(installation: Installation, job: FineTuningJob, model: str) -> None:
    assert model.startswith(f"ft:{BASE}:")
    assert len(installation.provider_jobs(job.id)) == 1


def test_its_events_tell_the_story(client: openai.OpenAI, job: FineTuningJob, model: str) -> None:
    told = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=100)]
    assert (told[-1], told[0]) == ("Created fine-tuning job.", f"New fine-tuned model created: {model}")


def test_the_model_answers_whole(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=[ASKED])
    assert answer.choices[0].message.content == "It is 13."


def test_the_model_answers_a_stream(client: openai.OpenAI, model: str) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=[ASKED], stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "It is 13."


def test_a_stream_passes_all_doors_chunk_by_chunk(client: openai.OpenAI) -> None:
    came = [
        time.monotonic()
        for chunk in client.chat.completions.create(model=f"vertex_ai/{BASE}", messages=[LONG], stream=True)
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert len(came) > 1
    # Whoever held chunks back would bring them together.
    assert came[-1] - came[0] > 0.5 * CHUNK_SECONDS * (len(came) - 1)


def test_the_model_is_listed(client: openai.OpenAI, model: str) -> None:
    assert model in [each.id for each in client.models.list()]


def test_a_file_that_is_put_into_the_watched_folder_is_linted(
    installation: Installation, client: openai.OpenAI
) -> None:
    told = installation.declared
    path = f"/upload/storage/v1/b/{told.bucket}/o?uploadType=media&name=datasets/rows.jsonl"
    installation.google.vertex.post(path, content=dataset(12)).raise_for_status()
    wait_until(lambda: "rows.jsonl" in linted(installation))


def linted(installation: Installation) -> str:
    """What the state holds of linted objects."""
    emulator = installation.instances["lint_dataset"].environment["FIRESTORE_EMULATOR_HOST"]
    told = installation.declared
    url = f"http://{emulator}/v1/projects/{told.project}/databases/{told.database}/documents/lints"
    return installation.google.vertex.get(url, headers={"authorization": "Bearer owner"}).text


def test_what_nobody_can_take_is_kept_after_the_declared_attempts(installation: Installation) -> None:
    attributes = {"test": "deployed"}
    data = base64.b64encode(b"\xff not json").decode()
    installation.relay.publish("job-requested", data, attributes)
    wait_until(lambda: any(letter["attributes"] == attributes for letter in installation.letters()))
    (letter,) = (letter for letter in installation.letters() if letter["attributes"] == attributes)
    (policy,) = (
        each.body["deadLetterPolicy"] for each in installation.declared.subscriptions if "job-req" in each.topic
    )
    assert (letter["topic"], letter["data"]) == ("job-requested", data)
    assert letter["deliveries"] == policy["maxDeliveryAttempts"]


def test_no_function_lacks_a_module_and_every_line_it_logs_is_json(installation: Installation, model: str) -> None:
    crashed = {name: each.complaints() for name, each in installation.instances.items()}
    assert not [name for name, said in crashed.items() if "ImportError" in said or "ModuleNotFoundError" in said]
    for said in crashed.values():
        assert all(json.loads(line) for line in said.splitlines() if line.startswith("{"))
