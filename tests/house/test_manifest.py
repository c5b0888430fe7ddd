"""The manifest, the folders, the pins and the topics say the same."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tuneway.local.manifest import FUNCTIONS, Function, HttpTrigger, Manifest, PubsubTrigger, load
from tuneway.ports import Topic

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = load()
NAMES = sorted(MANIFEST.functions)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def _pins(group: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / "requirements" / f"{group}.txt").read_text()))


def test_every_folder_is_a_function_and_every_function_a_folder() -> None:
    assert sorted(path.parent.name for path in FUNCTIONS.glob("*/main.py")) == NAMES


def test_every_topic_is_taken_by_a_function_or_left_to_customers() -> None:
    taken = [f.trigger.topic for f in MANIFEST.functions.values() if isinstance(f.trigger, PubsubTrigger)]
    assert sorted([*taken, *MANIFEST.topics]) == sorted(Topic)


def test_no_two_functions_answer_the_same_path() -> None:
    paths = [p for f in MANIFEST.functions.values() if isinstance(f.trigger, HttpTrigger) for p in f.trigger.paths]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("name", NAMES)
def test_a_door_defines_its_target(name: str) -> None:
    tree = ast.parse((FUNCTIONS / name / "main.py").read_text())
    found = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert isinstance(found[name], ast.AsyncFunctionDef) == MANIFEST.functions[name].is_async


@pytest.mark.parametrize("name", NAMES)
def test_only_http_doors_are_public(name: str) -> None:
    function: Function = MANIFEST.functions[name]
    assert (function.callers == "public") == isinstance(function.trigger, HttpTrigger)


@pytest.mark.parametrize("name", NAMES)
def test_a_functions_pins_are_those_of_development(name: str) -> None:
    development = _pins("dev")
    pins = _pins(name)
    assert pins["functions-framework"]
    assert {package: development.get(package) for package in pins} == pins


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_pins_bear_hashes_and_no_index(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "--index" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()))


def test_every_function_has_its_dependency_group() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert set(NAMES) <= set(groups)


def test_the_manifest_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    text = (FUNCTIONS / "manifest.yaml").read_text()
    (tmp_path / "manifest.yaml").write_text(text.replace("memory: 512Mi", "memmory: 512Mi", 1))
    with pytest.raises(Exception, match="memmory"):
        load(tmp_path)


def test_subscriptions_name_every_event_function() -> None:
    manifest: Manifest = MANIFEST
    functions = {name for names in manifest.subscriptions().values() for name in names}
    assert functions == {n for n, f in manifest.functions.items() if isinstance(f.trigger, PubsubTrigger)}
