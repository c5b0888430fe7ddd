"""Every function's zip, unpacked beside the others, and for each set of pins an environment that holds nothing else."""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tuneway.local import bundles

UV = Path(sys.executable).with_name("uv")


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """An unpacked function: ``archive`` is its zip, ``scripts`` where its environment's commands are."""

    name: str
    archive: Path
    source: Path
    scripts: Path


def unpacked(folder: Path, runtimes: Iterable[str]) -> dict[str, Bundle]:
    """Package all functions and unpack each with its clean environment, by name; ``runtimes`` are Terraform's."""
    archives = bundles.bundle_all(folder / "dist")
    sources = {archive.stem: _extracted(archive, folder / "sources" / archive.stem) for archive in archives}
    python = interpreter(runtimes)
    pins = {name: source / "requirements.txt" for name, source in sources.items()}
    places = {name: folder / "environments" / _digest(path) for name, path in pins.items()}
    # One for each set of pins; what a function lacks in its own pins it does not find either.
    wanted = {place: pins[name] for name, place in places.items()}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda place: _environment(place, wanted[place], python=python), wanted))
    return {
        archive.stem: Bundle(
            name=archive.stem,
            archive=archive,
            source=sources[archive.stem],
            scripts=places[archive.stem] / "bin",
        )
        for archive in archives
    }


def interpreter(runtimes: Iterable[str]) -> str:
    """The platform's own Python (``python313``) where this machine has it, else the one that runs the tests."""
    (runtime,) = set(runtimes)
    found = shutil.which(re.sub(r"^python3", "python3.", runtime))
    if found and not subprocess.run([found, "-c", "pass"], capture_output=True, check=False).returncode:
        return found
    return sys.executable


def _extracted(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _environment(folder: Path, pins: Path, *, python: str) -> None:
    subprocess.run([UV, "venv", "--quiet", "--python", python, folder], check=True)
    install = [str(UV), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, "--require-hashes", "-r", str(pins)], check=True)
