"""What an installation is not set up for is refused before a job begins."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tuneway.adapters.plugs import installation
from tuneway.errors import BadInput
from tuneway.settings import Settings

NOVA = "amazon.nova-micro-v1:0:128k"
KEYS = "TUNEWAY_AWS_ROLE or TUNEWAY_AWS_SECRET"


def loop_of(folder: Path, settings: Settings) -> Loop:
    return Loop(folder, missing=installation(settings).missing)


def test_a_job_on_a_backend_without_settings_is_refused_and_not_kept(tmp_path: Path) -> None:
    loop = loop_of(tmp_path, Settings())
    with pytest.raises(BadInput, match=f"{KEYS}, TUNEWAY_AWS_BUCKET, TUNEWAY_BEDROCK_ROLE") as refused:
        loop.desk.create(loop.order(model=NOVA), owner="acme")
    assert (refused.value.param, refused.value.code) == ("model", "backend_not_configured")
    assert loop.desk.newest(owner="acme", after=None, limit=10) == []


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
def test_a_file_of_a_scheme_without_settings_is_refused(tmp_path: Path, field: str) -> None:
    loop = loop_of(tmp_path, Settings())
    with pytest.raises(BadInput, match=KEYS) as refused:
        loop.desk.create(loop.order(**{field: "s3://bucket/rows.jsonl"}), owner="acme")
    assert (refused.value.param, refused.value.code) == (field, "source_not_configured")


def test_files_in_s3_need_no_more_than_keys(tmp_path: Path) -> None:
    loop = loop_of(tmp_path, Settings(aws_role="arn:aws:iam::1:role/a"))
    assert loop.desk.create(loop.order(training_file="s3://bucket/rows.jsonl"), owner="acme").id


def test_only_what_is_missing_is_named() -> None:
    assert installation(Settings(aws_role="r", aws_bucket="b")).missing == {"bedrock": "TUNEWAY_BEDROCK_ROLE"}


@pytest.mark.parametrize("keys", [{"aws_role": "r"}, {"aws_secret": "env:A"}, {"aws_url": "http://127.0.0.1:1"}])
def test_nothing_is_missing_once_all_is_set(tmp_path: Path, keys: dict[str, str]) -> None:
    settings = msgspec.convert({"aws_bucket": "b", "bedrock_role": "r", **keys}, Settings)
    assert installation(settings).missing == {}
    loop = loop_of(tmp_path, settings)
    assert loop.desk.create(loop.order(model=NOVA), owner="acme").backend == "bedrock"
