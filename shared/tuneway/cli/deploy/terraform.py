"""A deployment by Terraform: init, plan, ask, apply; what it says is passed on, and so is its exit code."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tuneway.errors import BadInput, NotFound

PLAN = "tuneway.plan"
NOTHING, CHANGES = 0, 2


def find_terraform() -> None:
    """Whether there is a Terraform. Raises NotFound."""
    if shutil.which("terraform") is None:
        raise NotFound(
            "terraform is not installed: https://developer.hashicorp.com/terraform/install. "
            "Or deploy by plain gcloud commands: tuneway deploy --with gcloud."
        )


def find_installation(folder: Path) -> None:
    """Whether the folder describes one. Raises BadInput."""
    if not list(folder.glob("*.tf")):
        raise BadInput(f"There is no Terraform in {folder}. Name an installation's folder with --infra.", param="infra")


def deployed(folder: Path, given: Mapping[str, str], *, agreed: Callable[[], bool] | None) -> int:
    """Bring the installation of ``folder`` to what it says; Terraform's exit code.

    Without ``agreed`` it is planned alone.
    """
    if code := _terraform(folder, "init", "-input=false"):
        return code
    told = [f"-var={name}={value}" for name, value in given.items()]
    code = _terraform(folder, "plan", "-input=false", "-detailed-exitcode", f"-out={PLAN}", *told)
    if code == CHANGES and agreed is not None and agreed():
        return _terraform(folder, "apply", "-input=false", PLAN)
    return NOTHING if code == CHANGES else code


def _terraform(folder: Path, *words: str) -> int:
    command = ["terraform", words[0], *words[1:]]
    return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - our own words, no shell
