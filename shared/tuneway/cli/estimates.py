"""``tuneway jobs estimate``: what a tuning job would cost and how long it would take."""

from pathlib import Path

import click
import msgspec

from tuneway.adapters import plugs
from tuneway.cli.client import Client, Failed, show
from tuneway.cli.dataset_files import Form, Input, readable, stored
from tuneway.cli.options import connected
from tuneway.cli.uploads import elsewhere
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.survey import Manner, survey

PATH = "/v1/fine_tuning/estimates"
HOUR = 60  # minutes


Option = str | float | int | None


class Duration(msgspec.Struct, frozen=True):
    """How long training should take, in seconds."""

    seconds_low: float
    seconds_likely: float
    seconds_high: float
    basis: str


class Answer(msgspec.Struct, frozen=True):
    """The estimate as far as it is printed."""

    model: str
    tokens_low: int
    tokens_high: int
    tokens_basis: str
    epochs: int
    epochs_basis: str
    stand_in: bool
    label: str
    amount: str | None = None
    usd_low: float | None = None
    usd_high: float | None = None
    price_source: str | None = None
    price_as_of: str | None = None
    price_verified: bool = False
    duration: Duration | None = None
    notes: tuple[str, ...] = ()


@click.command()
@click.argument("model")
@click.argument("dataset", required=False)
@click.option("--size-mb", "training_file_size_mb", type=float, help="The size of the file in MB: a wide interval.")
@click.option("--tokens", type=int, help="The tokens of one epoch instead of a file.")
@click.option("--validation", "validation_file", help="A validation file (id or gs://), which is checked too.")
@click.option("--epochs", type=int, help="1 to 10; automatic when left out.")
@readable
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def estimate(
    client: Client,
    form: Form,
    /,
    *,
    model: str,
    dataset: str | None,
    epochs: int | None,
    as_json: bool,
    **given: Option,
) -> None:
    """Say what tuning MODEL on DATASET would cost: a local file, a file id, gs://, s3:// or https://.

    Nothing is tuned, and a local file is not sent anywhere: its tokens are counted here. It may be JSONL, JSON, CSV,
    TSV or Parquet, packed with gzip or not.
    """
    body: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if dataset is not None:
        body |= _named(Input(name=dataset, form=form, quiet=as_json))
    if epochs is not None:
        body |= {"hyperparameters": {"n_epochs": epochs}}
    answer = client.call("POST", PATH, {"model": model, **body})
    if as_json:
        show(answer)
        return
    told = msgspec.convert(answer, Answer)
    if dataset is not None and "tokens" in body:
        told = msgspec.structs.replace(told, tokens_basis=f"counted in {dataset} on this computer")
    for line in lines(told):
        click.echo(line)


def lines(answer: Answer) -> list[str]:
    """The estimate for people."""
    source = f" ({answer.price_source}, {answer.price_as_of})" if answer.price_source else ""
    said = [
        f"Model     {answer.model}",
        f"Tokens    {answer.tokens_low:,} to {answer.tokens_high:,} in all epochs ({answer.tokens_basis})",
        f"Epochs    {answer.epochs} ({answer.epochs_basis})",
        f"Cost      {answer.amount or 'unknown'}{' (stand-in)' if answer.stand_in else ''}",
        f"Price     {answer.label}{source}",
        f"Duration  {_duration(answer.duration)}",
    ]
    return [*said, *(f"Note      {note}" for note in answer.notes)]


def by_name(dataset: str, *, columns: Columns | None = None) -> dict[str, object]:
    """How an estimate is asked for a dataset: a local file by its tokens, counted here. Raises Failed."""
    return _named(Input(name=dataset, form=Form(columns=columns), quiet=True))


def _named(dataset: Input) -> dict[str, object]:
    if Path(dataset.name).is_file():
        return _counted(dataset)
    if dataset.form.kind is not None:
        raise click.UsageError("--from is for a file of this computer; another one's name or its bytes tell its kind.")
    return {"training_file": elsewhere(dataset.name)} | _columns(dataset.form.columns)


def _columns(named: Columns | None) -> dict[str, object]:
    return {} if named is None else {"columns": msgspec.to_builtins(named)}


def _counted(dataset: Input) -> dict[str, object]:
    manner = Manner(name=dataset.name, kind=dataset.form.kind, columns=dataset.form.columns, tables=plugs.tables)
    with stored(dataset) as blocks:
        report = survey(blocks, limits=DatasetLimits(), manner=manner)
    if not report.accepted:
        raise Failed(f"{dataset.name}: {report.summary}")
    if report.media_rows:
        click.echo(f"{report.media_rows:,} rows hold files, whose tokens are not counted: it is too low.", err=True)
    return {"tokens": {"low": report.tokens.low, "high": report.tokens.high}}


def _duration(found: Duration | None) -> str:
    if found is None:
        return "unknown: no past job of this base to go by"
    low, likely, high = (_clock(each) for each in (found.seconds_low, found.seconds_likely, found.seconds_high))
    return f"{low} to {high}, likely {likely} ({found.basis})"


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < HOUR else f"{minutes // HOUR} h {minutes % HOUR:02d} min"
