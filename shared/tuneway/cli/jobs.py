"""``tuneway jobs``: create, list, look at, watch and cancel tuning jobs."""

from pathlib import Path

import click

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.options import connected
from tuneway.cli.watch import watch as watch_job

PATH = "/v1/fine_tuning/jobs"


@click.group()
def jobs() -> None:
    """Create, list, look at, watch and cancel tuning jobs."""


@jobs.command()
@click.argument("model")
@click.argument("dataset")
@click.option("--suffix", help="A part of the tuned model's name.")
@click.option("--epochs", type=int, help="1 to 10; automatic when left out.")
@connected
def create(client: Client, model: str, dataset: str, *, suffix: str | None, epochs: int | None) -> None:
    """Tune MODEL on DATASET: a local JSONL file, a file id, or gs://bucket/path."""
    path = Path(dataset)
    if path.is_file():
        with path.open("rb") as content:
            dataset = str(client.upload("/v1/files", file=(path.name, content), purpose="fine-tune")["id"])
    hyperparameters = {"n_epochs": epochs or "auto"}
    body = {"model": model, "training_file": dataset, "suffix": suffix, "hyperparameters": hyperparameters}
    click.echo(client.call("POST", PATH, body)["id"])


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def list_(client: Client, *, as_json: bool) -> None:
    """Show the newest jobs."""
    found = client.rows(PATH)
    if as_json:
        show(found)
        return
    for job in found:
        click.echo(f"{job['id']}  {job['status']:<16}  {job['model']}  {job['fine_tuned_model'] or ''}")


@jobs.command()
@click.argument("job_id")
@connected
def get(client: Client, job_id: str) -> None:
    """Show one job as JSON."""
    show(client.call("GET", f"{PATH}/{job_id}"))


@jobs.command()
@click.argument("job_id")
@connected
def events(client: Client, job_id: str) -> None:
    """Show a job's history, oldest first."""
    for event in reversed(client.rows(f"{PATH}/{job_id}/events?limit=100")):
        click.echo(f"{event['level']:<5}  {event['message']}")


@jobs.command()
@click.argument("job_id")
@connected
def watch(client: Client, job_id: str) -> None:
    """Follow a job to its end with a progress bar; exits with 1 when it does not succeed."""
    job = watch_job(client, job_id)
    if job.status != "succeeded":
        raise Failed(f"The job has {job.status}: {job.error.message if job.error else ''}")
    click.echo(job.fine_tuned_model)


@jobs.command()
@click.argument("job_id")
@connected
def cancel(client: Client, job_id: str) -> None:
    """End a job."""
    click.echo(client.call("POST", f"{PATH}/{job_id}/cancel")["status"])
