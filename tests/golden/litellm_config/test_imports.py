"""Every LiteLLM configuration of the corpus: the routes and the report it must give, and the way out and back."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tuneway.cli.route_files import loaded
from tuneway.edge.registry.route_checks import refuse_nowhere
from tuneway.routing.litellm_config import Import, exported, imported
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/config.yaml"))
SECRETS = (
    "hunter2",
    "S3cr3t",
    "AKIAIOSFODNN7",
    "wJalr",
    "PRIVATE",
    "1234567,",
    "sk-1234",
    "Q~8xyz",
    "Bearer abc",
    "sk-lf",
)


def settled(target: Target, _: object) -> Target:
    refuse_nowhere(target)
    return target


def read(case: Path) -> Import:
    file = case / "environment.json"
    environment = json.loads(file.read_bytes()) if file.exists() else {}
    defaults = Defaults(project="own-project", location="us-central1")
    return imported(loaded(case / "config.yaml"), defaults=defaults, environment=environment, settle=settled)


def plain(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_configuration_gives_its_routes_and_its_report(case: Path) -> None:
    found = read(case)
    assert plain(found.routes) == json.loads((case / "routes.json").read_bytes())
    assert plain(found.lines) == json.loads((case / "report.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_exported_imports_as_what_it_was(case: Path) -> None:
    routes = read(case).routes
    again = imported(
        plain(exported(routes)), defaults=Defaults(project="another", location="asia-east1"), settle=settled
    )
    assert (again.routes, again.refused) == (routes, ())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_report_shows_a_secret(case: Path) -> None:
    told = (case / "report.json").read_text() + (case / "routes.json").read_text()
    assert not [secret for secret in SECRETS if secret in told]


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 15
