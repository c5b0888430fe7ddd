"""Function processes are killed at random while jobs run; nothing accepted is lost and nothing is paid for twice."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import openai
from openai.types.chat import ChatCompletionMessageParam
from openai.types.fine_tuning import FineTuningJob

from tests.integration.deployed.installation import Installation
from tests.integration.stack.running import BASE, ENDED, dataset

ASKED: ChatCompletionMessageParam = {"role": "user", "content": "What is 12 plus one?"}
JOBS = 5
KILLS = 10
# A lease of a submission that was cut off runs out after 65 seconds.
SECONDS = 240.0
PATIENT = 20  # how often the SDK asks again; the idempotency key makes it one order


def test_ten_kills_lose_no_job_and_pay_for_none_twice(installation: Installation) -> None:
    chance = random.Random(10)
    before = installation.letters()
    with installation.sdk(max_retries=PATIENT) as client, ThreadPoolExecutor(JOBS) as pool:
        running = [pool.submit(tuned, client, number) for number in range(JOBS)]
        killed = [killed_once(installation, chance) for _ in range(KILLS)]
        jobs = [each.result() for each in running]
        assert len(set(killed)) > 1, "the same one was killed each time"
        for job in jobs:
            assert job.status == "succeeded", job.error
            assert len(installation.provider_jobs(job.id)) == 1
            assert_answers(client, job)
    assert len({job.id for job in jobs}) == JOBS
    assert installation.letters() == before


def tuned(client: openai.OpenAI, number: int) -> FineTuningJob:
    """An order, followed to its end."""
    time.sleep(number)
    # Uploaded again it would be another file, and with the same key another order: that is the SDK's own risk.
    file = client.files.create(file=("train.jsonl", dataset(40 + number)), purpose="fine-tune")
    key = {"idempotency-key": f"kills-{number}"}
    job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id, suffix=f"kills-{number}", extra_headers=key)
    end = time.monotonic() + SECONDS
    while job.status not in ENDED and time.monotonic() < end:
        time.sleep(0.5)
        job = client.fine_tuning.jobs.retrieve(job.id)
    return job


def killed_once(installation: Installation, chance: random.Random) -> str:
    """Wait a little and kill one of the processes that run; its function."""
    end = time.monotonic() + 30
    time.sleep(chance.uniform(0.2, 1.5))
    while time.monotonic() < end:
        names = [name for name, each in installation.instances.items() if each.pid is not None]
        name = chance.choice(names)
        if installation.instances[name].kill():
            return name
    raise AssertionError("nothing runs that could be killed")


def assert_answers(client: openai.OpenAI, job: FineTuningJob) -> None:
    answer = client.chat.completions.create(model=str(job.fine_tuned_model), messages=[ASKED])
    assert answer.choices[0].message.content == "It is 13."
    told = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=100)]
    once = [message for message in told if not message.startswith(("Step", "Phase"))]
    assert len(once) == len(set(once)), once
