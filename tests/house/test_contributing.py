"""What CONTRIBUTING promises of newcomers holds of those that are there: a dialect is one folder, a host one file."""

import ast
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.providers.table import PROVIDERS
from tuneway.routing.routes import Dialect, Provider

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "shared"
PREDICTION = LIBRARY / "tuneway" / "prediction"
# Who speaks a dialect because it is what he is about: Anthropic's own surface, and the hosts' own counting of tokens.
NATIVE = {"prediction/surfaces/messages/passing.py", "prediction/surfaces/counts/counters.py"}


@cache
def imported(file: Path) -> frozenset[str]:
    """The names of the modules that a file imports, and what it takes from them."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    whole = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    parts = [(node.module, node.names) for node in nodes if isinstance(node, ast.ImportFrom)]
    return frozenset(whole | {f"{module}.{name.name}" for module, names in parts if module for name in names})


def known_to(prefix: str) -> set[str]:
    """The files outside of a module's own folder that import it or something in it."""
    own = LIBRARY / prefix.replace(".", "/")
    return {
        file.relative_to(LIBRARY / "tuneway").as_posix()
        for file in (LIBRARY / "tuneway").rglob("*.py")
        if not file.is_relative_to(own) and any(f"{name}.".startswith(f"{prefix}.") for name in imported(file))
    }


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_a_dialect_is_a_folder_with_its_three_transforms_and_one_entry(dialect: Dialect) -> None:
    folder = PREDICTION / "dialects" / dialect
    assert {"request.py", "response.py", "stream.py"} <= {file.name for file in folder.iterdir()}
    assert any((ROOT / "tests" / "golden" / dialect).iterdir())
    words, own = DIALECTS[dialect], f"tuneway.prediction.dialects.{dialect}."
    assert words.to_request.__module__ == f"{own}request"
    assert words.from_response.__module__ == f"{own}response"
    assert getattr(words.stream_decoder, "__module__", "") == f"{own}stream"


def test_there_are_no_dialects_and_no_hosts_but_those_with_a_name_and_an_entry() -> None:
    folders = {entry.name for entry in (PREDICTION / "dialects").iterdir() if (entry / "__init__.py").exists()}
    assert set(get_args(Dialect)) == set(DIALECTS) == folders
    assert set(get_args(Provider)) == set(PROVIDERS)


@pytest.mark.parametrize("dialect", sorted(set(get_args(Dialect)) - {"openai"}))
def test_nobody_else_knows_a_dialect(dialect: str) -> None:
    """But for OpenAI's, in which the hub itself is spoken."""
    assert known_to(f"tuneway.prediction.dialects.{dialect}") - NATIVE == {"prediction/complete.py"}


@pytest.mark.parametrize("provider", get_args(Provider))
def test_a_host_is_a_file_and_outside_of_its_folder_nobody_knows_it(provider: Provider) -> None:
    """But for Vertex AI, whose other APIs are called at the same hosts."""
    assert (PREDICTION / "providers" / f"{provider}.py").exists()
    files = {"prediction/detect.py", "adapters/vertex_rest.py"} if provider == "vertex" else set[str]()
    found = known_to(f"tuneway.prediction.providers.{provider}")
    assert {file for file in found if not file.startswith("prediction/providers/")} == files
