"""LiteLLM's own functions for files and fine-tuning jobs, unmodified, with ``api_base``; sync and async."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.litellm_environment import Failed, LiteLLM, running
from tests.integration.python_api.conftest import Deployed
from tests.integration.stack.running import BASE, Stack, dataset, ended, uploaded
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    with running(tmp_path_factory.mktemp("litellm") / "venv") as started:
        yield started


@pytest.fixture(scope="module")
def there(deployed: Deployed) -> dict[str, Any]:
    place = {"api_base": f"{deployed.stack.url}/v1", "api_key": deployed.stack.key}
    return {"custom_llm_provider": "openai", **place}


@pytest.fixture(scope="module")
def file_id(litellm: LiteLLM, there: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    rows = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows.write_bytes(dataset())
    kept = litellm("create_file", file={"path": str(rows)}, purpose="fine-tune", **there)
    assert (kept["bytes"], kept["purpose"], kept["filename"]) == (len(dataset()), "fine-tune", "rows.jsonl")
    return str(kept["id"])


def later(prefix: str, litellm: LiteLLM, name: str, **arguments: Any) -> Any:
    """The call or its asynchronous twin."""
    return litellm(f"{prefix}{name}", **arguments)


both = pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])


@both
def test_a_job_is_created_followed_and_its_model_answers(
    litellm: LiteLLM, there: dict[str, Any], file_id: str, *, prefix: str
) -> None:
    job = later(
        prefix,
        litellm,
        "create_fine_tuning_job",
        model=BASE,
        training_file=file_id,
        hyperparameters={"n_epochs": 1},
        suffix=f"lite{prefix}",
        **there,
    )
    assert (job["status"], job["model"], job["hyperparameters"]["n_epochs"]) == ("validating_files", BASE, 1)
    where = {"fine_tuning_job_id": job["id"], **there}

    def over() -> bool:
        job.update(later(prefix, litellm, "retrieve_fine_tuning_job", **where))
        return job["status"] in {"succeeded", "failed"}

    wait_until(over)
    assert job["status"] == "succeeded", job["error"]
    assert job["fine_tuned_model"].startswith(f"ft:{BASE}:local:lite{prefix}:")
    question = [{"role": "user", "content": "What is 12 plus one?"}]
    said = litellm("completion", model=f"openai/{job['fine_tuned_model']}", messages=question, **_address(there))
    assert said["choices"][0]["message"]["content"] == "It is 13."


@both
def test_jobs_are_listed_page_by_page_and_cancelled(litellm: LiteLLM, slow: Stack, *, prefix: str) -> None:
    place = {"custom_llm_provider": "openai", "api_base": f"{slow.url}/v1", "api_key": slow.key}
    order = {"model": BASE, "training_file": uploaded(slow.http), **place}
    made = [later(prefix, litellm, "create_fine_tuning_job", **order)["id"] for _ in range(2)]
    first = later(prefix, litellm, "list_fine_tuning_jobs", limit=1, **place)
    assert ([job["id"] for job in first["data"]], first["has_more"]) == ([made[1]], True)
    second = later(prefix, litellm, "list_fine_tuning_jobs", limit=1, after=made[1], **place)
    assert [job["id"] for job in second["data"]] == [made[0]]
    for job in made:
        ends = later(prefix, litellm, "cancel_fine_tuning_job", fine_tuning_job_id=job, **place)
        assert ends["status"] in {"running", "cancelled"}
        assert ended(slow.http, job)["status"] == "cancelled"


@both
def test_a_bad_order_is_told_by_class_status_and_field(
    litellm: LiteLLM, there: dict[str, Any], file_id: str, *, prefix: str
) -> None:
    order = {"model": BASE, "training_file": file_id, **there}
    for change, kind, status in (
        ({"model": "gpt-2"}, "BadRequestError", 400),
        ({"training_file": "file-nobody"}, "BadRequestError", 400),
        ({"hyperparameters": {"n_epochs": 99}}, "BadRequestError", 400),
        ({"api_key": "tw-wrong"}, "AuthenticationError", 401),
    ):
        with pytest.raises(Failed) as fault:
            later(prefix, litellm, "create_fine_tuning_job", **{**order, **change})
        assert (fault.value.kind, fault.value.status) == (kind, status)
    with pytest.raises(Failed) as missing:
        later(prefix, litellm, "retrieve_fine_tuning_job", fine_tuning_job_id="ftjob-nobody", **there)
    assert missing.value.status == 404


def test_files_are_listed_read_and_deleted(litellm: LiteLLM, there: dict[str, Any], tmp_path: Path) -> None:
    rows = tmp_path / "short.jsonl"
    rows.write_bytes(dataset(3))
    kept = litellm("create_file", file={"path": str(rows)}, purpose="fine-tune", **there)
    assert kept["id"] in [each["id"] for each in litellm("file_list", **there)["data"]]
    assert litellm("file_retrieve", file_id=kept["id"], **there)["filename"] == "short.jsonl"
    assert litellm("file_delete", file_id=kept["id"], **there)["deleted"] is True


def _address(there: dict[str, Any]) -> dict[str, Any]:
    return {name: there[name] for name in ("api_base", "api_key")}
