"""What a folder alone can get wrong."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuneway.adapters.local_files import UNFINISHED, LocalFiles
from tuneway.errors import BadInput, NotFound, TryLater

ROOT = Path(__file__).parents[3]
URI = "gs://bucket-1/a/b.jsonl"


def write(files: LocalFiles, uri: str, *, fault: Exception | None = None) -> None:
    with files.write(uri) as file:
        file.write(b"x")
        if fault:
            raise fault


def everything(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_an_object_is_a_file_at_its_path(tmp_path: Path) -> None:
    write(LocalFiles(tmp_path), URI)
    assert everything(tmp_path) == ["bucket-1/a/b.jsonl"]


@pytest.mark.parametrize("path", ["a/../b", "../b", "a//b", "/b", "b/", "./b", "a/./b"])
def test_no_name_leads_elsewhere(tmp_path: Path, path: str) -> None:
    files = LocalFiles(tmp_path / "objects")
    with pytest.raises(BadInput):
        write(files, f"gs://bucket-1/{path}")
    with pytest.raises(BadInput):
        files.size(f"gs://bucket-1/{path}")
    assert everything(tmp_path) == []


def test_what_was_broken_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write(LocalFiles(tmp_path), URI, fault=ZeroDivisionError())
    assert everything(tmp_path) == []


def test_a_full_disk_is_a_passing_fault_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TryLater, match="Make room"):
        write(LocalFiles(tmp_path), URI, fault=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert everything(tmp_path) == []


def test_a_file_beyond_the_limit_is_a_passing_fault_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from tuneway.adapters.local_files import LocalFiles\n"
        "from tuneway.errors import TryLater\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    with LocalFiles(Path(sys.argv[1])).write('gs://bucket-1/a') as file: file.write(b'x' * 100_000)\n"
        "except TryLater: sys.exit(7)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, env={"PYTHONPATH": str(ROOT / "shared")}, check=False).returncode == 7
    assert everything(tmp_path) == []


def test_another_fault_of_the_block_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(LocalFiles(tmp_path), URI, fault=FileNotFoundError(errno.ENOENT, "the caller's own"))


def test_an_object_cannot_be_a_folder_too(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    write(files, "gs://bucket-1/a")
    with pytest.raises(BadInput):
        write(files, "gs://bucket-1/a/b")
    write(files, "gs://bucket-1/c/d")
    with pytest.raises(BadInput):
        write(files, "gs://bucket-1/c")
    assert everything(tmp_path) == ["bucket-1/a", "bucket-1/c/d"]


def test_a_name_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        write(LocalFiles(tmp_path), "gs://bucket-1/" + "x" * 300)
    with pytest.raises(NotFound):
        LocalFiles(tmp_path).size("gs://bucket-1/" + "x" * 300)


def test_a_killed_writer_leaves_no_object(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tuneway.adapters.local_files import LocalFiles\n"
        "with LocalFiles(Path(sys.argv[1])).write('gs://bucket-1/a') as file:\n"
        "    file.write(b'x' * 100_000); print(flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, env={"PYTHONPATH": str(ROOT / "shared")}, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    assert not (tmp_path / "bucket-1").exists()


def test_what_a_killed_writer_left_is_removed_a_day_later(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    write(files, URI)
    for name, age in (("old", 90_000), ("young", 60)):
        draft = tmp_path / UNFINISHED / name
        draft.write_bytes(b"x")
        os.utime(draft, (time.time() - age,) * 2)
    write(files, URI)
    assert everything(tmp_path) == [f"{UNFINISHED}/young", "bucket-1/a/b.jsonl"]


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    write(files, URI)
    with files.read(URI) as file:
        files.delete(URI)
        assert file.read() == b"x"
