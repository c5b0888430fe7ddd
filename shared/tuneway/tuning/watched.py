"""Lint what is put under a watched prefix: one report for each generation of an object, kept and then announced."""

import hashlib
from collections.abc import Callable, Iterator
from typing import IO

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TunewayError
from tuneway.ports import Documents, Events, Files, Message
from tuneway.state import Collection
from tuneway.tuning.cloud_events import Event, announced
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.reading import reading
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.datasets.table_rows import Tables

LINTED = "dataset.linted"
BLOCK = 1 << 20
PERMANENT = (BadInput, NotFound, NotAllowed)


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as its bucket tells of it; a new ``generation`` is a new content."""

    bucket: str
    name: str
    generation: str

    @property
    def uri(self) -> str:
        """``gs://bucket/name``."""
        return f"gs://{self.bucket}/{self.name}"


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in an object; ``error`` says why there is no report. ``linted_at`` in Unix seconds."""

    uri: str
    generation: str
    linted_at: float
    report: DatasetReport | None = None
    error: str | None = None
    announced: bool = False


class WatchedFiles:
    """The handler of objects that are finalised; ``prefix`` such as ``gs://bucket/datasets/`` says which are meant."""

    def __init__(
        self,
        documents: Documents,
        events: Events,
        files: Files,
        *,
        prefix: str | None,
        tables: Tables,
        now: Callable[[], float],
    ) -> None:
        self._lints = Collection(documents, "lints", Lint)
        self._documents = documents
        self._events = events
        self._files = files
        self._prefix = prefix
        self._tables = tables
        self._now = now

    def __call__(self, found: StoredObject) -> None:
        """Lint the object unless it was; repeating the call changes nothing. Raises TryLater."""
        if not self._prefix or not found.uri.startswith(self._prefix) or found.name.endswith("/"):
            return
        stored = self._lints.known(key(found.uri))
        if stored is None or stored.value.generation != found.generation:
            if stored is not None and _older(found, stored.value):
                return
            self._documents.commit(self._lints.put(key(found.uri), self._linted(found)))
            stored = self._lints.get(key(found.uri))
        if not stored.value.announced:
            self._events.publish(_announcement(stored.value))
            self._documents.commit(self._lints.replace(stored, msgspec.structs.replace(stored.value, announced=True)))

    def _linted(self, found: StoredObject) -> Lint:
        report, error = None, None
        try:
            with self._files.read(found.uri) as file:
                read = reading(_blocks(file), name=found.name, tables=self._tables)
                report = lint(read.blocks, limits=DatasetLimits(), placing=read)
        except PERMANENT as fault:
            error = _said(fault)
        return Lint(uri=found.uri, generation=found.generation, linted_at=self._now(), report=report, error=error)


def key(uri: str) -> str:
    """What an object's lint is kept under: its name may be longer than a document's."""
    return hashlib.sha256(uri.encode()).hexdigest()[:32]


def _older(found: StoredObject, kept: Lint) -> bool:
    """Whether the event is a late one, of a content that another has replaced: generations grow."""
    return found.generation.isdigit() and kept.generation.isdigit() and int(found.generation) < int(kept.generation)


def _announcement(kept: Lint) -> Message:
    report = kept.report
    verdict = report.verdict if report else "unreadable"
    body = {
        "type": LINTED,
        "uri": kept.uri,
        "generation": kept.generation,
        "verdict": verdict,
        "rows": report.rows if report else 0,
        "errors": report.error_count if report else 0,
        "warnings": report.warning_count if report else 0,
    }
    event = Event(
        id=f"{key(kept.uri)}-{kept.generation}",
        type=LINTED,
        source="/v1/fine_tuning/validations",
        subject=f"lints/{key(kept.uri)}",
        time=kept.linted_at,
        data=body,
    )
    return announced(event, type=LINTED, verdict=verdict)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _said(fault: TunewayError) -> str:
    return fault.message
