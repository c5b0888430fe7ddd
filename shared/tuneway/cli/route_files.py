"""``tuneway routes import`` and ``export``: LiteLLM's ``config.yaml``, with the files it includes."""

from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TextIO, cast

import click
import msgspec
import yaml
from typing_extensions import override

from tuneway.cli.client import Client, Failed, show
from tuneway.cli.options import connected
from tuneway.cli.yaml_files import content_of
from tuneway.routing.litellm.report import Fate, Line, mapping, sequence
from tuneway.routing.litellm_config import variables_in
from tuneway.settings import environment

PATH = "/v1/registry/routes"
MARKS = {Fate.TAKEN: "  ", Fate.TRANSLATED: "~ ", Fate.LEFT_OUT: "- ", Fate.REFUSED: "! "}
_DATE = "tag:yaml.org,2002:timestamp"
# What is a key goes nowhere: the server refers to it by its variable's name.
_KEYS = ("KEY", "SECRET", "TOKEN", "PASSWORD", "CREDENTIAL")


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    applied: bool
    report: tuple[Line, ...]
    routes: tuple[dict[str, object], ...]
    warnings: tuple[str, ...] = ()


class _Loader(yaml.SafeLoader):
    """YAML that leaves dates as they are written and takes no name twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the loader's own table, with one row less
        first: [(tag, pattern) for tag, pattern in rows if tag != _DATE]
        for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = [str(name) for name, count in Counter(map(str, names)).items() if count > 1]
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"'{twice[0]}' stands there twice: take one of them out", node.start_mark
            )
        return super().construct_mapping(node, deep)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the report, change nothing.")
@click.option("--partial", is_flag=True, help="Take what can be taken, although something is refused.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def import_routes(client: Client, /, file: Path, *, dry_run: bool, partial: bool, as_json: bool) -> None:
    """Import the models of a LiteLLM config.yaml as routes, all or none, with a report.

    Variables that it names for addresses and regions are read here; keys stay references.
    """
    config = loaded(file)
    body = {"config": config, "environment": known_variables(config, environment()), "partial": partial}
    answer = client.call("POST", f"{PATH}:import", {**body, "dry_run": True})
    rehearsed = msgspec.convert(answer, _Answer)
    refused = any(line.fate is Fate.REFUSED for line in rehearsed.report)
    if not dry_run and not (refused and not partial):
        answer = client.call("POST", f"{PATH}:import", body)
    show(answer) if as_json else _tell(msgspec.convert(answer, _Answer), dry_run=dry_run)
    if refused and not partial:
        raise click.exceptions.Exit(1)


@click.command("export")
@click.option(
    "--output", type=click.File("w", encoding="utf-8"), default="-", help="Where to write; here if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connected
def export_routes(client: Client, /, *, output: TextIO, as_json: bool) -> None:
    """Write all routes as a LiteLLM config.yaml, which imports as what it was."""
    config = client.call("GET", f"{PATH}:export")
    if as_json:
        show(config)
    else:
        yaml.safe_dump(config, output, sort_keys=False, allow_unicode=True)


def loaded(file: Path) -> dict[str, object]:
    """The configuration with the files it includes, each once: lists grow, all else is replaced. Raises Failed."""
    whole, waiting, seen = dict[str, object](), [file], set[Path]()
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        part = _read(path)
        named = part.pop("include", [])
        included = [named] if isinstance(named, str) else sequence(named) or []
        waiting += [path.parent / str(name) for name in included]
        whole = _merged(whole, part)
    return whole


def known_variables(config: object, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables to which the configuration refers, but for keys, which stay where they are."""
    named = {name for name in variables_in(config) if not any(word in name.upper() for word in _KEYS)}
    return {name: variables[name] for name in sorted(named) if name in variables}


def _read(path: Path) -> dict[str, object]:
    inside = mapping(content_of(path, _Loader))
    if inside is None:
        raise Failed(f"{path} is no LiteLLM configuration: that is a mapping with a 'model_list'.")
    return dict(inside)


def _merged(whole: Mapping[str, object], part: Mapping[str, object]) -> dict[str, object]:
    after = dict(whole)
    for name, value in part.items():
        there = after.get(name)
        if isinstance(value, list) and isinstance(there, list):
            after[name] = [*cast("list[object]", there), *cast("list[object]", value)]
        else:
            after[name] = value
    return after


def _tell(answer: _Answer, *, dry_run: bool) -> None:
    for line in answer.report:
        words = " ".join(word for word in (line.became, line.remedy) if word)
        click.echo(f"{MARKS[line.fate]}{line.path} = {msgspec.json.encode(line.value).decode()}  {words}".rstrip())
    for warning in answer.warnings:
        click.echo(f"! {warning}", err=True)
    counts = Counter(line.fate for line in answer.report)
    told = ", ".join(f"{counts[fate]} {fate.value.replace('_', ' ')}" for fate in Fate)
    click.echo(f"{told}.")
    if answer.applied:
        click.echo(f"{len(answer.routes)} routes are put: {', '.join(str(route['alias']) for route in answer.routes)}.")
    elif not dry_run:
        click.echo("Nothing is imported. Correct what is marked with '!', or take the rest with --partial.", err=True)
