"""Files of this computer beside those of the clouds, and the state of a computer that runs no tuneway."""

from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import IO

from tuneway.adapters import plugs
from tuneway.adapters.sources import Sources
from tuneway.api.errors import refused
from tuneway.api.vertex_account import Account
from tuneway.errors import BadInput, NotFound
from tuneway.ports import Document, Files, Key, Query, Write
from tuneway.state import fields_of
from tuneway.tuning.files import FileRecord
from tuneway.tuning.orders import PLACES, check_uri

SCHEME = "file://"


class Paths:
    """``ports.Documents`` of a computer: its uploaded files are its paths, and there is nothing else."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def get(self, key: Key) -> Document | None:
        """The record of the path that ``key`` is, if it is a file."""
        path = Path(key.id)
        if key.collection != "files" or not path.is_file():
            return None
        about = path.stat()
        record = FileRecord(
            id=key.id,
            owner=self._owner,
            filename=path.name,
            purpose="fine-tune",
            bytes=about.st_size,
            created_at=about.st_mtime,
            uri=f"{SCHEME}{path.absolute()}",
        )
        return Document(key, fields_of(record), version="1")

    def find(self, query: Query) -> list[Document]:
        """None: nothing is remembered here."""
        del query
        return []

    def commit(self, *writes: Write) -> None:
        """Raises BadInput."""
        raise BadInput(f"Nothing is kept on this computer, so {len(writes)} writes cannot be done.")


class ComputerFiles:
    """``ports.Files`` that are paths, named ``file://…``; to be read alone."""

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Open for reading. Raises NotFound."""
        try:
            return Path(uri.removeprefix(SCHEME)).open("rb")
        except OSError as exc:
            raise NotFound(f"The file cannot be read: {exc.strerror}.") from exc

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        """Raises BadInput."""
        raise BadInput(f"{uri} is a file of this computer, which is only read.")

    def size(self, uri: str) -> int:
        """Raises BadInput: no limit is meant for files that cost nobody else's time."""
        raise BadInput(f"The size of {uri} is not told.")

    def delete(self, uri: str) -> None:
        """Raises BadInput."""
        raise BadInput(f"{uri} is a file of this computer, which is only read.")


def sources(account: Account) -> Files:
    """Files of every scheme that a dataset may have here."""

    def others() -> Files:
        return plugs.sources(account.settings)

    return Sources({"gs": lambda: _objects(account), "s3": others, "https": others, "file": ComputerFiles})


def check_named(name: str, *, field: str) -> None:
    """Raises BadInput, and BadRequestError, unless the name is that of a file here or of an object."""
    if check_uri(name, field=field, keeps=lambda _: False) or Path(name).is_file():
        return
    said = f"There is no file '{name[:200]}' on this computer. Give a path, or {PLACES}."
    ours = " An id like file-… is one of a deployed tuneway: give its base_url." if name.startswith("file-") else ""
    raise refused(said + ours, param=field)


def _objects(account: Account) -> Files:
    try:
        client = import_module("google.cloud.storage").Client
        adapter = import_module("tuneway.adapters.gcs_files")
    except ModuleNotFoundError as exc:
        said = "Files in Cloud Storage need one more package: pip install 'tuneway[tuning]'."
        raise refused(said, param="training_file") from exc
    options = {"api_endpoint": account.storage_url} if account.storage_url else None
    connected = client(project=account.project, credentials=account.credentials, client_options=options)
    files: Files = adapter.GcsFiles(connected)
    return files
