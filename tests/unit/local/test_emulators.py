"""What is said when an emulator cannot be started, and what is left when its starter dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import listens
from tests.waiting import wait_until
from tuneway.errors import NotFound, TryLater
from tuneway.local import emulators

ROOT = Path(__file__).parents[3]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no program but those put here."""
    folder = tmp_path / "sdk" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def jar(folder: Path) -> None:
    lib = folder.parent / "platform" / "pubsub-emulator" / "lib"
    lib.mkdir(parents=True)
    (lib / "cloud-pubsub-emulator-9.9.9-all.jar").touch()


@pytest.mark.usefixtures("programs")
def test_without_java_it_asks_for_java() -> None:
    with pytest.raises(NotFound, match="needs Java"):
        emulators.start(emulators.PUBSUB)


def test_without_gcloud_it_asks_for_gcloud(programs: Path) -> None:
    install(programs, "java", "exit 1")
    with pytest.raises(NotFound, match="need the gcloud command"):
        emulators.start(emulators.FIRESTORE)


def test_without_the_component_it_says_how_to_install_it(programs: Path) -> None:
    install(programs, "java", "exit 1")
    install(programs, "gcloud", f"echo {programs}")
    with pytest.raises(NotFound, match="gcloud components install cloud-firestore-emulator"):
        emulators.start(emulators.FIRESTORE)


def test_java_is_told_to_keep_no_counters_outside_our_folder(programs: Path) -> None:
    install(programs, "java", 'echo "started with $*" >&2; exit 1')
    install(programs, "gcloud", "exit 1")
    jar(programs)
    with pytest.raises(TryLater, match="started with -XX:-UsePerfData -jar"):
        emulators.start(emulators.PUBSUB)


def test_an_emulator_that_ends_at_once_is_quoted(programs: Path) -> None:
    install(programs, "java", "echo Unsupported class file version >&2; exit 1")
    install(programs, "gcloud", "exit 1")
    jar(programs)
    with pytest.raises(TryLater, match="Unsupported class file version"):
        emulators.start(emulators.PUBSUB)


def test_an_emulator_does_not_outlive_its_starter() -> None:
    code = (
        "from tuneway.local import emulators; import time\n"
        "print(emulators.start(emulators.PUBSUB).address, flush=True); time.sleep(600)\n"
    )
    environment = {"PYTHONPATH": str(ROOT / "shared"), "PATH": os.defpath}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        host, port = starter.stdout.readline().strip().split(":")
        starter.send_signal(signal.SIGKILL)
    assert host == "127.0.0.1"
    wait_until(lambda: not listens(int(port)))
