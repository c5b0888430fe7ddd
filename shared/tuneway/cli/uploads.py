"""Datasets named on the command line: a local file is uploaded once, whatever else is passed on as it is."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from tuneway.cli.client import Client, Failed, Refused
from tuneway.tuning.datasets.kinds import kind_named
from tuneway.tuning.orders import PLACES

FILES = "/v1/files"
REUSED = "idempotency_key_reused"
DIGITS = 16  # of the content's hash, in the name it is uploaded under
BLOCK = 1 << 20


class Uploads:
    """Uploads local files under names that tell their content, so that the same content is not uploaded again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: dict[str, str] = {}

    def name(self, dataset: str) -> str:
        """The file's id when ``dataset`` is a local file, else ``dataset`` itself. Raises Failed."""
        path = Path(dataset)
        if not path.is_file():
            return elsewhere(dataset)
        name = f"{path.stem}.{digest(path)[:DIGITS]}{path.suffix}"
        if name not in self._ids:
            self._ids[name] = self._known.get((name, path.stat().st_size)) or self._uploaded(path, name)
        return self._ids[name]

    @cached_property
    def _known(self) -> dict[tuple[str, int], str]:
        found = self._client.rows(f"{FILES}?purpose=fine-tune")
        return {(str(each["filename"]), int(str(each["bytes"]))): str(each["id"]) for each in found}

    def _uploaded(self, path: Path, name: str) -> str:
        with path.open("rb") as content:
            return str(self._client.upload(FILES, file=(name, content), purpose="fine-tune")["id"])


@contextmanager
def once() -> Generator[None]:
    """What was created by a key of its content, from an upload that is gone by now, is not created again.

    The key is the command line's own, so its user cannot send another. Raises Failed.
    """
    try:
        yield
    except Refused as refused:
        if refused.code != REUSED:
            raise
        fact = refused.message.rpartition(", which is another")[0].partition(" was used for ")[2]
        said = f"The same was created before ({fact}), from an upload that is not there any more: look at that one."
        raise Failed(f"{said} To tune once more, change something, such as its suffix.") from refused


def elsewhere(dataset: str) -> str:
    """What is no file of this computer, and does not look as if it should be one. Raises Failed."""
    if "://" in dataset:
        return dataset
    if "/" in dataset or kind_named(dataset) is not None:
        said = f"There is no file '{dataset}' on this computer"
        raise Failed(f"{said}. Look at the path, or give the id of an upload, {PLACES}.")
    return dataset


def identity(dataset: str) -> str:
    """What tells a dataset from another: of a local file its content, whatever it is called."""
    path = Path(dataset)
    return f"sha256:{digest(path)}" if "://" not in dataset and path.is_file() else dataset


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(BLOCK):
            found.update(block)
    return found.hexdigest()
