"""A retired base, for an owner who may try it all the same: from the order to the provider's door."""

from pathlib import Path

import pytest

from tests.fakes import BUCKET, Loop
from tuneway.errors import BadInput
from tuneway.tuning.catalogue import Catalogue, load
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.installation import Installation
from tuneway.tuning.validate import Datasets

ALLOWED = load().allowing('["acme"]')


def desk_of(loop: Loop, catalogue: Catalogue) -> JobDesk:
    here = Installation(location="us-central1")
    return JobDesk(loop.lifecycle, loop.shelf, catalogue=catalogue, installation=here, new_id=loop.new_id)


def test_the_job_begins_with_a_warning_in_its_history(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    desk = desk_of(loop, ALLOWED)
    job = desk.create(loop.order(model="gemini-2.5-flash"), owner="acme")
    (first,) = desk.history(job.id, owner="acme", after=None, limit=1)
    assert first.message.startswith("Created fine-tuning job.")
    assert "retired on 2026-10-20" in first.message


def test_its_dataset_is_checked_like_any_other(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = desk_of(loop, ALLOWED).create(loop.order(model="gemini-2.5-flash"), owner="acme")
    datasets = Datasets(loop.documents, loop.files, catalogue=ALLOWED, bucket=BUCKET, now=lambda: loop.clock)
    verdict = datasets.checked(job)
    assert verdict.error is None
    assert verdict.job.estimate is not None


def test_another_owner_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    desk = desk_of(loop, ALLOWED)
    with pytest.raises(BadInput, match="retired on 2026-10-20"):
        desk.create(loop.order(model="gemini-2.5-flash"), owner="other")
    assert desk.newest(owner="other", after=None, limit=5) == []


def test_a_base_in_its_prime_begins_without_a_word(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    (first,) = loop.desk.history(job.id, owner="acme", after=None, limit=1)
    assert first.message == "Created fine-tuning job."
