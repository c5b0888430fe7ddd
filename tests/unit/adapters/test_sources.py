"""Each scheme has its own files, made when they are first named."""

from pathlib import Path

import pytest

from tuneway.adapters.local_files import LocalFiles
from tuneway.adapters.sources import Sources
from tuneway.errors import BadInput
from tuneway.ports import Files


def test_a_file_is_read_by_its_scheme(tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> Files:
        made.append("gs")
        return LocalFiles(tmp_path)

    sources = Sources({"gs": make, "s3": lambda: pytest.fail("nobody asked for it")})
    with sources.write("gs://bucket/a") as file:
        file.write(b"rows")
    with sources.read("gs://bucket/a") as file:
        assert file.read() == b"rows"
    assert sources.size("gs://bucket/a") == 4
    sources.delete("gs://bucket/a")
    assert made == ["gs"]


@pytest.mark.parametrize("uri", ["ftp://host/x", "file:///etc/passwd", "gs", "", "/etc/passwd"])
def test_another_scheme_is_refused(uri: str) -> None:
    with pytest.raises(BadInput, match="gs://"):
        Sources({"gs": lambda: pytest.fail("not this one")}).read(uri)
