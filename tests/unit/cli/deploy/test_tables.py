"""Tables of plain values, read from Terraform's files."""

from pathlib import Path

import pytest

from tuneway.cli.deploy.tables import table, tables
from tuneway.errors import BadInput

TEXT = """
locals {
  # what it is for
  roles = { a = "roles/a", "b.c" = "roles/b" } # beside
  many = {
    one = ["x", "y"] # two
    two = []
  }
  computed = { a = var.name }
  joined   = { a = "${var.name}-x" }
  called   = toset(["a"])
}
"""


def test_objects_and_lists_are_read_and_comments_are_not() -> None:
    assert table("roles", TEXT) == {"a": "roles/a", '"b.c"': "roles/b"}
    assert table("many", TEXT) == {"one": ["x", "y"], "two": []}


@pytest.mark.parametrize("name", ["computed", "joined", "called", "missing"])
def test_what_is_more_than_plain_values_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=name):
        table(name, TEXT)


def test_the_tables_of_the_house_can_be_read() -> None:
    found = tables()
    assert found.indexes["jobs_newest"].direction == "DESCENDING"
    assert found.project_roles["state"] == "roles/datastore.user"
    assert "body" in found.unindexed["snapshots"]


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "firestore.tf").write_text('locals {\n  indexes = { a = "b" }\n  unindexed = {}\n  expiring = {}\n}\n')
    (tmp_path / "iam.tf").write_text("locals {\n  project_roles = {}\n  bucket_roles = {}\n  of_database = []\n}\n")
    with pytest.raises(BadInput, match="not as 'tuneway deploy' knows it"):
        tables(tmp_path)
