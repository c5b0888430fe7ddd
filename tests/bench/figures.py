"""What is measured of one HTTP server, with the load and the mock upstream on the other core."""

import json
import shutil
import statistics
import subprocess
from pathlib import Path

import msgspec

from tests.bench.processes import cpu_seconds, pinned

NATIVE = Path(__file__).parent / "native"
SERVER_CORE, LOAD_CORE = 0, 1
CONCURRENCIES = (1, 16, 64)


class Effort(msgspec.Struct, frozen=True):
    """How long and how often: figures are medians of the rounds."""

    seconds: float
    rounds: int


class Load(msgspec.Struct, frozen=True):
    """One request, again and again."""

    port: int
    path: str
    body: Path


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One round of load. Times are milliseconds."""

    rate: float
    p50: float
    p99: float
    first: float
    events: float
    cpu_us: float


def built(folder: Path) -> dict[str, Path]:
    """The mock upstream and the load generator, compiled. Raises SystemExit when there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("The benchmark compiles its load generator: install gcc (apt-get install gcc) and run again.")
    programs = {name: folder / name for name in ("upstream", "lg", "gaps")}
    for name, program in programs.items():
        subprocess.run([compiler, "-O2", "-w", "-o", str(program), str(NATIVE / f"{name}.c")], check=True)
    return programs


def chat_bodies(folder: Path, model: str) -> tuple[Path, Path]:
    """The benchmark's chat request for a model: whole and streamed."""
    paths = []
    for name in ("chat", "chat_stream"):
        body = json.loads((NATIVE / f"{name}.json").read_text())
        path = folder / f"{model}-{name}.json"
        path.write_text(json.dumps({**body, "model": model}))
        paths.append(path)
    return paths[0], paths[1]


def round_of(lg: Path, load: Load, *, at_once: int, seconds: float, pid: int | None) -> Run:
    """One round. Raises RuntimeError when anything but 200 was answered."""
    before = cpu_seconds(pid) if pid else 0.0
    command = pinned(LOAD_CORE, lg, str(load.port), load.path, str(at_once), str(seconds), load.body)
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if told["bad"] or told["err"] or not told["n"]:
        raise RuntimeError(f"{load.path} at {load.port}: {told}")
    used = cpu_seconds(pid) - before if pid else 0.0
    return Run(
        rate=told["rps"],
        p50=told["tot_p50"] / 1000,
        p99=told["tot_p99"] / 1000,
        first=told["ttfc_p50"] / 1000,
        events=told["events_s"],
        cpu_us=used / told["n"] * 1e6,
    )


def median(lg: Path, load: Load, effort: Effort, *, at_once: int, pid: int | None) -> Run:
    """The median round, figure by figure."""
    runs = [round_of(lg, load, at_once=at_once, seconds=effort.seconds, pid=pid) for _ in range(effort.rounds)]
    return Run(**{name: statistics.median(getattr(run, name) for run in runs) for name in Run.__struct_fields__})
