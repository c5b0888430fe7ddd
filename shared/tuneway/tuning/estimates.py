"""What a tuning job would cost and how long it would take, asked before there is one."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Method
from tuneway.state import Collection
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.cost import Estimate, estimate, estimate_of, tokens_counted, tokens_of_size
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.report import DatasetReport, TokenRange
from tuneway.tuning.forecast import Forecast, forecast, past_runs
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.inspection import Inspected, Inspection, Inspector
from tuneway.tuning.jobs import Job

MEGABYTE = 1_000_000
MOST_TOKENS = 1_000_000_000_000
VALIDATION_FREE = "The validation rows were checked; they are not in the price, which is that of training tokens."
WAYS = ("training_file", "training_file_size_mb", "tokens")


class Count(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An epoch's tokens as the caller counted or estimated them."""

    low: int
    high: int


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be estimated: the dataset by its name, by its size in megabytes (10⁶ bytes), or by its tokens."""

    base: BaseModel
    hyperparameters: Hyperparameters
    method: Method = Method.SUPERVISED
    training_file: str | None = None
    training_file_size_mb: float | None = None
    tokens: int | Count | None = None
    validation_file: str | None = None
    columns: Columns | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; ``duration`` is None without past jobs, ``dataset`` when no file was read."""

    estimate: Estimate
    duration: Forecast | None = None
    dataset: DatasetReport | None = None
    validation_dataset: DatasetReport | None = None


class Quotes:
    """The use case of ``/v1/fine_tuning/estimates``."""

    def __init__(self, jobs: Collection[Job], inspector: Inspector, *, now: Callable[[], float]) -> None:
        self._jobs = jobs
        self._inspector = inspector
        self._now = now

    def quote(self, question: Question, *, owner: str) -> Quote:
        """The estimate of the question. Raises BadInput, naming the field; TryLater when a file cannot be read now."""
        _check_ways(question)
        seen = self._seen(question, owner)
        priced = _priced(question, seen)
        return Quote(
            estimate=msgspec.structs.replace(priced, notes=(*priced.notes, *self._notes(question))),
            duration=self._duration(priced, question.base, owner),
            dataset=seen.dataset if seen else None,
            validation_dataset=seen.validation_dataset if seen else None,
        )

    def _seen(self, question: Question, owner: str) -> Inspected | None:
        if question.training_file is None:
            return None
        asked = Inspection(
            training_file=question.training_file,
            base=question.base,
            method=question.method,
            validation_file=question.validation_file,
            columns=question.columns,
        )
        seen = self._inspector.inspect(asked, owner=owner)
        _check_accepted(seen.dataset, "training_file")
        _check_accepted(seen.validation_dataset, "validation_file")
        return seen

    def _duration(self, priced: Estimate, base: BaseModel, owner: str) -> Forecast | None:
        tokens = TokenRange(low=priced.tokens_low, high=priced.tokens_high, basis=priced.tokens_basis)
        return forecast(past_runs(self._jobs, base.name, owner=owner), tokens, base=base.name)

    def _notes(self, question: Question) -> tuple[str, ...]:
        warnings = question.base.warnings(datetime.fromtimestamp(self._now(), UTC).date())
        return (VALIDATION_FREE, *warnings) if question.validation_file is not None else warnings


def _check_ways(question: Question) -> None:
    given = [name for name in WAYS if getattr(question, name) is not None]
    offer = f"Give one of {', '.join(WAYS)}."
    if not given:
        said = f"There is no dataset to estimate. {offer}"
        raise BadInput(said, param=WAYS[0], code="missing_required_parameter")
    if len(given) > 1:
        raise BadInput(f"The dataset is given twice. {offer}", param=given[-1], code="invalid_value")
    if question.columns is not None and question.training_file is None:
        said = "Columns are those of a training file. Give training_file too, or leave them out."
        raise BadInput(said, param="columns", code="invalid_value")
    if question.validation_file is not None and question.training_file is None:
        said = "A validation file is checked beside its training file. Give training_file too, or leave it out."
        raise BadInput(said, param="validation_file", code="invalid_value")


def _check_accepted(report: DatasetReport | None, field: str) -> None:
    if report is not None and not report.accepted:
        raise BadInput(report.summary, param=field, code=f"invalid_{field}")


def _priced(question: Question, seen: Inspected | None) -> Estimate:
    if seen is not None:
        return estimate(seen.dataset, question.base, question.hyperparameters)
    return estimate_of(_tokens(question), question.base, question.hyperparameters)


def _tokens(question: Question) -> TokenRange:
    match question.tokens:
        case Count(low=low, high=high) if 0 < low <= high <= MOST_TOKENS:
            return tokens_counted(low, high)
        case int(count) if 0 < count <= MOST_TOKENS:
            return tokens_counted(count, count)
        case None:
            return _tokens_of_size(question.training_file_size_mb or 0.0, question.base)
        case _:
            said = f"'tokens' is a number from 1 to {MOST_TOKENS:,}, or {{'low': …, 'high': …}} of such numbers."
            raise BadInput(said, param="tokens", code="invalid_value")


def _tokens_of_size(size: float, base: BaseModel) -> TokenRange:
    most = base.limits.bytes / MEGABYTE
    if not isfinite(size) or not 0 < size <= most:
        said = f"'training_file_size_mb' is {size:g}. '{base.name}' takes files of up to {most:g} MB (10⁶ bytes)."
        raise BadInput(said, param="training_file_size_mb", code="invalid_value")
    return tokens_of_size(round(size * MEGABYTE))
