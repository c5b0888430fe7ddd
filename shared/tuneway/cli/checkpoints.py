"""``tuneway jobs checkpoints``: the saved points of a job, and the names to call them by or to go on from."""

import click
import msgspec

from tuneway.cli.client import Client, show
from tuneway.cli.columns import aligned
from tuneway.cli.jobs import PATH, every
from tuneway.cli.options import connected

HEAD = ("CHECKPOINT", "STEP", "EPOCH", "TRAIN LOSS", "VALID LOSS", "MODEL")


class Metrics(msgspec.Struct, frozen=True):
    """The losses at it, as far as the provider tells them."""

    train_loss: float | None = None
    valid_loss: float | None = None


class Extras(msgspec.Struct, frozen=True):
    """What tuneway says beyond OpenAI's fields."""

    checkpoint: str
    epoch: int


class CheckpointView(msgspec.Struct, frozen=True):
    """A checkpoint as the API shows it."""

    step_number: int
    fine_tuned_model_checkpoint: str
    metrics: Metrics
    tuneway: Extras


@click.command()
@click.argument("job_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def checkpoints(client: Client, job_id: str, *, as_json: bool) -> None:
    """Show what a job saved on its way, newest first: each MODEL can be given as the model of a further job."""
    found = every(client, f"{PATH}/{job_id}/checkpoints")
    if as_json:
        show(found)
        return
    views = msgspec.convert(found, list[CheckpointView])
    click.echo(aligned(HEAD, [_row(view) for view in views]) if views else f"Job {job_id} has no checkpoints (yet).")


def _row(view: CheckpointView) -> tuple[str, ...]:
    losses = (view.metrics.train_loss, view.metrics.valid_loss)
    shown = ("-" if loss is None else f"{loss:.4g}" for loss in losses)
    own = view.tuneway
    return (own.checkpoint, str(view.step_number), str(own.epoch), *shown, view.fine_tuned_model_checkpoint)
