"""Terraform itself over a copy of infra/, with the stand-in for Google's provider."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.infra.faults import copied
from tests.infra.provider import Answered, served, unanswered
from tuneway import settings
from tuneway.local.manifest import load

BINARY = shutil.which("terraform")
PROJECT = "shop-models-1"
VARIABLES = {"TF_VAR_project": PROJECT, "TF_VAR_billing_account": "000000-000000-000000"}


class Refused(Exception):
    """What Terraform said, without its frames."""


class Terraform:
    """One installation, to be planned again and again; its bundles are made up."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.infra = root / "infra"
        self.environment = {**settings.environment(), **environment, **VARIABLES, "CHECKPOINT_DISABLE": "1"}

    def plan(self, folder: str = ".", **variables: object) -> dict[str, Any]:
        """The plan as JSON. Raises Refused."""
        here = self.infra / folder
        given = [f"-var={name}={_literal(value)}" for name, value in variables.items()]
        if not (here / "initialised").exists():
            self._run(here, "init", "-input=false")
            self._run(here, "validate")
            (here / "initialised").touch()
        self._run(here, "plan", "-input=false", "-out=plan.out", *given)
        return dict(json.loads(self._run(here, "show", "-json", "plan.out")))

    def _run(self, here: Path, *words: str) -> str:
        command = [str(BINARY), words[0], "-no-color", *words[1:]]
        done = subprocess.run(command, cwd=here, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout


def _literal(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@contextmanager
def terraform(folder: Path, *, answered: Answered = unanswered) -> Iterator[Terraform]:
    """Terraform over a copy of the house in ``folder``; ``answered`` as the stand-in for the provider has it."""
    root = copied(folder)
    (root / "dist").mkdir()
    for name in load(root / "functions").functions:
        (root / "dist" / f"{name}.zip").write_text(name)
    schema = json.loads((root / "infra/schema/google.json").read_text())
    with served(schema, answered=answered) as environment:
        yield Terraform(root, environment)


def resources(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The planned values of every resource by its address, the module's name left out."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [plan["planned_values"]["root_module"]]
    while waiting:
        module = waiting.pop()
        waiting += module.get("child_modules", [])
        found |= {
            each["address"].removeprefix("module.tuneway."): each["values"] for each in module.get("resources", [])
        }
    return found
