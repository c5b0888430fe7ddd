"""The command line: ``tuneway COMMAND``."""

import click
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


class Commands(click.Group):
    """A group whose commands say in one line what went wrong, and exit with 1."""

    @override
    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TunewayError as fault:
            raise click.ClickException(fault.message) from fault


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tuneway")
def main() -> None:
    """Fine-tune, deploy, route and call models in your own cloud account."""


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
