"""The newest ``openai`` SDK, unmodified: pages of jobs, of events and of files, in both colours."""

import asyncio

import openai
import pytest

from tests.integration.python_api.conftest import Deployed
from tests.integration.stack.running import BASE, Stack, created, dataset, ended, uploaded


@pytest.fixture(scope="module")
def jobs(deployed: Deployed) -> list[str]:
    """Three jobs that have ended, the newest first."""
    http = deployed.stack.http
    file = uploaded(http)
    made = [str(created(http, training_file=file, metadata={"of": "pages"})["id"]) for _ in range(3)]
    assert [ended(http, job)["status"] for job in made] == ["succeeded"] * 3
    return made[::-1]


def test_jobs_come_page_by_page(deployed: Deployed, jobs: list[str]) -> None:
    with deployed.stack.sdk() as client:
        page = client.fine_tuning.jobs.list(limit=2, metadata={"of": "pages"})
        assert ([job.id for job in page.data], page.has_more) == (jobs[:2], True)
        assert [job.id for job in page.get_next_page().data] == jobs[2:]
        every = [job.id for job in client.fine_tuning.jobs.list(limit=1)]
        assert every[:3] == jobs
        assert len(every) == len(set(every)) > 3


def test_events_come_page_by_page(deployed: Deployed, jobs: list[str]) -> None:
    with deployed.stack.sdk() as client:
        whole = [event.id for event in client.fine_tuning.jobs.list_events(jobs[0], limit=100)]
        paged = [event.id for event in client.fine_tuning.jobs.list_events(jobs[0], limit=3)]
    assert paged == whole == sorted(whole, reverse=True)
    assert len(whole) > 3


async def test_the_asynchronous_client_reads_pages(deployed: Deployed, jobs: list[str]) -> None:
    async with openai.AsyncOpenAI(base_url=f"{deployed.stack.url}/v1", api_key=deployed.stack.key) as client:
        found = [job.id async for job in client.fine_tuning.jobs.list(limit=1, metadata={"of": "pages"})]
        assert found == jobs
        with pytest.raises(openai.BadRequestError) as fault:
            await client.fine_tuning.jobs.cancel(jobs[0])
        assert fault.value.code == "job_ended"


async def test_the_asynchronous_client_creates_and_cancels(slow: Stack) -> None:
    async with openai.AsyncOpenAI(base_url=f"{slow.url}/v1", api_key=slow.key) as client:
        kept = await client.files.create(file=("rows.jsonl", dataset()), purpose="fine-tune")
        orders = (client.fine_tuning.jobs.create(model=BASE, training_file=kept.id) for _ in range(3))
        made = await asyncio.gather(*orders)
        assert len({job.id for job in made}) == 3
        ends = await asyncio.gather(*(client.fine_tuning.jobs.cancel(job.id) for job in made))
        assert {job.status for job in ends} <= {"cancelled", "running"}
    assert [ended(slow.http, job.id)["status"] for job in made] == ["cancelled"] * 3
