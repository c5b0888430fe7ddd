"""The dry run's script, run by a shell with a gcloud that notes what it is asked."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.infra.gcloud import planned
from tuneway import settings
from tuneway.cli.deploy.script import script
from tuneway.cli.deploy.steps import Step, Written

# Knows what was made by the file it notes everything in: what is looked at is there once something was made.
GCLOUD = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done | tr '\\n' '\\037' >> "$NOTES/calls"
echo >> "$NOTES/calls"
case "$*" in
  *projectNumber*) echo 123456789012 ;;
  *serviceConfig.uri*) echo https://door.example ;;
  *writerIdentity*) echo serviceAccount:writer@example.com ;;
  *describe*) test -e "$NOTES/there" ;;
  *"composite create"*) if test -e "$NOTES/there"; then echo "index already exists" >&2; exit 1; fi ;;
  *$FAILING*) echo "PERMISSION_DENIED" >&2; exit 1 ;;
esac
"""


class Shell:
    """Runs scripts with a made-up gcloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "gcloud").write_text(GCLOUD)
        (folder / "gcloud").chmod(0o755)
        (folder / "sleep").write_text("#!/bin/sh\n")
        (folder / "sleep").chmod(0o755)

    def run(self, text: str, *, failing: str = "no such command") -> subprocess.CompletedProcess[str]:
        environment = settings.environment()
        path = f"{self.folder}:{environment['PATH']}"
        known = {**environment, "PATH": path, "NOTES": str(self.folder), "FAILING": failing}
        return subprocess.run(["sh"], input=text, env=known, capture_output=True, text=True, check=False)  # noqa: S607

    def calls(self) -> list[list[str]]:
        notes = self.folder / "calls"
        found = [line.split("\x1f")[:-1] for line in notes.read_text().splitlines()] if notes.exists() else []
        notes.unlink(missing_ok=True)
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_first_run_makes_everything_and_a_second_updates_it(shell: Shell) -> None:
    text = script(planned(shell.folder))
    first = shell.run(text)
    assert (first.returncode, first.stderr) == (0, "")
    made = [" ".join(words) for words in shell.calls()]
    assert sum("pubsub topics create" in call for call in made) == sum(
        "pubsub topics describe" in call for call in made
    )
    assert not [call for call in made if "topics update" in call]
    (shell.folder / "there").touch()
    second = shell.run(text)
    assert (second.returncode, second.stderr) == (0, "")
    updated = [" ".join(words) for words in shell.calls()]
    assert not [call for call in updated if "topics create" in call or "jobs create" in call]
    assert [call for call in updated if "scheduler jobs update http" in call]


def test_what_is_learned_reaches_the_commands_whole(shell: Shell) -> None:
    shell.run(script(planned(shell.folder)))
    calls = shell.calls()
    (beat,) = [words for words in calls if words[:4] == ["scheduler", "jobs", "create", "http"]]
    assert "--uri=https://door.example/tick" in beat
    assert "--schedule=* * * * *" in beat
    (condition,) = {word for words in calls for word in words if word.startswith("--condition=title=tuneway-database")}
    assert condition.endswith('expression=resource.name == "projects/shop-models-1/databases/tuneway"')


def test_the_files_that_commands_read_are_written(shell: Shell) -> None:
    shell.run(script(planned(shell.folder, vendors={"azure": {"base_url": "https://it's.example"}})))
    told = json.loads((shell.folder / "predict.env.json").read_text())
    assert json.loads(told["TUNEWAY_VENDORS"])["azure"]["base_url"] == "https://it's.example"


def test_a_command_that_fails_ends_it(shell: Shell) -> None:
    done = shell.run(script(planned(shell.folder)), failing="topics create poll-due")
    assert done.returncode != 0
    assert "PERMISSION_DENIED" in done.stderr
    assert not [call for call in shell.calls() if call[:2] == ["scheduler", "jobs"]]


def test_an_unexpected_word_of_an_index_ends_it(shell: Shell) -> None:
    parts = [Step(title="i", make=("gcloud", "topics"), there="already exists")]
    assert shell.run(script(parts), failing="topics").returncode != 0


@pytest.mark.parametrize("word", ["a b", "it's", 'say "x"', "$HOME", "`id`", "a\\b", "*"])
def test_words_arrive_as_they_are(shell: Shell, word: str) -> None:
    learned = Step(title="n", make=("gcloud", "projectNumber"), into="PROJECT_NUMBER")
    said = shell.run(script([learned, Step(title="w", make=("gcloud", "say", word, word + "${PROJECT_NUMBER}"))]))
    assert said.returncode == 0
    assert shell.calls()[-1] == ["say", word, word + "123456789012"]


def test_a_file_keeps_every_sign(shell: Shell) -> None:
    text = """{"a": "$HOME `id` \\\\ 'x' \\" "}"""
    shell.run(script([Written(path=str(shell.folder / "f"), text=text)]))
    assert (shell.folder / "f").read_text() == text + "\n"


@pytest.mark.parametrize(("given", "changed"), [({}, False), ({"deletion_protection": True}, True)])
def test_protection_that_is_there_is_never_taken_away(
    tmp_path: Path, given: dict[str, object], *, changed: bool
) -> None:
    (database,) = (part for part in planned(tmp_path, **given) if isinstance(part, Step) and "database" in part.title)
    assert (bool(database.change), any("no-" in word for word in database.change)) == (changed, False)
