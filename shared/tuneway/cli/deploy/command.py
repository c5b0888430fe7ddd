"""``tuneway deploy``: package, show what will change, apply; or ``--check`` an installation that is there."""

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
import msgspec

from tuneway.cli.deploy.applying import apply, find_gcloud, run
from tuneway.cli.deploy.checking import Proof, checked
from tuneway.cli.deploy.installation import installation, variables
from tuneway.cli.deploy.live import Live
from tuneway.cli.deploy.plan import plan
from tuneway.cli.deploy.script import script, shown
from tuneway.cli.deploy.steps import Part, Step
from tuneway.cli.deploy.tables import INFRA, tables
from tuneway.cli.deploy.terraform import deployed, find_installation, find_terraform
from tuneway.errors import BadInput
from tuneway.local import bundles, manifest

DIST = manifest.ROOT / "dist"
MINIMAL = INFRA / "examples" / "minimal"
NEXT = """Deployed. The first key, shown once:  tuneway keys first --project {project}
Then prove it:                        tuneway deploy --check <predict's URL> --key <that key>"""
FOLDER = click.Path(file_okay=False, path_type=Path)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for, beside how."""

    project: str | None
    region: str | None
    texts: tuple[str, ...]
    infra: Path
    dist: Path
    packaged: bool
    yes: bool
    dry_run: bool


@click.command()
@click.option("--project", help="The Google Cloud project to deploy to.")
@click.option("--region", help="Where everything runs and lies [us-central1].")
@click.option(
    "--with", "means", default="terraform", show_default=True, type=click.Choice(["terraform", "gcloud"]), help="How."
)
@click.option("--infra", default=MINIMAL, type=FOLDER, help="Terraform's folder [infra/examples/minimal].")
@click.option("--to", "dist", default=DIST, type=FOLDER, help="Where the bundles are written [dist].")
@click.option("--packaged", is_flag=True, help="Take the bundles that are there, as 'tuneway package' made them.")
@click.option("-var", "texts", multiple=True, metavar="NAME=VALUE", help="A variable of infra/. Repeatable.")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--dry-run", is_flag=True, help="Show Terraform's plan, or print the commands as a shell script.")
@click.option("--check", "url", metavar="URL", help="Prove the installation whose predict function answers there.")
@click.option("--key", envvar="TUNEWAY_API_KEY", help="An admin's key, for --check [env: TUNEWAY_API_KEY].")
@click.option("--model", help="The model for --check to call; else the first that can be seen.")
@click.option("--door", "doors", multiple=True, metavar="FUNCTION=URL", help="Where a function answers. Repeatable.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="Sent with each call of --check.")
@click.option(
    "--patience", default=130.0, show_default=True, help="Seconds that --check waits for a message, and for a beat."
)
@click.option("--json", "as_json", is_flag=True, help="Print what --check finds as JSON.")
def deploy(*, url: str | None, means: str, **options: object) -> None:
    """Bring a project to what this checkout says; with --check, prove that an installation works."""
    check_checkout(manifest.ROOT)
    if url is not None:
        sys.exit(_proven(url, options))
    asked = msgspec.convert(options, Asked)
    if asked.project is None:
        raise BadInput("Which project? Give --project, or --check URL to prove an installation.", param="project")
    {"terraform": _by_terraform, "gcloud": _by_gcloud}[means](asked, asked.project)


def check_checkout(root: Path) -> None:
    """Whether this is a checkout: an installed package has no functions to deploy. Raises BadInput."""
    if not (root / "functions" / "manifest.yaml").is_file() or not (root / "infra").is_dir():
        raise BadInput(
            f"{root} is no checkout of tuneway, which holds functions/ and infra/. Clone it, and run it there."
        )


def _proven(url: str, options: Mapping[str, object]) -> int:
    live = Live(
        url,
        msgspec.convert(options["key"], str | None),
        doors=_named(options["doors"], "--door"),
        headers=_named(options["headers"], "--header"),
    )
    try:
        return checked(live, msgspec.convert(options, Proof))
    finally:
        live.close()


def _by_terraform(asked: Asked, project: str) -> None:
    find_terraform()
    find_installation(asked.infra)
    given = variables(asked.texts) | {"project": project} | ({"region": asked.region} if asked.region else {})
    # Terraform looks into dist/ by itself; a folder that names no bundles knows no such variable.
    given |= {"bundles": str(asked.dist.absolute())} if asked.dist != DIST else {}
    _package(asked)
    agreed = None if asked.dry_run else partial(_agreed, asked)
    if code := deployed(asked.infra, given, agreed=agreed):
        sys.exit(code)
    if not asked.dry_run:
        click.echo(NEXT.format(project=project))


def _by_gcloud(asked: Asked, project: str) -> None:
    made = installation(project, asked.region, variables(asked.texts))
    if not asked.dry_run:
        find_gcloud()
    _package(asked)
    parts = plan(made, manifest.load(), tables=tables(), folder=asked.dist.absolute())
    if asked.dry_run:
        click.echo(script(parts), nl=False)
        return
    click.echo("\n".join(_told(part) for part in parts))
    if _agreed(asked):
        apply(parts, run=run, tell=click.echo, sleep=time.sleep)
        click.echo(NEXT.format(project=project))


def _package(asked: Asked) -> None:
    """Write the bundles, as ``tuneway package`` does, or see that they are there. Raises BadInput."""
    if not asked.packaged:
        for path in bundles.bundle_all(asked.dist):
            click.echo(f"packaged {path}", err=True)
    missing = [name for name in manifest.load().functions if not (asked.dist / f"{name}.zip").is_file()]
    if missing:
        raise BadInput(f"{asked.dist} has no bundle of {', '.join(missing)}. Leave --packaged out.", param="packaged")


def _agreed(asked: Asked) -> bool:
    """True; who does not agree ends the command, with exit code 1."""
    return asked.yes or click.confirm("Apply this?", default=False, abort=True)


def _told(part: Part) -> str:
    """A step of the plan; what is there already is updated, or left as it is."""
    if not isinstance(part, Step):
        return f"write {part.path}"
    return shown(part.make) + (f"\n  or, where it is there: {shown(part.change)}" if part.change else "")


def _named(texts: object, option: str) -> dict[str, str]:
    found = msgspec.convert(texts, tuple[str, ...])
    for text in found:
        if "=" not in text:
            raise BadInput(f"{option} is NAME=VALUE, not '{text[:80]}'.", param=option.removeprefix("--"))
    return {name: value for name, _, value in (text.partition("=") for text in found)}
