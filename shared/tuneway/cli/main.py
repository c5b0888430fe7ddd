"""The command line: ``tuneway COMMAND``."""

from copy import copy

import click
import msgspec
from typing_extensions import override

from tuneway.cli import lineage, registered, resting, retunes
from tuneway.cli.canary import canary
from tuneway.cli.chat import chat
from tuneway.cli.checkpoints import checkpoints
from tuneway.cli.compare import compare
from tuneway.cli.datasets import datasets
from tuneway.cli.demo import demo
from tuneway.cli.deploy.command import deploy
from tuneway.cli.deployments import deployments
from tuneway.cli.estimates import estimate
from tuneway.cli.following import watch
from tuneway.cli.jobs import jobs
from tuneway.cli.jobs_create import create
from tuneway.cli.keys import keys
from tuneway.cli.local import package, simulate, up
from tuneway.cli.models import bases
from tuneway.cli.retiring import retiring
from tuneway.cli.routes import models, routes
from tuneway.cli.sweeps import sweeps
from tuneway.cli.usage import usage
from tuneway.errors import TunewayError

INTERRUPTED = 130
UNREAD = "The answer has another form than this version of the command line knows:"


class Commands(click.Group):
    """A group whose commands say in one line what went wrong, and exit with 1; with 130 after Ctrl-C."""

    @override
    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TunewayError as fault:
            raise click.ClickException(fault.message) from fault
        except msgspec.ValidationError as fault:
            raise click.ClickException(f"{UNREAD} {fault}.") from fault
        except BrokenPipeError:
            raise  # who read has read enough: click ends in silence
        except OSError as fault:
            place = f"{fault.filename}: " if fault.filename else ""
            raise click.ClickException(f"{place}{fault.strerror or fault}.") from fault
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tuneway")
def main() -> None:
    """Fine-tune, deploy, route and call models in your own cloud account."""


def _also_called(group: click.Group, name: str, *, of: str) -> None:
    """Let a command be called by another name, too, which no help tells."""
    other = copy(group.commands[of])
    other.hidden = True
    group.add_command(other, name)


for command in (bases, retiring, *registered.COMMANDS, *lineage.COMMANDS, *retunes.COMMANDS):
    models.add_command(command)
routes.add_command(canary)
for command in resting.COMMANDS:
    deployments.add_command(command)
for command in (create, estimate, watch, compare, checkpoints):
    jobs.add_command(command)
for command in (
    up,
    simulate,
    demo,
    chat,
    jobs,
    sweeps,
    datasets,
    models,
    deployments,
    routes,
    keys,
    usage,
    package,
    deploy,
):
    main.add_command(command)
for group, name, of in ((jobs, "get", "show"), (routes, "remove", "delete"), (keys, "delete", "revoke")):
    _also_called(group, name, of=of)
