"""Estimates as they are asked for and shown: by the door, and by the Python API, which knows no web framework."""

import msgspec

from tuneway.state import fields_of
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.report import DatasetReport
from tuneway.tuning.estimates import Count, Question, Quote

OBJECT = "fine_tuning.estimate"


class AskEstimate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body; one of ``training_file``, ``training_file_size_mb`` and ``tokens`` says what is trained on."""

    model: str
    training_file: str | None = None
    training_file_size_mb: float | None = None
    tokens: int | Count | None = None
    validation_file: str | None = None
    columns: Columns | None = None
    hyperparameters: object = None
    method: object = None


def question_of(body: AskEstimate, base: BaseModel) -> Question:
    """The question about ``base``. Raises BadInput, naming the field."""
    return Question(
        base=base,
        hyperparameters=hyper.requested(body.hyperparameters, body.method, base=base),
        method=hyper.method_of(body.method, base=base),
        training_file=body.training_file,
        training_file_size_mb=body.training_file_size_mb,
        tokens=body.tokens,
        validation_file=body.validation_file,
        columns=body.columns,
    )


def rendered(question: Question, quote: Quote) -> dict[str, object]:
    """The quote, with the estimate's fields as a job shows them; ``amount`` is the interval for people."""
    return {
        "object": OBJECT,
        "model": question.base.name,
        "backend": question.base.backend,
        "method": question.method,
        "hyperparameters": msgspec.to_builtins(hyper.rendered(question.hyperparameters)),
        **fields_of(quote.estimate),
        "amount": quote.estimate.amount,
        "duration": msgspec.to_builtins(quote.duration),
        "dataset": _seen(quote.dataset),
        "validation_dataset": _seen(quote.validation_dataset),
    }


def _seen(report: DatasetReport | None) -> dict[str, object] | None:
    """The report as far as an estimate goes: ``/v1/fine_tuning/validations`` shows it all."""
    if report is None:
        return None
    return {
        "verdict": report.verdict,
        "form": report.form,
        "rows": report.rows,
        "media_rows": report.media_rows,
        "bytes": report.bytes,
        "sha256": report.sha256,
        "tokens": msgspec.to_builtins(report.tokens),
        "warning_count": report.warning_count,
        "summary": report.summary,
    }
