"""Read a job's datasets row by row before a cent is spent: lint, convert, estimate."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TunewayError
from tuneway.ports import Documents, Files
from tuneway.state import Collection
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.cost import Estimate, estimate
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.files import FileRecord
from tuneway.tuning.jobs import Job, JobError

Role = Literal["training", "validation"]
SOURCES: dict[Role, Callable[[Job], str]] = {
    "training": lambda job: job.training_file,
    "validation": lambda job: job.validation_file or "",
}
FAULTS = (BadInput, NotFound, NotAllowed)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A job with what was found in its datasets; ``error`` None means that it may be submitted."""

    job: Job
    summary: str = ""
    error: JobError | None = None


class Datasets:
    """Where a job's rows are read from and where their converted copies go."""

    def __init__(
        self, documents: Documents, files: Files, *, catalogue: Catalogue, bucket: str, now: Callable[[], float]
    ) -> None:
        self._records = Collection(documents, "files", FileRecord)
        self._files = files
        self._catalogue = catalogue
        self._bucket = bucket
        self._now = now

    def checked(self, job: Job) -> Verdict:
        """The verdict on the job; repeating the call overwrites the same copies. Raises TryLater."""
        try:
            base = self._catalogue.base(job.base_model, today=datetime.fromtimestamp(self._now(), UTC).date())
        except BadInput as fault:
            return Verdict(job=job, error=_error(fault, param="model"))
        verdict, report = self._role(job, "training", base.limits)
        if verdict.error is None and job.validation_file is not None:
            limits = base.limits.for_validation(report.rows if report else 0)
            verdict, _ = self._role(verdict.job, "validation", limits)
        if verdict.error is not None or report is None:
            return verdict
        priced = estimate(report, base, job.hyperparameters)
        return Verdict(
            job=msgspec.structs.replace(verdict.job, estimate=priced), summary=f"{report.summary} {_price(priced)}"
        )

    def _role(self, job: Job, role: Role, limits: DatasetLimits) -> tuple[Verdict, DatasetReport | None]:
        try:
            report, uri = self._linted(
                f"gs://{self._bucket}/jobs/{job.id}/{role}.jsonl", self._uri(SOURCES[role](job)), limits
            )
        except FAULTS as fault:
            return Verdict(job=job, error=_error(fault, param=f"{role}_file")), None
        found = _with_findings(job, role, report, uri=uri)
        if report.accepted:
            return Verdict(job=found), report
        error = JobError(code=f"invalid_{role}_file", message=report.summary, param=f"{role}_file")
        return Verdict(job=found, error=error), report

    def _linted(self, copy: str, source: str, limits: DatasetLimits) -> tuple[DatasetReport, str]:
        """The report, and the URI to submit: the source itself where it is in the provider's words already."""
        with self._files.read(source) as rows, self._files.write(copy) as converted:
            report = lint(rows, limits=limits, sink=converted.write)
        if report.accepted and report.differs:
            return report, copy
        self._files.delete(copy)
        return report, source

    def _uri(self, name: str) -> str:
        if name.startswith("gs://"):
            return name
        try:
            return self._records.get(name).value.uri
        except NotFound:
            raise NotFound(f"The file '{name}' is gone. Upload it again.", code="file_not_found") from None


def _with_findings(job: Job, role: Role, report: DatasetReport, *, uri: str) -> Job:
    match role:
        case "training":
            return msgspec.structs.replace(job, dataset=report, training_uri=uri)
        case "validation":
            return msgspec.structs.replace(job, validation_dataset=report, validation_uri=uri)


def _price(priced: Estimate) -> str:
    if priced.usd_low is None or priced.usd_high is None:
        return f"Estimate: {priced.label}."
    return f"Estimate: {priced.usd_low:.2f} to {priced.usd_high:.2f} USD ({priced.label})."


def _error(fault: TunewayError, *, param: str) -> JobError:
    return JobError(code=fault.code or "invalid_request", message=fault.message, param=param)
