"""Processes under measurement: pinned to a core, ready when they answer, with CPU time and memory read from /proc."""

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 30.0


def pinned(core: int, *command: str | Path) -> list[str]:
    """The command, bound to one core. Raises SystemExit where that cannot be done."""
    taskset = shutil.which("taskset")
    if taskset is None:
        raise SystemExit("The benchmark binds processes to cores with taskset (util-linux), which is not installed.")
    return [taskset, "-c", str(core), *map(str, command)]


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    core: int | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[int]:
    """The command in a session of its own, on one core or on any; its pid. All it started ends with the block."""
    with (log or Path(os.devnull)).open("ab") as output:
        process = subprocess.Popen(
            [*map(str, command)] if core is None else pinned(core, *command),
            env={"PATH": os.environ["PATH"], **(env or {})},  # noqa: TID251  (a child needs to find its programs)
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    as_nice_as_we_are(process.pid)
    try:
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def as_nice_as_we_are(pid: int) -> None:
    """Give a session our niceness: a kernel that groups by session weighs those, a process's own counts for nothing.

    Source: sched(7), "The autogroup feature". Only root may ask for more than others have.
    """
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(os.nice(0)))


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """User and system time of the family."""
    fields = [Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split() for member in family(pid)]
    return sum(int(line[11]) + int(line[12]) for line in fields) / TICKS


def memory_mb(pid: int) -> float:
    """Proportional set size of the family: shared pages count once."""
    rollups = [Path(f"/proc/{member}/smaps_rollup").read_text() for member in family(pid)]
    return sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss:")) / 1024


def seconds_to_first_answer(port: int, path: str, body: bytes, *, started: float) -> float:
    """From ``started`` (perf_counter) to the first 200. Raises TimeoutError."""
    headers = {"content-type": "application/json", "authorization": "Bearer bench"}
    while time.perf_counter() - started < READY_SECONDS:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
        try:
            connection.request("POST", path, body, headers)
            if connection.getresponse().status == http.client.OK:
                return time.perf_counter() - started
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.003)
    raise TimeoutError(f"nothing answers at {port}{path}")
