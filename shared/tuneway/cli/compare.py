"""``tuneway jobs compare``: jobs side by side, what differs between them marked."""

from collections.abc import Sequence
from datetime import timedelta

import click
import msgspec

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected

PATH = "/v1/fine_tuning/jobs"
LEAST = 2
NONE = "-"


class Dataset(msgspec.Struct, frozen=True):
    """What the lint counted."""

    rows: int = 0
    sha256: str = ""


class Losses(msgspec.Struct, frozen=True):
    """The last losses."""

    train_loss: float | None = None
    valid_loss: float | None = None


class Cost(msgspec.Struct, frozen=True):
    """What it did cost, or may."""

    usd: float | None = None
    usd_low: float | None = None
    usd_high: float | None = None
    stand_in: bool = False


class Ours(msgspec.Struct, frozen=True):
    """What tuneway says beyond OpenAI's fields."""

    status: str
    backend: str = ""
    method: str = ""
    tuning_mode: str | None = None
    dataset: Dataset | None = None
    validation_dataset: Dataset | None = None
    final_loss: Losses | None = None
    actual_cost: Cost | None = None
    estimate: Cost | None = None


class Compared(msgspec.Struct, frozen=True):
    """A job as far as it is compared."""

    id: str
    model: str
    status: str
    created_at: int
    training_file: str
    hyperparameters: dict[str, object]
    tuneway: Ours
    validation_file: str | None = None
    finished_at: int | None = None
    trained_tokens: int | None = None
    fine_tuned_model: str | None = None


@click.command()
@click.argument("job_ids", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def compare(client: Client, job_ids: tuple[str, ...], *, as_json: bool) -> None:
    """Show jobs side by side: hyperparameters, dataset, losses, cost and duration; ``*`` marks what differs."""
    ids = list(dict.fromkeys(job_ids))
    if len(ids) < LEAST:
        raise Failed("Name two jobs or more.")
    jobs = [msgspec.convert(client.call("GET", f"{PATH}/{id_}"), Compared) for id_ in ids]
    rows = comparison(jobs)
    if as_json:
        show(
            {
                "jobs": ids,
                "rows": [{"name": name, "values": values, "differs": _differs(values)} for name, values in rows],
            }
        )
        return
    click.echo(aligned(("", "", *ids), [("*" if _differs(values) else "", name, *values) for name, values in rows]))


def comparison(jobs: Sequence[Compared]) -> list[tuple[str, list[str]]]:
    """The rows: a name, and what each job says to it. What no job says anything to is left out."""
    names = list(dict.fromkeys(name for job in jobs for name in job.hyperparameters))
    rows = [
        ("status", [job.tuneway.status for job in jobs]),
        ("model", [job.model for job in jobs]),
        ("backend", [job.tuneway.backend for job in jobs]),
        ("method", [job.tuneway.method for job in jobs]),
        ("tuning mode", [job.tuneway.tuning_mode or NONE for job in jobs]),
        *((name, [_number(job.hyperparameters.get(name)) for job in jobs]) for name in names),
        ("training file", [job.training_file for job in jobs]),
        ("training rows", [_dataset(job.tuneway.dataset) for job in jobs]),
        ("validation file", [job.validation_file or NONE for job in jobs]),
        ("validation rows", [_dataset(job.tuneway.validation_dataset) for job in jobs]),
        ("trained tokens", [f"{job.trained_tokens:,}" if job.trained_tokens else NONE for job in jobs]),
        ("training loss", [_loss(job, "train_loss") for job in jobs]),
        ("validation loss", [_loss(job, "valid_loss") for job in jobs]),
        ("cost (USD)", [_cost(job) for job in jobs]),
        ("duration", [_duration(job) for job in jobs]),
        ("tuned model", [job.fine_tuned_model or NONE for job in jobs]),
    ]
    return [(name, values) for name, values in rows if set(values) - {NONE, "", "auto"}]


def _differs(values: Sequence[str]) -> bool:
    return len(set(values)) > 1


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(NONE if value is None else value)


def _dataset(found: Dataset | None) -> str:
    return NONE if found is None else f"{found.rows:,} ({found.sha256[:8]})"


def _loss(job: Compared, name: str) -> str:
    value: float | None = getattr(job.tuneway.final_loss, name, None)
    if value is not None:
        return f"{value:.4g}"
    return "not told" if job.status == "succeeded" else NONE


def _cost(job: Compared) -> str:
    actual, estimate = job.tuneway.actual_cost, job.tuneway.estimate
    if actual is not None and actual.usd is not None:
        return f"{actual.usd:.2f}"
    if estimate is None or estimate.usd_low is None or estimate.usd_high is None:
        return NONE
    return f"~{estimate.usd_low:.2f} to {estimate.usd_high:.2f}{' (stand-in)' if estimate.stand_in else ''}"


def _duration(job: Compared) -> str:
    return NONE if job.finished_at is None else str(timedelta(seconds=job.finished_at - job.created_at))
