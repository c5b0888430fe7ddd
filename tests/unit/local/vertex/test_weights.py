"""Simulated weights tell who made them."""

import json
from pathlib import Path

import pytest

from tuneway.local.vertex.refusals import Refusal
from tuneway.local.vertex.weights import has_bucket, maker, write

FOLDER = "gs://data/out/final"


def test_weights_name_their_job_wherever_they_lie(tmp_path: Path) -> None:
    write(tmp_path, FOLDER, job="projects/p/locations/l/tuningJobs/1", base_model="qwen")
    assert maker(tmp_path, FOLDER) == "projects/p/locations/l/tuningJobs/1"
    (tmp_path / "data/out/final").rename(tmp_path / "data/elsewhere")
    assert maker(tmp_path, "gs://data/elsewhere/") == "projects/p/locations/l/tuningJobs/1"
    assert maker(tmp_path, FOLDER) is None


def test_the_header_is_a_valid_one(tmp_path: Path) -> None:
    write(tmp_path, FOLDER, job="j", base_model="qwen")
    content = (tmp_path / "data/out/final/model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    tensor = header.pop("simulated.weight")
    assert length % 8 == 0
    assert tensor["data_offsets"] == [0, len(content) - 8 - length]
    assert set(header) == {"__metadata__"}
    assert json.loads((tmp_path / "data/out/final/config.json").read_text())["_name_or_path"] == "qwen"


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{}"])
def test_weights_from_elsewhere_have_no_maker(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/model.safetensors").write_bytes(content)
    assert maker(tmp_path, "gs://data") is None


def test_what_is_no_folder_has_no_maker_and_no_bucket(tmp_path: Path) -> None:
    assert maker(tmp_path, "https://data/x") is None
    assert not has_bucket(tmp_path, "gs://data/x")
    (tmp_path / "data").mkdir()
    assert has_bucket(tmp_path, "gs://data/x/")
    with pytest.raises(Refusal):
        has_bucket(tmp_path, "data/x")
