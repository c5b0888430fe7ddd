"""YAML files that commands are given."""

from pathlib import Path

import pytest

from tuneway.cli.client import Failed
from tuneway.cli.yaml_files import content_of, mapping_of


def test_a_file_is_read_as_it_says(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("jobs: [{model: gemini-3.5-flash}]\n")
    assert mapping_of(content_of(file), "x") == {"jobs": [{"model": "gemini-3.5-flash"}]}


@pytest.mark.parametrize(
    "content",
    [b"a: [", b"\xff\xfe\xff", b"a: !!python/object:os.system {}", b"[" * 20_000],
    ids=["open", "bytes", "code", "deep"],
)
def test_what_is_no_yaml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    with pytest.raises(Failed, match=r"x\.yaml is no YAML"):
        content_of(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"x\.yaml cannot be read: No such file"):
        content_of(tmp_path / "x.yaml")


@pytest.mark.parametrize("value", [None, ["a"], "a", {1: "a"}])
def test_what_is_no_mapping_of_names_is_told_by_its_place(value: object) -> None:
    with pytest.raises(Failed, match=r"jobs\[3\] is no mapping of names to values"):
        mapping_of(value, "jobs[3]")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("jobs:\n- hyperparameters: {n_epochs: 3, n_epochs: 10}\n", "'n_epochs' stands twice .* line 2"),
        ("defaults: {max_cost_usd: 5}\njobs: []\ndefaults: {}\n", "'defaults' stands twice .* line 3"),
        ("a: &x {b: 1, b: 2}\nc: *x\n", "'b' stands twice .* line 1"),
    ],
)
def test_a_name_that_stands_twice_is_not_overwritten_in_silence(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(content)
    with pytest.raises(Failed, match=said):
        content_of(file)


def test_anchors_and_merged_mappings_are_no_repetition(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: &x {b: 1}\nc: {<<: *x, d: 2, b: 3}\ne: [*x, *x]\n1: x\n'1': y\n")
    assert content_of(file) == {"a": {"b": 1}, "c": {"b": 3, "d": 2}, "e": [{"b": 1}, {"b": 1}], 1: "x", "1": "y"}


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("# nothing yet\n")
    assert content_of(file) is None
