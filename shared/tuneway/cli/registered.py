"""``tuneway models``: what is registered, its labels, version aliases, and what is offered no more."""

from urllib.parse import quote, urlencode

import click
import msgspec

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.columns import aligned
from tuneway.cli.options import connected, told

MODELS = "/v1/registry/models"
PAGE = 100
HEAD = ("MODEL", "BASE", "ALIAS")
VERSIONS = ("VERSION", "STATE", "ALIASES", "JOB", "DATASET", "LABELS")
ALIASES = ("ALIAS", "VERSION", "NAME")
DEFAULT = "default"
DATASET_DIGITS = 12


class Words(msgspec.Struct, frozen=True):
    """Of a model or a version, what is edited here."""

    revision: int
    labels: dict[str, str] = {}


class VersionRow(msgspec.Struct, frozen=True):
    """A version as far as the table shows it."""

    number: str
    state: str
    job: str = ""
    dataset_sha256: str = ""
    resource: str = ""
    aliases: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class AliasRow(msgspec.Struct, frozen=True):
    """An alias and the name that calls it."""

    alias: str
    version: str
    name: str


def _say_versions(found: list[dict[str, object]]) -> None:
    rows = msgspec.convert(found, list[VersionRow])
    click.echo(aligned(VERSIONS, [_version_row(row) for row in rows]))


def _say_aliases(found: dict[str, object]) -> None:
    rows = msgspec.convert(found["data"], list[AliasRow])
    click.echo(aligned(ALIASES, [(row.alias, row.version, row.name) for row in rows]))


def _say_state(answer: dict[str, object]) -> None:
    word = "deleted" if answer.get("deleted") else answer["state"]
    name = f"{answer['model']}@{answer['number']}" if "number" in answer else answer["id"]
    click.echo(f"{name} is {word}.")


def _say_labels(after: dict[str, object]) -> None:
    click.echo(_labels(msgspec.convert(after, Words).labels) or "No labels.")


def _say_description(after: dict[str, object]) -> None:
    click.echo(after.get("description") or "No description.")


def _say_uses(found: list[dict[str, object]]) -> None:
    rows = [(str(use["kind"]), str(use["name"]), str(use["version"])) for use in found]
    click.echo(aligned(("USE", "NAME", "VERSION"), rows) if rows else "Nothing uses it.")


def _version_row(row: VersionRow) -> tuple[str, ...]:
    dataset = row.dataset_sha256[:DATASET_DIGITS] or "-"
    return row.number, row.state, ",".join(row.aliases) or "-", row.job or "-", dataset, _labels(row.labels) or "-"


