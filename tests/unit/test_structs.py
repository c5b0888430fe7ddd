"""Threads that convert to the same Struct for the first time, at the same time."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Without the reading before, one in some hundred rounds ends the process with SIGSEGV (msgspec 0.22).
RIVALS = """
import sys, threading
from typing import Literal, Optional
import msgspec
from tuneway.structs import read_fields

sys.setswitchinterval(1e-6)
NARROW = Optional[dict[str, tuple[Literal["a", "b"], ...]]]


def fresh(number):
    inner = msgspec.defstruct(f"Inner{number}", [(f"f{n}", NARROW, None) for n in range(20)])
    return msgspec.defstruct(f"Outer{number}", [(f"g{n}", Optional[inner], None) for n in range(20)])


def convert(kind, gate):
    gate.wait()
    assert msgspec.convert({"g19": {"f19": {"k": ["a"]}}}, kind).g19.f19 == {"k": ("a",)}


for kind in [fresh(number) for number in range(1000)]:
    if kind.__name__ == "Outer0":
        read_fields()
    gate = threading.Barrier(4)
    threads = [threading.Thread(target=convert, args=(kind, gate)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_find_the_fields_of_every_struct_read() -> None:
    environment = {"PYTHONPATH": str(ROOT / "shared")}
    done = subprocess.run([sys.executable, "-c", RIVALS], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
