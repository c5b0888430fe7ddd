"""The plan of plain gcloud commands, and gcloud's own parser to hold it against."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tuneway import settings
from tuneway.cli.deploy.installation import installation
from tuneway.cli.deploy.plan import plan
from tuneway.cli.deploy.script import KNOWN
from tuneway.cli.deploy.steps import Part, Step, Words, Written
from tuneway.cli.deploy.tables import tables
from tuneway.local.manifest import load

PARSER = Path(__file__).with_name("calliope.py")
PROJECT = "shop-models-1"


def planned(folder: Path, **variables: object) -> list[Part]:
    """The plan, its bundles made up; variables as they are on the command line."""
    manifest = load()
    for name in manifest.functions:
        (folder / f"{name}.zip").write_text(name)
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in variables.items()}
    return plan(installation(PROJECT, None, given), manifest, tables=tables(), folder=folder)


def commands(parts: Iterable[Part]) -> list[Words]:
    """Every command line of a plan, with what is only known later made up; files that they read are written."""
    found: list[Words] = []
    for part in parts:
        if isinstance(part, Written):
            Path(part.path).write_text(part.text)
        else:
            found += [words for words in (part.look, part.make, part.change) if words]
    return [tuple(KNOWN.sub(_made_up, word) for word in words) for words in found]


def complaints(lines: Iterable[Words], folder: Path) -> dict[Words, str]:
    """What gcloud's parser has against each command, by command; those it takes are left out."""
    root, python = _gcloud()
    lines = list(lines)
    done = subprocess.run(
        [python, "-S", str(PARSER), root],
        input="".join(json.dumps(list(words[1:])) + "\n" for words in lines),
        env={**settings.environment(), "CLOUDSDK_CONFIG": str(folder), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {words: complaint for words, complaint in zip(lines, said, strict=True) if complaint}


def flags(words: Words) -> dict[str, str]:
    """A command's flags; the last of each counts, and one without a value is empty."""
    pairs = (word.removeprefix("--").partition("=") for word in words if word.startswith("--"))
    return {name: value for name, _, value in pairs}


def steps(parts: Iterable[Part], start: str) -> list[Step]:
    """The steps whose command begins so."""
    return [part for part in parts if isinstance(part, Step) and " ".join(part.make).startswith(f"gcloud {start}")]


def environments(parts: Iterable[Part]) -> dict[str, dict[str, str]]:
    """What each function is told, by its name."""
    written = {Path(part.path).name: part.text for part in parts if isinstance(part, Written)}
    return {name.removesuffix(".env.json"): json.loads(text) for name, text in written.items() if ".env" in name}


def _made_up(found: re.Match[str]) -> str:
    name = found[0][2:-1]
    return {"PROJECT_NUMBER": "123456789012", "USAGE_WRITER": "serviceAccount:w@example.com"}.get(
        name, f"https://{name.lower().replace('_', '-')}.a.run.app"
    )


def _gcloud() -> tuple[str, str]:
    """Where the SDK is, and the Python that it runs on."""
    form = "--format=value[separator='|'](installation.sdk_root,basic.python_location)"
    gcloud = shutil.which("gcloud")
    assert gcloud, "gcloud is not installed: https://cloud.google.com/sdk/docs/install"
    said = subprocess.run([gcloud, "info", form], capture_output=True, text=True, check=True).stdout
    root, _, python = said.strip().partition("|")
    return root, python
