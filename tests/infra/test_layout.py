"""Whoever reads infra/ from the top finds each resource in the file its name promises."""

import re
from pathlib import Path

import pytest

from tests.infra import hcl
from tests.infra.faults import ROOT

INFRA = ROOT / "infra"
FILES = hcl.files(INFRA) + sorted(INFRA.glob("examples/*/*.tf"))
MOST_LINES = 150
# The files by what begins a resource's type; the first that fits.
ROOMS = {
    "google_project_service": {"main.tf"},
    "google_cloudfunctions2": {"functions.tf"},
    "google_pubsub": {"pubsub.tf", "logging.tf"},
    "google_firestore": {"firestore.tf"},
    "google_cloud_scheduler": {"scheduler.tf"},
    "google_secret_manager": {"secrets.tf"},
    "google_logging": {"logging.tf"},
    "google_monitoring_dashboard": {"dashboard.tf"},
    "google_monitoring": {"monitoring.tf"},
    "google_billing": {"budget.tf"},
    "google_compute": {"loadbalancer.tf"},
    "google_kms": {"cmek.tf"},
    "google_artifact_registry": {"bundles.tf"},
    "google_storage_bucket_iam": {"iam.tf"},
    "google_storage": {"storage.tf", "bundles.tf"},
    "google_service_account_iam": {"iam_caller.tf"},
    "google_service_account": {"iam.tf", "iam_caller.tf", "bundles.tf"},
    "google_project_iam": {"iam.tf", "iam_caller.tf", "bundles.tf"},
    "google_cloud_run": {"iam.tf", "iam_caller.tf"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(INFRA)))
def test_a_file_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("block", hcl.blocks(INFRA, "resource"), ids=lambda block: block.name)
def test_a_resource_stands_where_its_type_says(block: hcl.Block) -> None:
    room = next((files for sign, files in ROOMS.items() if block.labels[0].startswith(sign)), set())
    assert block.path.name in room, f"{block.path}:{block.line}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(INFRA)))
def test_a_file_that_makes_something_says_what(path: Path) -> None:
    text = path.read_text()
    if re.search(r"^(resource|module) ", text, re.MULTILINE):
        assert text.startswith("# ")


@pytest.mark.parametrize("block", hcl.blocks(INFRA, "variable", "output"), ids=lambda block: block.name)
def test_what_a_user_sets_or_gets_is_explained(block: hcl.Block) -> None:
    assert block.body.get("description"), f"{block.path}:{block.line}"
    assert block.kind == "output" or block.body.get("type"), f"{block.path}:{block.line}"


def test_an_example_sets_only_variables_that_there_are() -> None:
    variables = {block.labels[0] for block in hcl.blocks(INFRA, "variable")}
    for path in sorted((INFRA / "examples").iterdir()):
        module = next(block for block in hcl.blocks(path, "module"))
        assert set(module.body) - {"source", "depends_on"} <= variables, path.name


def test_nothing_is_kept_back_by_destroy_but_what_protection_keeps() -> None:
    """APIs stay on, which costs nothing; nothing else may outlive the installation."""
    text = "\n".join(path.read_text() for path in hcl.files(INFRA))
    assert text.count("disable_on_destroy = false") == 1
    assert "prevent_destroy" not in text
    assert re.findall(r'deletion_policy\s*=\s*"(\w+)"', text) == ["DELETE"]
    assert len(re.findall(r"force_destroy\s*=", text)) == text.count('resource "google_storage_bucket" ')
