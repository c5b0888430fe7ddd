"""What a function weighs and how soon it answers, from its zip in its own environment."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.integration.deployed.instances import HOST, Instance
from tests.integration.stack.running import PROC, family_of

TABLE = "deployed figures"
MIB = 1024 * 1024
# The build compiles what requirements.txt names (GoogleCloudPlatform/buildpacks, pkg/python, read 2026-11); nothing
# compiles the bundle itself.
BUILT_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
LOAD = 20  # requests before the memory is read
# Goals: seconds from spawn to the first answer with and without bytecode, and memory in MB; None where there is none.
GOALS: Mapping[str, tuple[float | None, float | None, float | None]] = {"predict": (0.5, 1.0, 75)}
IMPORTS = "goals of imports alone, with bytecode: predict 0.40 s, tuning and registry 0.9 s, the event functions 2 s"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that changes nothing, and the status of its answer."""

    method: str = "POST"
    path: str = "/"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    status: int = 200


def figures(instance: Instance, asked: Asked, *, folder: Path) -> dict[str, Any]:
    """One row of the table; ``folder`` is empty."""
    bundle = instance.bundle
    if not (bundle.source / "tuneway" / "__pycache__").exists():
        _answered(instance, {}, asked=asked, home=folder / "first")  # writes the bytecode that the next one reads
    kept = _answered(instance, {}, asked=asked, home=folder / "kept")
    for compiled in [*bundle.source.rglob("__pycache__")]:
        shutil.rmtree(compiled)
    built = _answered(instance, BUILT_BYTECODE, asked=asked, home=folder / "built", load=LOAD)
    none = {**BUILT_BYTECODE, "PYTHONPYCACHEPREFIX": str(folder / "none")}
    return {
        "function": bundle.name,
        "zip_kb": bundle.archive.stat().st_size / 1000,
        "kept_s": kept["seconds"],
        "built_s": built["seconds"],
        "none_s": _answered(instance, none, asked=asked, home=folder / "none")["seconds"],
        "pss_mb": built["pss_mb"],
        "memory": instance.service.memory,
        "python": _version(bundle.scripts / "python"),
    }


def lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The rows as a table for people; what misses its goal says so."""
    rows = sorted(rows, key=lambda row: str(row["function"]))
    yield f"{rows[0]['python']}; spawn to first answer in seconds, memory (PSS) after {LOAD} requests"
    yield f"{'':16}{'zip kB':>8}{'bytecode':>10}{'as built':>10}{'none':>8}{'PSS MB':>8}{'of':>8}"
    for row in rows:
        seconds = f"{row['kept_s']:>10.2f}{row['built_s']:>10.2f}{row['none_s']:>8.2f}"
        memory = f"{row['pss_mb']:>8.0f}{row['memory']:>8}"
        yield f"{row['function']:16}{row['zip_kb']:>8.0f}{seconds}{memory}  {_verdict(row)}".rstrip()
    yield "as built: bytecode of the requirements alone, as Cloud Build leaves it"
    yield IMPORTS


def _verdict(row: Mapping[str, Any]) -> str:
    goals = GOALS.get(str(row["function"]), (None, None, None))
    names = ("kept_s", "none_s", "pss_mb")
    said = [
        f"{name} {'ok' if row[name] <= goal else 'over'} ({goal:g})"
        for name, goal in zip(names, goals, strict=True)
        if goal is not None
    ]
    return ", ".join(said)


def _answered(
    instance: Instance, environment: Mapping[str, str], *, asked: Asked, home: Path, load: int = 0
) -> dict[str, float]:
    """Spawn another process of the function, and ask it."""
    other = Instance(instance.bundle, instance.service, {**instance.environment, **environment}, home=home)
    with closing(httpx.Client(trust_env=False, timeout=60)) as client:
        started = time.monotonic()
        try:
            url = f"http://{HOST}:{other.port()}{asked.path}"
            _ask(client, url, asked, other)
            seconds = time.monotonic() - started
            for _ in range(load):
                _ask(client, url, asked, other)
            return {"seconds": seconds, "pss_mb": pss(other.pid or 0) / MIB}
        finally:
            other.stop()


def _ask(client: httpx.Client, url: str, asked: Asked, instance: Instance) -> None:
    answer = client.request(asked.method, url, headers=asked.headers, content=asked.body)
    assert answer.status_code == asked.status, (answer.status_code, answer.text, instance.complaints())


def pss(pid: int) -> float:
    """Bytes of memory of a process and all that it started, what they share counted once; our shells left out."""
    family = [PROC / str(each) for each in family_of(pid)]
    return sum(_pss(each) for each in family if (each / "comm").read_text().strip() != "sh")


def _pss(process: Path) -> float:
    lines = (process / "smaps_rollup").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("Pss:"))
    return float(line.split()[1]) * 1024


def _version(python: Path) -> str:
    told = subprocess.run([python, "--version"], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def pushed(data: object, *, subscription: str) -> bytes:
    """The body of a push."""
    text = base64.b64encode(json.dumps(data).encode()).decode()
    message = {"data": text, "messageId": "figures", "publishTime": "2026-11-22T00:00:00Z"}
    return json.dumps({"message": message, "subscription": subscription}).encode()
