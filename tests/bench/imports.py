"""How long each function takes to import, and ``predict`` from its bundle to a first answer.

``python -m tests.bench.imports [--quick]``.

With bytecode, and without any, the interpreter's own included: what a first start in a new image may find.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from tests.bench.doors import CHAT, GEMINI, ROOT, predicting
from tests.bench.figures import LOAD_CORE, SERVER_CORE, built, chat_bodies
from tests.bench.processes import pinned, running, seconds_to_first_answer
from tests.ports import free_port
from tuneway.local.bundles import bundle
from tuneway.settings import Settings

PROBE = """
import resource, runpy, sys, time
started = time.perf_counter()
runpy.run_path(sys.argv[1])
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
# The emulators' addresses make Google's clients build without credentials; nothing is called.
NOWHERE = {
    **Settings(firestore_emulator="127.0.0.1:1", pubsub_emulator="127.0.0.1:1").to_env(),
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
    "GOOGLE_CLOUD_PROJECT": "local-project",
    "TUNEWAY_VERTEX_URL": "http://127.0.0.1:1",
    "PYTHONPATH": str(ROOT / "shared"),
}


def without_bytecode(empty: Path) -> Mapping[str, str]:
    """Settings of an interpreter that finds no bytecode and leaves none."""
    return {"PYTHONPYCACHEPREFIX": str(empty), "PYTHONDONTWRITEBYTECODE": "1"}


def imported(function: str, env: Mapping[str, str], *, rounds: int) -> tuple[float, float]:
    """Seconds and MB."""
    door = ROOT / "functions" / function / "main.py"
    command = pinned(SERVER_CORE, sys.executable, "-c", PROBE, door)
    told = [
        subprocess.run(command, env={**NOWHERE, **env}, check=True, capture_output=True, text=True).stdout.split()
        for _ in range(rounds)
    ]
    return median(float(seconds) for seconds, _ in told), median(float(mb) for _, mb in told)


def first_answers(folder: Path, env: Mapping[str, str], *, rounds: int) -> Iterator[float]:
    """Seconds from spawn to the first 200 of ``predict``, from a bundle as it is deployed."""
    bundle("predict", folder / "dist")
    packaged = folder / "dist" / "predict"
    upstream, (whole, _) = free_port(), chat_bodies(folder, "gemini")
    with running([str(built(folder)["upstream"]), f"{upstream}:0"], core=LOAD_CORE):
        seconds_to_first_answer(upstream, GEMINI, whole.read_bytes(), started=time.perf_counter())
        for _ in range(rounds):
            started = time.perf_counter()
            here = {"PYTHONPATH": str(packaged), **env}
            with predicting(folder, upstream=upstream, source=packaged / "main.py", env=here) as (_, port):
                yield seconds_to_first_answer(port, CHAT, whole.read_bytes(), started=started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round")
    rounds = 1 if parser.parse_args().quick else 3
    print("\n| import of | s with bytecode | s without | MB |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="tuneway-imports-") as folder:
        bare = without_bytecode(Path(folder) / "none")
        for door in sorted((ROOT / "functions").glob("*/main.py")):
            function = door.parent.name
            imported(function, {}, rounds=1)  # leaves the bytecode
            seconds, mb = imported(function, {}, rounds=rounds)
            slow, _ = imported(function, bare, rounds=rounds)
            print(f"| {function} | {seconds:.2f} | {slow:.2f} | {mb:.0f} |", flush=True)
        warm = list(first_answers(Path(folder), {}, rounds=rounds + 1))[1:]
        cold = first_answers(Path(folder), bare, rounds=rounds)
        print(
            f"\npredict from its bundle to the first answer: {median(warm):.2f} s with bytecode, "
            f"{median(cold):.2f} s without"
        )


if __name__ == "__main__":
    main()
