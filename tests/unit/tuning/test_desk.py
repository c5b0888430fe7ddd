"""The desk: what becomes of an order before its job begins."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import BUCKET, Loop
from tuneway.errors import BadInput
from tuneway.routing import identifiers


def test_an_idempotency_key_stands_for_one_order_only(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = loop.order(idempotency_key="once")
    loop.desk.create(order, owner="acme")
    with pytest.raises(BadInput, match="new key"):
        loop.desk.create(msgspec.structs.replace(order, suffix="other"), owner="acme")
    assert len(loop.desk.newest(owner="acme", after=None, limit=10)) == 1


@pytest.mark.parametrize("owner", ["acme", "Team A/ö:x", "o" * 300])
def test_the_models_name_is_an_alias_whoever_owns_it(tmp_path: Path, owner: str) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(suffix="s" * 64), owner=owner)
    assert identifiers.parse(job.alias) == identifiers.Alias(name=job.alias)


@pytest.mark.parametrize("folder", ["files", "jobs"])
def test_what_is_kept_for_a_tenant_cannot_be_had_by_its_uri(tmp_path: Path, folder: str) -> None:
    loop = Loop(tmp_path)
    with pytest.raises(BadInput, match="by its id"):
        loop.desk.create(loop.order(training_file=f"gs://{BUCKET}/{folder}/file-1"), owner="rival")
