"""Terraform's files as values, each with its place: read by python-hcl2, without Terraform."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import msgspec

BLOCK = "__is_block__"
OWN = {BLOCK, "__comments__", "__inline_comments__"}


class Block(msgspec.Struct, frozen=True):
    """A block of a file; ``labels`` such as ("google_pubsub_topic", "this")."""

    kind: str
    labels: tuple[str, ...]
    body: Mapping[str, Any]
    path: Path
    line: int

    @property
    def name(self) -> str:
        """As others refer to it."""
        return ".".join(self.labels)


def files(folder: Path) -> list[Path]:
    """The Terraform of one module."""
    return sorted(folder.glob("*.tf"))


def blocks(folder: Path, *kinds: str) -> list[Block]:
    """The blocks of a module, of these kinds or all."""
    found = [block for path in files(folder) for block in _blocks(path, path.read_text())]
    return [block for block in found if not kinds or block.kind in kinds]


def values(folder: Path) -> dict[str, tuple[Any, Path]]:
    """Every local of a module, and its file."""
    return {name: (value, block.path) for block in blocks(folder, "locals") for name, value in block.body.items()}


def plain(value: Any) -> Any:
    """A value without the quotes that tell texts from expressions; comments are left out."""
    match value:
        case str():
            return value[1:-1] if value.startswith('"') and value.endswith('"') else value
        case list():
            return [plain(each) for each in value]
        case dict():
            return {plain(name): plain(each) for name, each in value.items() if name not in OWN}
        case _:
            return value


def line_of(path: Path, pattern: str, *, after: int = 1) -> int:
    """The first line from ``after`` on that the pattern is found in, else ``after``."""
    lines = path.read_text().splitlines()
    return next((n for n, line in enumerate(lines, 1) if n >= after and re.search(pattern, line)), after)


@cache
def _blocks(path: Path, text: str) -> tuple[Block, ...]:
    return tuple(_found(path, hcl2.loads(text)))


def _found(path: Path, parsed: Mapping[str, Any]) -> Iterator[Block]:
    for kind, each in ((kind, each) for kind, parts in parsed.items() if kind not in OWN for each in parts):
        labels, body = _labels(each)
        head = "".join(rf'\s+"{label}"' for label in labels)
        yield Block(
            kind, labels, {n: v for n, v in body.items() if n not in OWN}, path, line_of(path, f"^{kind}{head}")
        )


def _labels(part: Mapping[str, Any]) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    labels: tuple[str, ...] = ()
    while BLOCK not in part:
        ((label, part),) = part.items()
        labels += (label.strip('"'),)
    return labels, part
