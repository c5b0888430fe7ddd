"""What checkov knows of careless Terraform; it runs in an environment of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.faults import ROOT, planted

PINS = ROOT / "requirements/checkov.txt"
SETTINGS = ROOT / "infra/.checkov.yaml"
pytestmark = pytest.mark.xdist_group("terraform")


@pytest.fixture(scope="module")
def checkov(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkov") / "venv"
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", PINS], check=True)
    return folder / "bin/checkov"


def _failed(checkov: Path, *words: str | Path) -> list[str]:
    command = [checkov, *words, "--config-file", SETTINGS, "--output", "json"]
    environment = {"PATH": os.defpath, "HOME": str(checkov.parent), "BC_SKIP_MAPPING": "TRUE"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0, done.stderr
    return [f"{found['check_id']} {found['resource']}" for found in report["results"]["failed_checks"]]


def test_checkov_finds_nothing_but_the_reasoned_exceptions(checkov: Path) -> None:
    assert _failed(checkov, "--directory", ROOT / "infra") == []


def test_checkov_would_find_a_public_bucket(checkov: Path, tmp_path: Path) -> None:
    (tmp_path / "storage.tf").write_text((ROOT / "infra/storage.tf").read_text())
    planted(
        tmp_path / "storage.tf", 'public_access_prevention    = "enforced"', 'public_access_prevention    = "inherited"'
    )
    assert _failed(checkov, "--directory", tmp_path) == ["CKV_GCP_114 google_storage_bucket.files"]
