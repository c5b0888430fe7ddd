"""A fault of an installation, with the line to mend; and copies of the house to plant some in."""

import shutil
from pathlib import Path

import msgspec
from typing_extensions import override

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("functions", "infra", "docs/runbooks", "shared/tuneway")


class Fault(msgspec.Struct, frozen=True):
    """Something that an installation would lack; ``str`` of it is what an editor can open."""

    path: Path
    line: int
    message: str

    @override
    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def copied(folder: Path) -> Path:
    """The parts of the house that an installation is made of, to be broken."""
    skip = shutil.ignore_patterns("__pycache__", "local", "*.json.gz", "dist", ".terraform*")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=skip)
    shutil.copy(ROOT / "docs/deploy.md", folder / "docs/deploy.md")
    return folder


def planted(file: Path, old: str, new: str) -> int:
    """Replace one text of a copy; the line it stood in."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} has {text.count(old)} times {old!r}"
    file.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1
