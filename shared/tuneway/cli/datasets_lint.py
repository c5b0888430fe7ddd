"""``tuneway datasets lint`` and ``preview``: what is wrong with a dataset, and what a model would learn from it."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console

from tuneway.adapters import plugs
from tuneway.cli.client import show
from tuneway.cli.dataset_files import Form, Input, check_apart, opened, readable, stored, written
from tuneway.cli.datasets_report import show_example, show_fixed, show_report
from tuneway.errors import TunewayError
from tuneway.ports import Method
from tuneway.settings import from_env
from tuneway.tuning.datasets.fix import Fixed, Fixer
from tuneway.tuning.datasets.leakage import Learned
from tuneway.tuning.datasets.ledger import Placed
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.preview import preview as previewed
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import DatasetReport, issue
from tuneway.tuning.survey import Manner, survey

METHODS = [method.value for method in Method]


class Unreadable(click.ClickException):
    """The file cannot be read, or the question cannot be answered: exits with 2."""

    exit_code = 2


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """What files are held against."""

    limits: DatasetLimits
    purpose: Purpose
    keep: int = 20


class Linted(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed with ``--json``."""

    file: str
    dataset: DatasetReport
    validation_dataset: DatasetReport | None = None
    fixed: Fixed | None = None


@click.command()
@click.argument("file")
@click.option("--base", help="The base model to be tuned: its limits, its kinds of files, its form of rows.")
@click.option("--method", type=click.Choice(METHODS), help="How it is to be tuned; else any form of rows is taken.")
@click.option("--validation", help="A validation file, which is checked, too, and compared with FILE.")
@click.option("--fix", "fixed_file", metavar="OUT", help="Write a corrected copy, and say what was changed.")
@click.option("--drop-bad", is_flag=True, help="With --fix: leave out rows that no safe change mends.")
@click.option("--max-errors", default=20, show_default=True, type=click.IntRange(0, 10_000), help="Issues to show.")
@readable
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def lint(  # noqa: PLR0913 - each argument is an option of the command line
    form: Form,
    /,
    *,
    file: str,
    base: str | None,
    method: str | None,
    validation: str | None,
    fixed_file: str | None,
    drop_bad: bool,
    max_errors: int,
    as_json: bool,
) -> None:
    """Check every row of FILE: a path, gs://, s3:// or https://.

    FILE may be JSONL, JSON, CSV, TSV or Parquet, packed with gzip or not. Exits with 0 when it may be tuned on, with 1
    when it may not, with 2 when it cannot be read.
    """
    if drop_bad and fixed_file is None:
        raise click.UsageError("--drop-bad goes with --fix OUT.")
    with _readably():
        against = _against(base, method, keep=max_errors)
        asked = Input(name=file, form=form, quiet=as_json)
        linted = _linted(asked, validation, against)
        if fixed_file is not None:
            check_apart(file, fixed_file)
            fixed = _fixed(asked, fixed_file, against, drop_bad=drop_bad)
            linted = msgspec.structs.replace(linted, fixed=fixed)
    if as_json:
        show(msgspec.to_builtins(linted))
    else:
        _tell(linted, validation, fixed_file)
    if not linted.dataset.accepted or (linted.validation_dataset and not linted.validation_dataset.accepted):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file")
@click.option("--base", help="The base model to be tuned: rows are shown as its provider gets them.")
@click.option("--method", type=click.Choice(METHODS), help="How it is to be tuned.")
@click.option("--rows", default=3, show_default=True, type=click.IntRange(1, 1_000), help="How many rows to show.")
@readable
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def preview(
    form: Form,
    /,
    *,
    file: str,
    base: str | None,
    method: str | None,
    rows: int,
    as_json: bool,
) -> None:
    """Show the first rows of FILE as a model is trained on them: its turns, and which of them it learns to say."""
    asked = Input(name=file, form=form, quiet=True)
    with _readably():
        against = _against(base, method)
        with opened(asked) as read:
            examples = previewed(
                read.blocks, limits=against.limits, purpose=against.purpose, rows=rows, line_of=read.line_of
            )
            broken = read.faults()
    if as_json:
        show(msgspec.to_builtins(examples))
    for example in () if as_json else examples:
        show_example(Console(soft_wrap=False, emoji=False), example)
    if not examples:
        raise Unreadable(issue(*broken[0]).text if broken else f"{file} holds no rows.")


@contextmanager
def _readably() -> Generator[None]:
    """What keeps a file from being read has an exit code of its own."""
    try:
        yield
    except Unreadable:
        raise
    except click.UsageError:
        raise
    except click.ClickException as fault:
        raise Unreadable(fault.message) from fault
    except TunewayError as fault:
        raise Unreadable(fault.message) from fault


def _against(base: str | None, method: str | None, *, keep: int = 20) -> Against:
    asked = Method(method) if method else None
    if base is None:
        return Against(limits=DatasetLimits(), purpose=Purpose(method=asked), keep=keep)
    row = plugs.catalogue(from_env()).base(base, today=datetime.now(UTC).date())
    purpose = Purpose(target=row.dataset, also=row.also_takes, method=asked)
    return Against(limits=row.limits_of(asked or Method.SUPERVISED), purpose=purpose, keep=keep)


def _linted(asked: Input, validation: str | None, against: Against) -> Linted:
    if validation is None:
        return Linted(file=asked.name, dataset=_surveyed(asked, against, against.purpose))
    learned = Learned()
    report = _surveyed(asked, against, msgspec.structs.replace(against.purpose, learned=learned))
    beside = msgspec.structs.replace(against, limits=against.limits.for_validation(report.rows))
    other = msgspec.structs.replace(asked, name=validation)
    purpose = msgspec.structs.replace(against.purpose, against=learned)
    return Linted(file=asked.name, dataset=report, validation_dataset=_surveyed(other, beside, purpose))


def _surveyed(asked: Input, against: Against, purpose: Purpose) -> DatasetReport:
    manner = Manner(name=asked.name, kind=asked.form.kind, columns=asked.form.columns, tables=plugs.tables)
    with stored(asked) as blocks:
        return survey(blocks, limits=against.limits, keep=against.keep, purpose=purpose, manner=manner)


def _fixed(asked: Input, name: str, against: Against, *, drop_bad: bool) -> Fixed:
    with opened(asked) as read, written(name) as copy:

        def faults() -> list[Placed]:
            if read.broken is not None:
                raise Unreadable(f"No corrected copy was written: {issue(*read.broken).text}")
            return read.faults()

        fixer = Fixer(
            copy.write,
            limits=against.limits,
            drop_bad=drop_bad,
            keep=against.keep,
            line_of=read.line_of,
            faults=faults,
        )
        return fixer.fix(read.blocks)


def _tell(linted: Linted, validation: str | None, fixed_file: str | None) -> None:
    console = Console(soft_wrap=False, emoji=False)
    show_report(console, linted.file, linted.dataset)
    if linted.validation_dataset is not None:
        show_report(console, validation or "", linted.validation_dataset)
    if linted.fixed is not None:
        show_fixed(console, fixed_file or "", linted.fixed)
