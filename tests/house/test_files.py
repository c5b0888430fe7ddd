"""What no linter knows: sizes, first lines, names, chains."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")])
MODULES = [path for path in SOURCES if path.stat().st_size]
BANNED_NAMES = {"utils", "helpers", "common", "base", "manager", "misc", "core"}
MOST_LINES = 300
MOST_DOOR_LINES = 60
MOST_FUNCTION_LINES = 45
MOST_BRANCHES = 3


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_file_fits_in_a_head(path: Path) -> None:
    most = MOST_DOOR_LINES if path.name == "main.py" and "functions" in path.parts else MOST_LINES
    assert len(path.read_text().splitlines()) <= most


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_file_says_its_job_in_its_first_line(path: Path) -> None:
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
    assert first.endswith((".", ":", "``.")), first


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_is_named_for_what_it_holds(path: Path) -> None:
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MOST_FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_dispatch_is_by_table_or_match(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If):
            assert _chain(node) <= MOST_BRANCHES, f"line {node.lineno}"


def _chain(node: ast.If) -> int:
    length = 1
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        length += 1
    return length


def test_every_dialect_has_the_same_three_modules() -> None:
    dialects = [path for path in (ROOT / "shared/tuneway/prediction/dialects").iterdir() if path.is_dir()]
    for dialect in (path for path in dialects if path.name != "__pycache__"):
        assert {"request.py", "response.py", "stream.py"} <= {path.name for path in dialect.iterdir()}, dialect.name
