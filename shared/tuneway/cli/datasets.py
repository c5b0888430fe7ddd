"""``tuneway datasets``: convert and split files of training examples, here on this machine."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, get_args

import click

from tuneway.cli.client import Failed, show
from tuneway.cli.dataset_files import STDOUT, Form, Input, check_apart, opened, readable, written
from tuneway.cli.datasets_lint import lint, preview
from tuneway.tuning.datasets.convert import Conversion
from tuneway.tuning.datasets.losses import NAMES
from tuneway.tuning.datasets.row_lines import RowLines
from tuneway.tuning.datasets.split import Division, Side, division, sides
from tuneway.tuning.datasets.ways import Target

PACKED = {".gz", ".gzip"}


@click.group()
def datasets() -> None:
    """Convert, split and check files of training examples; nothing is uploaded."""


@datasets.command()
@click.argument("source", metavar="IN")
@click.argument("destination", metavar="OUT")
@click.option("--to", "target", required=True, type=click.Choice(get_args(Target)), help="The form of the rows.")
@click.option("--drop", multiple=True, type=click.Choice(sorted(NAMES)), help="What may be lost; may be repeated.")
@readable
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON, and show no progress.")
def convert(
    form: Form,
    /,
    *,
    source: str,
    destination: str,
    target: Target,
    drop: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the rows of IN in another form to OUT ('-' prints them).

    IN and OUT are paths, gs:// or s3:// addresses; IN may also be https://. It may be JSONL, JSON, CSV, TSV or Parquet,
    packed with gzip or not. Exits with 1, and leaves no OUT, when a row cannot be written there without a loss that
    --drop does not allow.
    """
    check_apart(source, destination)
    asked = Input(name=source, form=form, quiet=as_json)
    with opened(asked) as read, written(destination) as file:
        conversion = Conversion(read, target, drop=drop)
        for block in conversion.blocks():
            file.write(block)
    told = {"output": destination, "form": target, "rows": conversion.rows, "lost": dict(conversion.lost)}
    _tell(told, as_json=as_json, plain=_converted(conversion, destination), on_stderr=destination == STDOUT)


@datasets.command()
@click.argument("source", metavar="IN")
@click.option("--validation", required=True, help="A share such as 0.1, or a number of rows such as 200.")
@click.option("--seed", default=0, show_default=True, help="The same seed splits the same way again.")
@click.option("--train-file", help="Where the training rows go; else beside IN.")
@click.option("--validation-file", help="Where the validation rows go; else beside IN.")
@click.option("--drop", multiple=True, type=click.Choice(["columns"]), help="What may be lost.")
@readable
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON, and show no progress.")
def split(  # noqa: PLR0913 - each argument is an option of the command line
    form: Form,
    /,
    *,
    source: str,
    validation: str,
    seed: int,
    train_file: str | None,
    validation_file: str | None,
    drop: tuple[str, ...],
    as_json: bool,
) -> None:
    """Split the rows of IN at random into training and validation rows, as JSONL; equal rows stay on one side.

    IN is read twice.
    """
    asked = Input(name=source, form=form, quiet=as_json)
    share, count = _wanted(validation)
    with opened(asked) as read:
        divided = division(RowLines(read, drop=drop).blocks(), seed=seed, share=share, count=count)
    places: dict[Side, str] = {
        "train": train_file or _beside(source, "train"),
        "validation": validation_file or _beside(source, "validation"),
    }
    if places["train"] == places["validation"]:
        raise click.UsageError("Give --train-file and --validation-file different names.")
    check_apart(source, *places.values())
    _write_sides(asked, divided, places, drop=drop)
    counts: dict[Side, int] = {"train": divided.train, "validation": divided.validation}
    told: dict[str, object] = {side: {"output": place, "rows": counts[side]} for side, place in places.items()}
    lines = [f"{counts[side]:,} rows for {side} in {place}" for side, place in places.items()]
    _tell({"seed": seed} | told, as_json=as_json, plain="\n".join(lines))


def _write_sides(asked: Input, divided: Division, places: dict[Side, str], *, drop: tuple[str, ...]) -> None:
    written_rows: dict[Side, int] = {"train": 0, "validation": 0}
    with ExitStack() as stack:
        read = stack.enter_context(opened(asked))
        files: dict[Side, IO[bytes]] = {side: stack.enter_context(written(name)) for side, name in places.items()}
        for side, row in sides(RowLines(read, drop=drop).blocks(), divided):
            files[side].write(row)
            written_rows[side] += 1
        if written_rows != {"train": divided.train, "validation": divided.validation}:
            raise Failed(f"{asked.name} changed while it was split. Split it again.")


def _wanted(validation: str) -> tuple[float | None, int | None]:
    """A share or a number of rows."""
    read: tuple[Callable[[str], float | int], ...] = (int, float)
    for number in read:
        try:
            found = number(validation)
        except ValueError:
            continue
        return (None, found) if isinstance(found, int) else (found, None)
    raise click.UsageError("--validation is a share such as 0.1, or a number of rows such as 200.")


def _beside(source: str, side: Side) -> str:
    """``rows.csv.gz`` → ``rows.train.jsonl``; what comes from elsewhere goes into this folder."""
    path = Path(source.rpartition("?")[0] or source)
    path = Path(path.name) if "://" in source else path
    path = path.with_suffix("") if path.suffix in PACKED else path
    return str(path.with_name(f"{path.stem}.{side}.jsonl"))


def _converted(conversion: Conversion, destination: str) -> str:
    lost = ", ".join(f"{NAMES[name]} ({count:,})" for name, count in sorted(conversion.lost.items()))
    return f"{conversion.rows:,} rows in {destination}" + (f"; lost: {lost}" if lost else "")


def _tell(told: object, *, as_json: bool, plain: str, on_stderr: bool = False) -> None:
    if as_json and not on_stderr:
        show(told)
    else:
        click.echo(plain, err=on_stderr)


datasets.add_command(lint)
datasets.add_command(preview)
