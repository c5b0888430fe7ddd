"""Files of jobs: tuneway's form and LiteLLM's."""

from pathlib import Path

import pytest

from tuneway.cli.client import Failed
from tuneway.cli.jobs_file import jobs_of, read

JOB: dict[str, object] = {"model": "gemini-3.5-flash", "training_file": "gs://b/rows.jsonl"}


def test_a_list_and_a_mapping_say_the_same() -> None:
    assert jobs_of([JOB]) == jobs_of({"jobs": [JOB]}) == jobs_of({"defaults": JOB, "jobs": [{}]})


def test_a_jobs_key_is_decided_by_its_content(tmp_path: Path) -> None:
    rows, copy = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    rows.write_text("1")
    copy.write_text("1")
    first, same = (jobs_of([{**JOB, "training_file": str(path)}]).jobs[0].key for path in (rows, copy))
    copy.write_text("2")
    other = jobs_of([{**JOB, "training_file": str(copy)}]).jobs[0].key
    assert first == same != other


def test_the_same_job_twice_in_a_file_is_two_jobs() -> None:
    first, second = jobs_of([JOB, JOB]).jobs
    assert first.key != second.key
    assert [job.key for job in jobs_of([JOB, JOB]).jobs] == [first.key, second.key]


def test_litellms_config_is_read_and_what_is_its_own_is_named_not_sent() -> None:
    found = jobs_of(
        {
            "model_list": [],
            "finetune_settings": [{"custom_llm_provider": "vertex_ai", "vertex_credentials": "secret.json"}],
            "fine_tuning_config": [
                {**JOB, "custom_llm_provider": "vertex_ai", "vertex_location": "us", "extra_body": {"max_cost_usd": 2}}
            ],
        }
    )
    (job,) = found.jobs
    assert job.body == {**JOB, "model": "vertex_ai/gemini-3.5-flash", "max_cost_usd": 2}
    assert "vertex_credentials" in found.notes[0]
    assert "model_list" in found.notes[1]
    assert "secret" not in str(found)


@pytest.mark.parametrize("model", ["vertex_ai/gemini-3.5-flash", "ft:gemini:acme::1"])
def test_a_model_that_names_its_cloud_is_left_alone(model: str) -> None:
    (job,) = jobs_of([{**JOB, "model": model, "custom_llm_provider": "vertex_ai"}]).jobs
    assert job.body["model"] == model


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "The file is no mapping"),
        ([], "no jobs"),
        ({"finetune_settings": [{"custom_llm_provider": "azure"}]}, "no jobs"),
        ({"job": [JOB]}, "no use for job"),
        ({"grid": {}, "model": "m"}, "a grid is for 'tuneway sweeps create -f'"),
        ({"jobs": {"a": JOB}}, "'jobs' is no list"),
        (["x"], r"jobs\[0\] is no mapping"),
        ([JOB, {"model": "m"}], r"jobs\[1\] has no training_file"),
        ([{**JOB, "custom_llm_provider": "openai"}], "not at 'openai'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: object, said: str) -> None:
    with pytest.raises(Failed, match=said):
        jobs_of(content)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("a: [")
    with pytest.raises(Failed, match="no YAML"):
        read(path)
