"""Read a job's datasets row by row before a cent is spent: lint, convert, estimate."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TunewayError
from tuneway.ports import Documents, Files
from tuneway.state import Collection
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.cost import Estimate, estimate
from tuneway.tuning.datasets.leakage import Learned
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.datasets.table_rows import Tables
from tuneway.tuning.files import FileRecord
from tuneway.tuning.jobs import Job, JobError
from tuneway.tuning.survey import Manner, survey

Role = Literal["training", "validation"]
SOURCES: dict[Role, Callable[[Job], str]] = {
    "training": lambda job: job.training_file,
    "validation": lambda job: job.validation_file or "",
}
GOOGLE = "gs://"
STORES = {"bedrock": "s3://"}
COLUMNS = "columns"
GONE = "file_not_found"
FAULTS = (BadInput, NotFound, NotAllowed)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A job with what was found in its datasets; ``error`` None means that it may be submitted."""

    job: Job
    summary: str = ""
    error: JobError | None = None


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """``outputs`` are places for copies by backend, ``gs://bucket`` or ``s3://bucket``; ``tables`` opens Parquet."""

    outputs: Mapping[str, str] = {}
    tables: Tables | None = None


PLAIN = Means()


class Datasets:
    """Where a job's rows are read from, and where converted copies go: to ``bucket``, if ``means`` say no other."""

    def __init__(
        self,
        documents: Documents,
        files: Files,
        *,
        catalogue: Catalogue,
        bucket: str,
        now: Callable[[], float],
        means: Means = PLAIN,
    ) -> None:
        self._records = Collection(documents, "files", FileRecord)
        self._files = files
        self._catalogue = catalogue
        self._bucket = bucket
        self._now = now
        self._means = means

    def checked(self, job: Job) -> Verdict:
        """The verdict on the job; repeating the call overwrites the same copies. Raises TryLater."""
        try:
            today = datetime.fromtimestamp(self._now(), UTC).date()
            base = self._catalogue.base(job.base_model, today=today, owner=job.owner)
        except BadInput as fault:
            return Verdict(job=job, error=_error(fault, param="model"))
        learned = Learned() if job.validation_file is not None else None
        purpose = Purpose(target=base.dataset, also=base.also_takes, method=job.method, learned=learned)
        verdict, report = self._role(_Reading(job=job, role="training", base=base, purpose=purpose))
        if verdict.error is None and learned is not None:
            against = msgspec.structs.replace(purpose, learned=None, against=learned)
            rows = report.rows if report else 0
            beside = _Reading(job=verdict.job, role="validation", base=base, purpose=against, training_rows=rows)
            verdict, _ = self._role(beside)
        if verdict.error is not None or report is None:
            return verdict
        priced = estimate(report, base, job.hyperparameters)
        return Verdict(
            job=msgspec.structs.replace(verdict.job, estimate=priced), summary=f"{report.summary} {_price(priced)}"
        )

    def _role(self, asked: "_Reading") -> tuple[Verdict, DatasetReport | None]:
        job, role = asked.job, asked.role
        try:
            report, uri = self._linted(asked)
        except FAULTS as fault:
            told = _told(fault, SOURCES[role](job))
            return Verdict(job=job, error=_error(told, param=f"{role}_file")), None
        found = _with_findings(job, role, report, uri=uri)
        if report.accepted:
            return Verdict(job=found), report
        error = JobError(code=f"invalid_{role}_file", message=report.summary, param=f"{role}_file")
        return Verdict(job=found, error=error), report

    def _linted(self, asked: "_Reading") -> tuple[DatasetReport, str]:
        """The report, and the URI to submit: the source itself where the provider can read it as it is."""
        source, name = self._source(SOURCES[asked.role](asked.job))
        place = self._means.outputs.get(asked.job.backend, f"gs://{self._bucket}")
        copy = f"{place}/jobs/{asked.job.id}/{asked.role}.jsonl"
        manner = Manner(name=name, columns=asked.job.columns, tables=self._means.tables)
        with self._files.read(source) as rows, self._files.write(copy) as converted:
            report = survey(rows, limits=asked.limits, sink=converted.write, purpose=asked.purpose, manner=manner)
        # A provider reads from its own cloud's storage alone.
        store = STORES.get(asked.job.backend, GOOGLE)
        if report.accepted and (report.differs or not source.startswith(store)):
            return report, copy
        self._files.delete(copy)
        return report, source

    def _source(self, given: str) -> tuple[str, str]:
        """Where the file lies, and the name that may tell its kind."""
        if "://" in given:
            return given, given
        stored = self._records.known(given)
        if stored is None:
            raise _gone(given)
        return stored.value.uri, stored.value.filename


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One of a job's files, and what it is held against; ``training_rows`` are those beside a validation file."""

    job: Job
    role: Role
    base: BaseModel
    purpose: Purpose
    training_rows: int = 0

    @property
    def limits(self) -> DatasetLimits:
        limits = self.base.limits_of(self.job.method)
        return limits.for_validation(self.training_rows) if self.role == "validation" else limits


def _with_findings(job: Job, role: Role, report: DatasetReport, *, uri: str) -> Job:
    match role:
        case "training":
            return msgspec.structs.replace(job, dataset=report, training_uri=uri)
        case "validation":
            return msgspec.structs.replace(job, validation_dataset=report, validation_uri=uri)


def _price(priced: Estimate) -> str:
    return f"Estimate: {priced.amount} ({priced.label})." if priced.amount else f"Estimate: {priced.label}."


def _gone(given: str) -> NotFound:
    return NotFound(f"The file '{given}' is gone. Upload it again, and create the job anew.", code=GONE)


def _told(fault: TunewayError, given: str) -> TunewayError:
    """Of an upload that went while it was read, by its own name."""
    return _gone(given) if isinstance(fault, NotFound) and "://" not in given else fault


def _error(fault: TunewayError, *, param: str) -> JobError:
    """A fault of the columns is theirs, whichever file has none such."""
    named = COLUMNS if fault.param == COLUMNS else param
    code = fault.code or (GONE if isinstance(fault, NotFound) else "invalid_request")
    return JobError(code=code, message=fault.message, param=named)
