"""Look at a dataset before there is a job: the whole report of its files, and its first rows as a model sees them."""

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound
from tuneway.ports import Files, Method
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.leakage import Learned
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import chunks
from tuneway.tuning.datasets.preview import Example, preview
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.datasets.table_rows import Tables
from tuneway.tuning.files import FileRecords
from tuneway.tuning.orders import PLACES, check_uri
from tuneway.tuning.survey import Manner, opened, survey

MOST_BYTES = 1_000_000_000
"""A file that is linted while somebody waits: at 10 MB/s, slower than the slowest seen, within the door's time."""

MOST_EXAMPLES = 20
BLOCK = 1024 * 1024


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked at; without a base the widest limits hold. ``examples`` is how many rows to show."""

    training_file: str
    base: BaseModel | None = None
    method: Method | None = None
    validation_file: str | None = None
    columns: Columns | None = None
    examples: int = 0


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    dataset: DatasetReport
    validation_dataset: DatasetReport | None = None
    examples: tuple[Example, ...] = ()

    @property
    def accepted(self) -> bool:
        """True when a job with these files would be submitted."""
        return self.dataset.accepted and (self.validation_dataset is None or self.validation_dataset.accepted)


class Inspector:
    """The use case of ``/v1/fine_tuning/validations``; nothing is written."""

    def __init__(
        self,
        shelf: FileRecords,
        files: Files,
        *,
        catalogue: Catalogue,
        now: Callable[[], float],
        tables: Tables | None = None,
    ) -> None:
        self._shelf = shelf
        self._files = files
        self._catalogue = catalogue
        self._now = now
        self._tables = tables

    def base(self, model: str, *, owner: str) -> BaseModel:
        """The base model of that name. Raises BadInput."""
        return self._catalogue.base(model, today=datetime.fromtimestamp(self._now(), UTC).date(), owner=owner)

    def inspect(self, asked: Inspection, *, owner: str) -> Inspected:
        """The reports. Raises BadInput, naming the field; TryLater when a file cannot be read now."""
        limits, purpose = _held_against(asked)
        learned = Learned() if asked.validation_file is not None else None
        training = _File(asked.training_file, "training_file", asked.columns)
        learning = msgspec.structs.replace(purpose, learned=learned)
        dataset = self._surveyed(training, limits, learning, owner=owner)
        beside = None
        if asked.validation_file is not None:
            against = msgspec.structs.replace(purpose, against=learned)
            file = _File(asked.validation_file, "validation_file", asked.columns)
            beside = self._surveyed(file, limits.for_validation(dataset.rows), against, owner=owner)
        examples = self._examples(training, limits, purpose, owner=owner, rows=asked.examples)
        return Inspected(dataset=dataset, validation_dataset=beside, examples=examples)

    def fingerprint(self, name: str, *, field: str, owner: str) -> str:
        """The SHA-256 of the file as it is stored now, as reports tell it. Raises as ``inspect``."""
        uri, _ = self._named(_File(name, field, None), owner)
        digest = hashlib.sha256()
        with _there(name, field):
            self._check_size(uri, field)
            with self._files.read(uri) as content:
                while block := content.read(BLOCK):
                    digest.update(block)
        return digest.hexdigest()

    def check_there(self, name: str, *, field: str, owner: str) -> None:
        """Whether the file can be found, without reading it. Raises BadInput, naming the field; TryLater."""
        uri, _ = self._named(_File(name, field, None), owner)
        # One that does not tell its size may be there all the same.
        with _there(name, field), suppress(BadInput):
            self._files.size(uri)

    def _surveyed(self, file: "_File", limits: DatasetLimits, purpose: Purpose, *, owner: str) -> DatasetReport:
        uri, manner = self._named(file, owner)
        with _there(file.name, file.field):
            self._check_size(uri, file.field)
            with self._files.read(uri) as rows:
                return survey(rows, limits=limits, purpose=purpose, manner=manner)

    def _examples(
        self, file: "_File", limits: DatasetLimits, purpose: Purpose, *, owner: str, rows: int
    ) -> tuple[Example, ...]:
        if not rows:
            return ()
        uri, manner = self._named(file, owner)
        with _there(file.name, file.field), self._files.read(uri) as content:
            read = opened(chunks(content), manner)
            return preview(read.blocks, limits=limits, purpose=purpose, rows=rows, line_of=read.line_of)

    def _check_size(self, uri: str, field: str) -> None:
        size = 0
        with suppress(BadInput):  # one that does not tell its size is bounded by its reader
            size = self._files.size(uri)
        if size > MOST_BYTES:
            raise BadInput(
                f"The file has {size:,} bytes; up to {MOST_BYTES:,} are checked while you wait. Create a job, which "
                "checks every row before it costs anything, or run 'tuneway datasets lint' on your own computer.",
                param=field,
                code="file_too_large",
            )

    def _named(self, file: "_File", owner: str) -> tuple[str, Manner]:
        if check_uri(file.name, field=file.field, keeps=self._shelf.keeps):
            return file.name, Manner(name=file.name, columns=file.columns, tables=self._tables)
        try:
            record = self._shelf.get(file.name, owner=owner)
        except NotFound as missing:
            said = f"{missing.message} Or name a file as {PLACES}."
            raise BadInput(said, param=file.field, code="file_not_found") from missing
        return record.uri, Manner(name=record.filename, columns=file.columns, tables=self._tables)


@contextmanager
def _there(name: str, field: str) -> Generator[None]:
    """A file that is gone, or goes while it is read, is the caller's to name again. Raises BadInput."""
    try:
        yield
    except NotFound as gone:
        said = gone.message if "://" in name else f"The file '{name}' is gone. Upload it again with POST /v1/files."
        raise BadInput(said, param=field, code=gone.code or "file_not_found") from gone
    except NotAllowed as kept:
        raise BadInput(kept.message, param=field, code=kept.code or "file_not_found") from kept


class _File(msgspec.Struct, frozen=True):
    name: str
    field: str
    columns: Columns | None


def _held_against(asked: Inspection) -> tuple[DatasetLimits, Purpose]:
    base = asked.base
    if base is None:
        return DatasetLimits(), Purpose(method=asked.method)
    limits = base.limits_of(asked.method or Method.SUPERVISED)
    return limits, Purpose(target=base.dataset, also=base.also_takes, method=asked.method)
