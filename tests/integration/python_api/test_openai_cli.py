"""The ``openai`` command line, unmodified, in an environment of its own: newer versions have none any more.

Its ``files.retrieve`` and ``files.delete`` ask for arguments that they do not take, and fail before they call anybody.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.litellm_environment import installed
from tests.integration.python_api.conftest import Deployed
from tests.integration.stack.running import BASE, Stack, dataset, ended

Cli = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The installed command."""
    python = installed(tmp_path_factory.mktemp("openai") / "venv", "openai_cli")
    return str(python.with_name("openai"))


def cli_of(command: str, stack: Stack) -> Cli:
    """Runs ``openai api <words>`` against the stack: what it prints, read as JSON where it is that."""
    start = [command, "-b", f"{stack.url}/v1/", "-k", stack.key, "api"]

    def run(*words: str) -> list[Any]:
        environment = {"PATH": os.defpath}
        done = subprocess.run(
            [*start, *words], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return list(values(done.stdout))

    return run


def values(printed: str) -> Iterator[Any]:
    """The JSON values, one behind the other; words that are none come as they are."""
    rest = printed.strip()
    while rest:
        try:
            value, end = json.JSONDecoder().raw_decode(rest)
        except json.JSONDecodeError:
            yield rest
            return
        yield value
        rest = rest[end:].strip()


def test_the_command_line_takes_a_file_to_a_model(command: str, deployed: Deployed, tmp_path: Path) -> None:
    cli = cli_of(command, deployed.stack)
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    [file] = cli("files.create", "-f", str(rows), "-p", "fine-tune")
    assert (file["purpose"], file["bytes"]) == ("fine-tune", len(dataset()))
    assert file["id"] in [each["id"] for each in cli("files.list")]
    chosen = ["-m", BASE, "-F", file["id"], "-V", file["id"], "-s", "cli", "-H", json.dumps({"n_epochs": 1})]
    [job] = cli("fine_tuning.jobs.create", *chosen)
    assert (job["status"], job["hyperparameters"]["n_epochs"]) == ("validating_files", 1)
    assert ended(deployed.stack.http, job["id"])["status"] == "succeeded"
    [done] = cli("fine_tuning.jobs.retrieve", "-i", job["id"])
    assert done["fine_tuned_model"].startswith(f"ft:{BASE}:local:cli:")
    question = ["-m", done["fine_tuned_model"], "-g", "user", "What is 12 plus one?"]
    assert cli("chat.completions.create", *question) == ["It is 13."]
    told: list[str] = []
    after: list[str] = []
    while page := cli("fine_tuning.jobs.list_events", "-i", job["id"], "-l", "3", *after)[0]["data"]:
        told += [event["message"] for event in page]
        after = ["-a", page[-1]["id"]]
    assert (told[-1], len(told) > 3) == ("Created fine-tuning job.", True)
    assert len(told) == len(set(told))


def test_jobs_are_listed_page_by_page_and_cancelled(command: str, slow: Stack, tmp_path: Path) -> None:
    cli = cli_of(command, slow)
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(dataset())
    file = cli("files.create", "-f", str(rows), "-p", "fine-tune")[0]["id"]
    made = [cli("fine_tuning.jobs.create", "-m", BASE, "-F", file)[0]["id"] for _ in range(2)]
    [first] = cli("fine_tuning.jobs.list", "-l", "1")
    assert ([job["id"] for job in first["data"]], first["has_more"]) == ([made[1]], True)
    [second] = cli("fine_tuning.jobs.list", "-l", "1", "-a", made[1])
    assert [job["id"] for job in second["data"]] == [made[0]]
    for job in made:
        cli("fine_tuning.jobs.cancel", "-i", job)
        assert ended(slow.http, job)["status"] == "cancelled"
