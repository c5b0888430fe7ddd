"""``tuneway jobs create``: one job, or all jobs of a file, once however often it is run."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.dataset_files import columned, columns, columns_of
from tuneway.cli.estimates import PATH as ESTIMATES
from tuneway.cli.estimates import Answer, by_name
from tuneway.cli.jobs_file import DATASETS, Job, read
from tuneway.cli.options import connected
from tuneway.cli.uploads import Uploads, once
from tuneway.cli.watch import JobView
from tuneway.tuning.datasets.kinds import Columns

PATH = "/v1/fine_tuning/jobs"
ESTIMATED = ("model", "hyperparameters", "method")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

METHODS = ("supervised", "dpo")  # what needs no more words than its name
COLUMNS = ("prompt_column", "completion_column", "system_column")
OPTIONS = {"validation_file": "--validation", "max_cost_usd": "--max-cost"}  # named otherwise in the body
WORDED = {"epochs", "method", *COLUMNS}  # options that the body says in another way

Given = str | int | float | None


@click.command()
@click.argument("model", required=False)
@click.argument("dataset", required=False)
@click.option("--file", "-f", "file", type=FILE, help="A YAML file of jobs; running it twice makes no second jobs.")
@click.option("--suffix", help="A part of the tuned model's name.")
@click.option("--epochs", type=int, help="1 to 10; automatic when left out.")
@click.option("--validation", "validation_file", help="A validation file, named like DATASET.")
@click.option("--method", type=click.Choice(METHODS), help="How; supervised when left out.")
@columned
@click.option(
    "--max-cost", "max_cost_usd", type=float, help="USD: above it, the job waits for an approval; it stops there, too."
)
@click.option("--dry-run", is_flag=True, help="Say what it would cost; create nothing, send no file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def create(
    client: Client,
    /,
    model: str | None,
    dataset: str | None,
    *,
    file: Path | None,
    dry_run: bool,
    as_json: bool,
    **given: Given,
) -> None:
    """Tune MODEL on DATASET: a local file, a file id, or gs://bucket/path. MODEL may be a tuned one (ft:…).

    Or create all jobs of a file with -f.
    """
    jobs = _of_file(file, model, given) if file is not None else [_of_words(model, dataset, given)]
    if dry_run:
        _estimate(client, jobs, as_json=as_json)
    elif file is None and not as_json:
        click.echo(_created(client, jobs[0], Uploads(client))["id"])
    else:
        _create(client, jobs, as_json=as_json)


def _of_file(file: Path, model: str | None, given: Mapping[str, Given]) -> list[Job]:
    if model is not None:
        raise click.UsageError("Name either MODEL and DATASET or a file of jobs.")
    if beside := [OPTIONS.get(name, f"--{name.replace('_', '-')}") for name in given if given[name] is not None]:
        said = f"{', '.join(sorted(beside))} would change nothing beside a file of jobs"
        raise click.UsageError(f"{said}. Say it there, for all of them under 'defaults:'.")
    found = read(file)
    for note in found.notes:
        click.echo(note, err=True)
    return list(found.jobs)


def _of_words(model: str | None, dataset: str | None, given: dict[str, Given]) -> Job:
    if model is None or dataset is None:
        raise click.UsageError("Name MODEL and DATASET, or a file of jobs with -f.")
    own: dict[str, object] = {name: value for name, value in given.items() if value is not None and name not in WORDED}
    if given["method"] is not None:
        own["method"] = {"type": given["method"]}
    if named := _columns(given):
        own["columns"] = msgspec.to_builtins(named)
    epochs = {"n_epochs": given["epochs"] or "auto"}
    return Job(body={"model": model, "training_file": dataset, "hyperparameters": epochs, **own}, key="")


def _columns(given: dict[str, Given]) -> Columns | None:
    prompt, completion, system = (None if given[name] is None else str(given[name]) for name in COLUMNS)
    return columns(prompt, completion, system)


def _created(client: Client, job: Job, uploads: Uploads) -> dict[str, object]:
    files = {name: uploads.name(str(job.body[name])) for name in DATASETS if job.body.get(name) is not None}
    headers = {"Idempotency-Key": job.key} if job.key else None
    with once():
        return client.call("POST", PATH, {**job.body, **files}, headers=headers)


def _create(client: Client, jobs: Iterable[Job], *, as_json: bool) -> None:
    """One after the other; what was created stays when a later one is refused, and is found again next time."""
    uploads, done = Uploads(client), list[dict[str, object]]()
    fault: Failed | None = None
    for n, job in enumerate(jobs):
        try:
            done.append(_created(client, job, uploads))
        except Failed as refused:
            fault = Failed(f"Job {n + 1} ({job.body['model']}): {refused.message}")
            break
    if as_json:
        show(done)
    else:
        Console(soft_wrap=False, emoji=False).print(_table(msgspec.convert(done, list[JobView])))
    if fault is not None:
        raise fault


def _estimate(client: Client, jobs: Iterable[Job], *, as_json: bool) -> None:
    named = cache(by_name)  # the rows of a local file are counted once
    answers: list[dict[str, object]] = []
    for job in jobs:
        rows = named(str(job.body["training_file"]), columns=columns_of(job.body.get("columns")))
        body = {name: job.body[name] for name in ESTIMATED if job.body.get(name) is not None}
        answers.append(client.call("POST", ESTIMATES, {**body, **rows}))
    if as_json:
        show(answers)
        return
    Console(soft_wrap=False, emoji=False).print(_estimates(msgspec.convert(answers, list[Answer])))


def _table(jobs: Iterable[JobView]) -> Table:
    table = Table("JOB", "STATUS", "MODEL", box=None, pad_edge=False)
    for job in jobs:
        table.add_row(job.id, job.word, job.model)
    return table


def _estimates(answers: Iterable[Answer]) -> Table:
    table = Table("MODEL", "TOKENS", "EPOCHS", "USD", "PRICE", box=None, pad_edge=False)
    for each in answers:
        tokens = f"{each.tokens_low:,} to {each.tokens_high:,}"
        usd = f"{each.amount or 'unknown'}{' (stand-in)' if each.stand_in else ''}"
        table.add_row(each.model, tokens, str(each.epochs), usd, each.label)
    return table
