"""The demonstration, as a newcomer runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.stack.running import alive, family_of
from tests.waiting import PATIENCE, wait_until

TUNEWAY = Path(sys.executable).with_name("tuneway")


def _demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(folder), "COLUMNS": "200"}
    command = [str(TUNEWAY), "demo", "--speed", "200", *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_demo_tunes_and_answers_and_writes_in_its_folder_only(tmp_path: Path) -> None:
    done = _demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "#### 5" in done.stdout
    assert "simulated" in done.stdout.lower()
    assert f"{TUNEWAY} chat --data" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [".tuneway"]


def test_the_demo_can_be_run_again_on_the_same_folder(tmp_path: Path) -> None:
    assert _demo(tmp_path).returncode == 0
    assert _demo(tmp_path).returncode == 0


def test_a_folder_in_use_ends_the_demo_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = _demo(tmp_path, "--data", "taken")
    assert done.returncode == 1
    assert "did not start" in done.stderr


def test_a_demo_that_is_told_to_stop_leaves_nothing_running(tmp_path: Path) -> None:
    with subprocess.Popen([str(TUNEWAY), "demo", "--speed", "1"], cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        wait_until((tmp_path / ".tuneway/demo/stack.json").exists)
        family = family_of(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert len(family) > 1
    wait_until(lambda: not alive(family))