@click.command("registered")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only those that bear it; repeatable.")
@click.option("--archived", is_flag=True, help="Also those that are archived.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def registered(client: Client, *, labels: tuple[str, ...], archived: bool, as_json: bool) -> None:
    """Show the registered models: what finished jobs made, and what was registered by hand."""
    given = {"label": ",".join(f"{key}:{value}" for key, value in _pairs(labels).items()), "archived": archived or ""}
    found = _every(client, {name: str(value).lower() for name, value in given.items() if value})
    if as_json:
        show(found)
        return
    rows = [(str(model["id"]), str(model["base_model"]), str(model.get("alias") or "-")) for model in found]
    click.echo(aligned(HEAD, rows))


@click.command("show")
@click.argument("model")
@connected
@told(show)
def show_model(client: Client, model: str) -> dict[str, object]:
    """Show the registered MODEL with its versions and checkpoints, as JSON; MODEL@VERSION shows one version."""
    found = client.call("GET", path_of(model))
    return found if "@" in model else {**found, "versions": client.rows(f"{path_of(model)}/versions")}


@click.command("versions")
@click.argument("model")
@connected
@told(_say_versions)
def versions(client: Client, model: str) -> list[dict[str, object]]:
    """Show the versions of MODEL, oldest first."""
    return client.rows(f"{path_of(model)}/versions")


@click.command()
@click.argument("name", required=False)
@click.option("--job", help="The finished job that made it.")
@click.option("--endpoint", help="What is served elsewhere: any identifier, such as azure/gpt-5, or a route's alias.")
@click.option("--vertex", help="A model of Vertex AI: projects/…/locations/…/models/….")
@click.option("--base-model", help="What it was made from, if that is not known.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label; repeatable.")
@click.option("--description", help="What it is for.")
@click.option("--owner", help="Whose it is, where that is not you.")
@click.option("--shared", is_flag=True, help="Every tenant may call it.")
@connected
@told(show)
def register(
    client: Client, /, name: str | None, labels: tuple[str, ...], **options: str | bool | None
) -> dict[str, object]:
    """Register a model as NAME, or the next version of the one that has that name. The answer is JSON."""
    said: dict[str, object] = {"name": name, "labels": _pairs(labels) or None, **options}
    return client.call("POST", MODELS, {key: value for key, value in said.items() if value not in (None, False)})


@click.command()
@click.argument("model")
@click.argument("labels", nargs=-1, required=True, metavar="KEY=VALUE… KEY-…")
@connected
@told(_say_labels)
def label(client: Client, model: str, labels: tuple[str, ...]) -> dict[str, object]:
    """Give MODEL or MODEL@VERSION labels, or take them away (KEY-); the others stay."""
    gone = {each.removesuffix("-") for each in labels if each.endswith("-") and "=" not in each}
    new = _pairs(tuple(each for each in labels if not (each.endswith("-") and "=" not in each)))
    before = msgspec.convert(client.call("GET", path_of(model)), Words)
    kept = {key: value for key, value in before.labels.items() if key not in gone}
    return client.call("PATCH", path_of(model), {"labels": {**kept, **new}, "revision": before.revision})


@click.command()
@click.argument("model")
@click.argument("text")
@connected
@told(_say_description)
def describe(client: Client, model: str, text: str) -> dict[str, object]:
    """Say what MODEL or MODEL@VERSION is for."""
    return client.call("PATCH", path_of(model), {"description": text})


@click.command("alias")
@click.argument("model")
@click.argument("alias")
@click.argument("version")
@click.option("--was", help="The version that must have it now, or 'none': else nothing is moved.")
@connected
@told(_say_aliases)
def point(client: Client, /, model: str, *, alias: str, version: str, was: str | None) -> dict[str, object]:
    """Have MODEL@ALIAS lead to VERSION (a number or another alias): calls go there from then on."""
    expected = {} if was is None else {"was": None if was == "none" else was}
    client.call("PUT", f"{path_of(model)}/aliases/{quote(alias, safe='')}", {"version": version, **expected})
    return client.call("GET", f"{path_of(model)}/aliases")


@click.command()
@click.argument("model")
@click.argument("alias")
@connected
@told(_say_aliases)
def unalias(client: Client, model: str, alias: str) -> dict[str, object]:
    """Take ALIAS away from MODEL: nobody can call MODEL@ALIAS from then on."""
    client.call("DELETE", f"{path_of(model)}/aliases/{quote(alias, safe='')}")
    return client.call("GET", f"{path_of(model)}/aliases")


@click.command()
@click.argument("model")
@connected
@told(_say_aliases)
def aliases(client: Client, model: str) -> dict[str, object]:
    """Show the aliases of MODEL and the names that call them; --json also shows their moves."""
    return client.call("GET", f"{path_of(model)}/aliases")


@click.command()
@click.argument("model")
@connected
@told(_say_state)
def archive(client: Client, model: str) -> dict[str, object]:
    """Offer MODEL or MODEL@VERSION no more; what calls it goes on."""
    return client.call("POST", f"{path_of(model)}/archive")


@click.command()
@click.argument("model")
@connected
@told(_say_state)
def restore(client: Client, model: str) -> dict[str, object]:
    """Offer MODEL or MODEL@VERSION again."""
    return client.call("POST", f"{path_of(model)}/restore")


@click.command()
@click.argument("model")
@connected
@told(_say_uses)
def uses(client: Client, model: str) -> list[dict[str, object]]:
    """Show what uses MODEL or MODEL@VERSION: routes, aliases, deployments, jobs and sweeps."""
    return client.rows(f"{path_of(model)}/uses")


@click.command()
@click.argument("model")
@click.option("--force", is_flag=True, help="Its own routes and aliases go with it.")
@connected
@told(_say_state)
def delete(client: Client, model: str, *, force: bool) -> dict[str, object]:
    """Take MODEL or MODEL@VERSION out of the registry, when nothing uses it."""
    return client.call("DELETE", path_of(model) + ("?force=true" if force else ""))


def path_of(model: str, *, version: str | None = None) -> str:
    """Where MODEL, or one version of it, is found; ``version`` stands in where none is named."""
    id_, _, named = model.partition("@")
    number = named or version
    return f"{MODELS}/{quote(id_, safe='')}" + (f"/versions/{quote(number, safe='')}" if number else "")


def _every(client: Client, query: dict[str, str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while True:
        after = {"after": str(found[-1]["id"])} if found else {}
        page = client.rows(f"{MODELS}?{urlencode({'limit': str(PAGE), **query, **after})}")
        found += page
        if len(page) < PAGE:
            return found


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if wrong := [key for key, equals, _ in pairs if not equals]:
        raise Failed(f"'{wrong[0]}' is no label: write KEY=VALUE.")
    return {key: value for key, _, value in pairs}


COMMANDS = (
    registered,
    show_model,
    versions,
    register,
    label,
    describe,
    point,
    unalias,
    aliases,
    archive,
    restore,
    uses,
    delete,
)
