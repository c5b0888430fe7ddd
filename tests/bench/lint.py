"""How fast a dataset is linted, and how much memory that takes.

``python tests/bench/lint.py [--megabytes 200] [--rounds 3] [--row-bytes 1900] [--large 1000]`` writes a temporary file
of OpenAI chat rows, then prints MB of file for each second of CPU time (one core), and the peak memory. Each run is a
process of its own. Then the same once for a file of ``--large`` MB, the provider's own limit, with the clock's seconds
(0 leaves it out), and for what costs more: rows full of numbers, and rows that all hold an e-mail address.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tuneway.tuning.datasets.chat import ChatRow
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


def sums(number: int, size: int) -> bytes:
    """A row of a third of the size, in which every third letter is a digit: more than in any set of arithmetic."""
    text = (
        f"Ann has {number} + {number % 97} = <<{number}+{number % 97}={number + number % 97}>>{number + number % 97}. "
    )
    return chat(text * (size // 180), f"{text}#### {number}")


def addressed(number: int, size: int) -> bytes:
    """A row with an e-mail address in it."""
    return chat(f"Write to clerk{number}@acme.com. {TEXT} ", (TEXT + ". ") * (size // 120))


def chat(asked: str, answered: str) -> bytes:
    """A question and its answer."""
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return msgspec.json.encode({"messages": turns}) + b"\n"


Made = Callable[[int, int], bytes]


def write(path: Path, *, megabytes: int, row_bytes: int, made: Made = row) -> None:
    """Fill the file with rows."""
    with path.open("wb") as file:
        number = written = 0
        while written < megabytes * MEGABYTE:
            written += file.write(made(number, row_bytes))
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


def decode_typed(path: Path) -> None:
    """Decode each row as a chat row: what a schema in types alone costs."""
    decode = msgspec.json.Decoder(ChatRow).decode
    with path.open("rb") as file:
        for line in file:
            decode(line)


def decode_with_json(path: Path) -> None:
    """Decode each row with the standard library: what most scripts do."""
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


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
    "stdlib json": decode_with_json,
    "decode": decode_only,
    "decode typed": decode_typed,
    "lint": lint_alone,
    "lint+convert": lint_and_convert,
}


def measure(name: str, path: Path) -> None:
    """Print the CPU seconds, the clock's seconds and the peak memory in MB of one run, in a process of its own."""
    before, started = time.process_time(), time.perf_counter()
    MEASURED[name](path)
    used, passed = time.process_time() - before, time.perf_counter() - started
    print(used, passed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


class Run(msgspec.Struct, frozen=True):
    """Seconds and MB of one run."""

    cpu: float
    clock: float
    memory: float


def once(name: str, path: Path) -> Run:
    """One run."""
    command = [sys.executable, __file__, "--measure", name, "--file", str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Run(*map(float, told))


def compare(path: Path, rounds: int, *, of: str = "OpenAI chat rows") -> None:
    """Print a table; each round measures everything once, so that all share the machine's good and bad moments."""
    size = path.stat().st_size / MEGABYTE
    print(f"{size:.0f} MB of {of}, CPU time of one core, {rounds} rounds")
    runs = [{name: once(name, path) for name in MEASURED} for _ in range(rounds)]
    for name in MEASURED:
        seconds = sorted(run[name].cpu for run in runs)
        middle, best = size / seconds[rounds // 2], size / seconds[0]
        memory = max(run[name].memory for run in runs)
        print(f"{name:>14}  median {middle:6.0f} MB/s  best {best:6.0f} MB/s  peak memory {memory:4.0f} MB")


def at_the_limit(path: Path) -> None:
    """Print what the largest file takes."""
    size = path.stat().st_size / MEGABYTE
    print(f"{size:.0f} MB of OpenAI chat rows, once")
    for name in ("lint", "lint+convert"):
        run = once(name, path)
        clock = f"{run.clock:5.1f} s by the clock"
        print(f"{name:>14}  {size / run.cpu:6.0f} MB/s  {clock}  peak memory {run.memory:4.0f} MB")


def main() -> None:
    """Write the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--row-bytes", type=int, default=1900)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1000)
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
        for made, of in ((sums, "rows full of numbers"), (addressed, "rows with an e-mail address each")):
            write(path, megabytes=asked.megabytes // 10, row_bytes=asked.row_bytes, made=made)
            compare(path, asked.rounds, of=of)
        if asked.large:
            write(path, megabytes=asked.large, row_bytes=asked.row_bytes)
            at_the_limit(path)


if __name__ == "__main__":
    main()
