"""Every resource is one that the provider's published schema takes; what it would refuse is caught here."""

import json
import shutil
from pathlib import Path

import pytest

from tests.infra import hcl, schema
from tests.infra.faults import ROOT, planted

INFRA = ROOT / "infra"


def modules() -> list[Path]:
    return [INFRA, *sorted(path for path in (INFRA / "examples").iterdir() if path.is_dir())]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("examples")
    return Path(shutil.copytree(INFRA, tmp_path / "infra", ignore=ignored))


@pytest.mark.parametrize("module", modules(), ids=lambda path: path.name)
def test_terraform_says_nothing_that_the_provider_refuses(module: Path, tmp_path: Path) -> None:
    here = Path(shutil.copytree(module, tmp_path / "module", ignore=shutil.ignore_patterns("examples")))
    (here / "schema").mkdir(exist_ok=True)
    shutil.copy(INFRA / "schema/google.json", here / "schema/google.json")
    assert [str(fault) for fault in schema.faults(here)] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("scheduler.tf", "attempt_deadline =", "attempt_limit    =", "attempt_limit is no attribute"),
        ("scheduler.tf", "    uri         =", "    url         =", "url is no attribute"),
        ("scheduler.tf", "retry_config {", "retries {", "retries is no block"),
        ("scheduler.tf", "  retry_config {", "  retry_config = {", "retry_config is a block, not an attribute"),
        ("scheduler.tf", '  time_zone        = "Etc/UTC"', "  time_zone {\n  }", "time_zone is an attribute"),
        ("iam_caller.tf", "  account_id   = ", "  unique_id = ", "unique_id is no attribute"),
        ("storage.tf", '"google_storage_bucket" "files"', '"google_bucket" "files"', "does not have google_bucket"),
        ("functions.tf", "        mount_path =", "        mount =", "mount is no attribute"),
        ("functions.tf", '  dynamic "event_trigger"', '  dynamic "trigger"', "trigger is no block"),
    ],
)  # fmt: skip
def test_what_the_provider_does_not_know_is_named_with_its_line(
    copy: Path, file: str, old: str, new: str, told: str
) -> None:
    line = planted(copy / file, old, new)
    found = [fault for fault in schema.faults(copy) if told in fault.message]
    assert [(fault.path.name, fault.line) for fault in found] == [(file, line)]


@pytest.mark.parametrize(
    ("file", "old", "told"),
    [
        ("pubsub.tf", "  topic    = google_pubsub_topic.this[each.value.trigger.topic].id\n", "lacks topic"),
        ("functions.tf", "        mount_path = local.folders[secret_volumes.key]\n", "lacks mount_path"),
        ("monitoring.tf", '  combiner              = "OR"\n', "lacks combiner"),
    ],
)
def test_what_the_provider_must_have_is_missed(copy: Path, file: str, old: str, told: str) -> None:
    planted(copy / file, old, "")
    assert told in "".join(str(fault) for fault in schema.faults(copy))


def test_a_block_that_stands_once_cannot_stand_twice(copy: Path) -> None:
    planted(copy / "scheduler.tf", "  retry_config {", "  retry_config {\n    retry_count = 1\n  }\n  retry_config {")
    assert "retry_config stands once" in "".join(str(fault) for fault in schema.faults(copy))


def test_the_schema_holds_what_is_used_and_says_its_version() -> None:
    known = json.loads((INFRA / "schema/google.json").read_text())
    used = {(block.kind, block.labels[0]) for module in modules() for block in hcl.blocks(module, "resource", "data")}
    assert {(kind, name) for kind in ("resource", "data") for name in known[kind]} == used
    wanted = next(block for block in hcl.blocks(INFRA, "terraform")).body["required_providers"][0]["google"]
    major, minor, _ = known["version"].split(".")
    assert hcl.plain(wanted["version"]) == f"~> {major}.{minor}"
