"""How fast a dataset is linted, and how much memory that takes.

``python tests/bench/lint.py [--megabytes 200] [--rounds 3] [--row-bytes 1900]`` writes a temporary file of OpenAI
chat rows, then prints MB of file for each second of CPU time (one core), and the peak memory. Each run is a process
of its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import CHUNK, lint

MEGABYTE = 1_000_000
TEXT = "a clerk counts the parcels that came in the morning and writes the sum into the book before noon"


def row(number: int, size: int) -> bytes:
    """One chat row of about ``size`` bytes: system, three user turns, three answers."""
    words = TEXT.split()
    text = " ".join(words[(number + step * 7) % len(words)] for step in range(size // 6 // 6))
    turns = [{"role": "system", "content": f"You are a careful clerk. Case {number}."}]
    for turn in range(3):
        turns += [{"role": "user", "content": f"{turn}: {text}?"}, {"role": "assistant", "content": f'{text}.\n"Yes."'}]
    return msgspec.json.encode({"messages": turns}) + b"\n"


def write(path: Path, *, megabytes: int, row_bytes: int) -> None:
    """Fill the file with rows."""
    with path.open("wb") as file:
        number = written = 0
        while written < megabytes * MEGABYTE:
            written += file.write(row(number, row_bytes))
            number += 1


def read_only(path: Path) -> None:
    """Read the file in chunks and do nothing with it."""
    with path.open("rb") as file:
        for _ in iter(lambda: file.read(CHUNK), b""):
            pass


def decode_only(path: Path) -> None:
    """Decode each row without a type: what any lint must at least do."""
    decode = msgspec.json.Decoder().decode
    with path.open("rb") as file:
        for line in file:
            decode(line)


def lint_alone(path: Path) -> None:
    """The whole lint."""
    with path.open("rb") as file:
        report = lint(file, limits=_limits(path))
    if not report.accepted:
        raise SystemExit(report.summary)


def lint_and_convert(path: Path) -> None:
    """The whole lint, and the copy for Gemini written to a file beside it."""
    with path.open("rb") as file, path.with_suffix(".gemini.jsonl").open("wb") as copy:
        report = lint(file, limits=_limits(path), sink=copy.write)
    if not report.accepted:
        raise SystemExit(report.summary)


def _limits(path: Path) -> DatasetLimits:
    return DatasetLimits(bytes=path.stat().st_size)


MEASURED: dict[str, Callable[[Path], None]] = {
    "read": read_only,
    "decode": decode_only,
    "lint": lint_alone,
    "lint+convert": lint_and_convert,
}


def measure(name: str, path: Path) -> None:
    """Print the CPU seconds and the peak memory in MB of one run; called in a process of its own."""
    before = time.process_time()
    MEASURED[name](path)
    print(time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def once(name: str, path: Path) -> tuple[float, float]:
    """CPU seconds and peak memory of one run."""
    command = [sys.executable, __file__, "--measure", name, "--file", str(path)]
    seconds, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(memory)


def compare(path: Path, rounds: int) -> None:
    """Print a table; each round measures everything once, so that all share the machine's good and bad moments."""
    size = path.stat().st_size / MEGABYTE
    print(f"{size:.0f} MB of OpenAI chat rows, CPU time of one core, {rounds} rounds")
    runs = [{name: once(name, path) for name in MEASURED} for _ in range(rounds)]
    for name in MEASURED:
        seconds = sorted(run[name][0] for run in runs)
        middle, best = size / seconds[rounds // 2], size / seconds[0]
        memory = max(run[name][1] for run in runs)
        print(f"{name:>14}  median {middle:6.0f} MB/s  best {best:6.0f} MB/s  peak memory {memory:4.0f} MB")


def main() -> None:
    """Write the file, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--row-bytes", type=int, default=1900)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, asked.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        write(path, megabytes=asked.megabytes, row_bytes=asked.row_bytes)
        compare(path, asked.rounds)


if __name__ == "__main__":
    main()
