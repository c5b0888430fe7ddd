"""Tests that share something dear, like an emulator, run in one worker: pytest-xdist keeps to their groups."""

import subprocess
import sys
from pathlib import Path

GROUPED = """
import os
import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(20))
def test_one(number):
    with open("workers.txt", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_a_group_runs_in_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "--basetemp=temp"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    workers = (tmp_path / "workers.txt").read_text().split()
    assert (len(workers), len(set(workers))) == (20, 1)
