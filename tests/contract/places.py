"""Where documents of each plug lie, so that other processes can open the same ones."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from google.cloud.firestore import Client

from tuneway.adapters.firestore_documents import FirestoreDocuments
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.ports import Documents

ROOT = Path(__file__).parents[2]


class Place(msgspec.Struct, frozen=True):
    """``kind`` is sqlite or firestore, ``location`` the file or the project."""

    kind: str
    location: str
    environment: dict[str, str] = {}

    def rival(self, *arguments: str) -> "subprocess.Popen[str]":
        """Another process at work in the same place: see ``rival.py``."""
        paths = os.pathsep.join((str(ROOT), str(ROOT / "shared")))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.contract.rival", self.kind, self.location, *arguments],
            cwd=ROOT,
            env={**self.environment, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            text=True,
        )


@contextmanager
def opened(kind: str, location: str) -> Iterator[Documents]:
    if kind == "sqlite":
        documents = SqliteDocuments(Path(location))
        yield documents
        documents.close()
    else:
        client = Client(project=location)
        yield FirestoreDocuments(client)
        client.close()
