"""``tuneway routes import`` and ``export``: the file with those it includes, the report, and the exit code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tests.unit.cli.served import Run, served
from tests.unit.edge.asking import NOW
from tuneway.access.keys import Scope
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.cli.client import Failed
from tuneway.cli.main import main
from tuneway.cli.route_files import known_variables, loaded
from tuneway.edge.door import Rule
from tuneway.edge.registry.route_files import rules
from tuneway.edge.registry.routes import RouteDesk
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.route_book import RouteBook
from tuneway.registry.route_means import Means
from tuneway.routing.targets import Defaults

GOOD = """
model_list:
  - model_name: chat # a comment
    litellm_params:
      {model: azure/gpt-5, api_base: os.environ/CHAT_BASE, api_key: os.environ/CHAT_KEY, api_version: 2024-10-21}
"""
BAD = GOOD + "  - {model_name: bad, litellm_params: {model: openai/gpt-5, api_key: sk-live}}\n"


@pytest.fixture
def book(tmp_path: Path) -> RouteBook:
    return RouteBook(SqliteDocuments(tmp_path / "state.sqlite"), now=lambda: NOW)


@pytest.fixture
def run(book: RouteBook, tmp_path: Path) -> Iterator[Run]:
    deployments = Deployments(SqliteDocuments(tmp_path / "state.sqlite"), now=lambda: NOW)
    desk = RouteDesk(book, deployments, defaults=Defaults(), means=Means(detect=lambda target: target))
    with served([Rule(rule.method, rule.path, Scope.TUNE, rule.handler) for rule in rules(desk, book)]) as asked:
        yield asked


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHAT_BASE", "https://chat.openai.azure.com")
    monkeypatch.setenv("CHAT_KEY", "a-real-key")
    return tmp_path / "config.yaml"


def test_a_file_is_imported_with_its_report_and_exported_again(run: Run, file: Path, book: RouteBook) -> None:
    file.write_text(GOOD)
    done = run("routes", "import", str(file))
    assert done.exit_code == 0, done.output
    assert "1 routes are put: chat." in done.output
    (target,) = book.get("chat").targets
    assert (target.base_url, target.secret) == ("https://chat.openai.azure.com", "env:CHAT_KEY")
    assert target.api_version == "2024-10-21"
    exported = yaml.safe_load(run("routes", "export").output)
    assert exported["model_list"][0]["litellm_params"]["api_key"] == "os.environ/CHAT_KEY"


def test_a_mistake_is_shown_and_nothing_is_imported(run: Run, file: Path, book: RouteBook) -> None:
    file.write_text(BAD)
    done = run("routes", "import", str(file))
    assert (done.exit_code, book.list()) == (1, [])
    assert '! model_list[1].litellm_params.api_key = "***"' in done.output
    assert "sk-live" not in done.output


def test_the_rest_is_imported_with_partial(run: Run, file: Path, book: RouteBook) -> None:
    file.write_text(BAD)
    done = run("routes", "import", str(file), "--partial")
    assert (done.exit_code, [route.alias for route in book.list()]) == (0, ["chat"])


def test_a_rehearsal_imports_nothing(run: Run, file: Path, book: RouteBook) -> None:
    file.write_text(GOOD)
    done = run("routes", "import", str(file), "--dry-run", "--json")
    assert (done.exit_code, book.list()) == (0, [])
    assert '"applied": false' in done.output


def test_an_export_is_written_into_a_file(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    run("routes", "import", str(file))
    out = file.with_name("out.yaml")
    assert run("routes", "export", "--output", str(out)).exit_code == 0
    assert run("routes", "import", str(out)).exit_code == 0


def test_keys_stay_where_they_are() -> None:
    config = {"a": "os.environ/BASE", "b": "os.environ/OPENAI_API_KEY", "c": "os.environ/UNSET"}
    assert known_variables(config, {"BASE": "x", "OPENAI_API_KEY": "sk", "OTHER": "y"}) == {"BASE": "x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "is no YAML"),
        ("- a", "is no LiteLLM configuration"),
        ("", "is no LiteLLM configuration"),
        ("a: 1\na: 2", "twice"),
        ("a: !!python/object:os.system {}", "is no YAML"),
        ("include: [nowhere.yaml]", "cannot be read"),
    ],
)
def test_a_file_that_is_none_says_so(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(Failed, match=told):
        loaded(file)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["routes", "import", str(tmp_path / "no.yaml")])
    assert (done.exit_code, "does not exist" in done.output) == (2, True)
