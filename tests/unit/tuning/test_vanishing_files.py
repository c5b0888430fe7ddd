"""A file that is deleted while somebody reads it is told by its field, at once and by the name its owner knows."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

import pytest
from typing_extensions import override

from tests.fakes import BUCKET, CHAT, Loop
from tests.unit.edge.asking import Asked, Asking
from tests.unit.edge.quoting import quotes_of
from tuneway.adapters.local_files import LocalFiles
from tuneway.edge.fine_tuning import estimates, validations
from tuneway.errors import NotFound
from tuneway.ports import Files
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.submit import Submitter
from tuneway.tuning.validate import Datasets

BASE = "gemini-3.5-flash"
ROWS = b"".join(CHAT % (n, n) for n in range(100))


class Cut(io.BytesIO):
    """An object that is deleted behind its first kilobyte."""

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise NotFound("There is no object any more.")
        del size
        return super().read(1024)


class VanishingFiles:
    """``ports.Files`` in which a file goes while it is opened for the ``last`` time, or after its first kilobyte."""

    def __init__(self, inner: LocalFiles, *, last: int = 0) -> None:
        self.inner = inner
        self.left = last

    def read(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        self.left -= 1
        return self.inner.read(uri) if self.left > 0 else self._going(uri)

    def write(self, uri: str) -> AbstractContextManager[IO[bytes]]:
        return self.inner.write(uri)

    def size(self, uri: str) -> int:
        return self.inner.size(uri)

    def delete(self, uri: str) -> None:
        self.inner.delete(uri)

    @contextmanager
    def _going(self, uri: str) -> Iterator[IO[bytes]]:
        with self.inner.read(uri) as file:
            yield Cut(file.read())


def kept(loop: Loop) -> str:
    return loop.shelf.upload(io.BytesIO(ROWS), filename="a.jsonl", purpose="fine-tune", owner="acme").id


def asked(loop: Loop, files: Files, **fields: object) -> Asked:
    inspector = Inspector(loop.shelf, files, catalogue=loop.catalogue, now=lambda: loop.clock)
    return Asking(validations.rules(inspector))("POST", validations.PATH, body=fields)


@pytest.mark.parametrize("last", [1, 2])
def test_a_validation_whose_file_goes_while_it_is_read_names_the_field(tmp_path: Path, last: int) -> None:
    loop = Loop(tmp_path)
    name = kept(loop)
    answer = asked(loop, VanishingFiles(loop.files, last=last), training_file=name, examples=2)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "training_file", "file_not_found")
    assert answer.error["message"] == f"The file '{name}' is gone. Upload it again with POST /v1/files."


def test_a_validation_whose_second_file_goes_names_that_one(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    answer = asked(loop, VanishingFiles(loop.files, last=2), training_file=kept(loop), validation_file=kept(loop))
    assert (answer.status, answer.error["param"]) == (400, "validation_file")


def test_an_object_that_goes_is_named_as_its_store_names_it(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    answer = asked(loop, VanishingFiles(loop.files), training_file=loop.upload())
    assert (answer.status, answer.error["message"]) == (400, "There is no object any more.")


def test_an_estimate_whose_file_is_gone_names_the_field(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    name = kept(loop)
    loop.shelf.delete(name, owner="acme")
    door = Asking(estimates.rules(loop.desk, quotes_of(loop)))
    answer = door("POST", estimates.PATH, body={"model": BASE, "training_file": name})
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "training_file", "file_not_found")


def job_on(loop: Loop, files: Files, name: str) -> Job:
    """A job on the file, once it was read from ``files``."""
    datasets = Datasets(loop.documents, files, catalogue=loop.catalogue, bucket=BUCKET, now=lambda: loop.clock)
    loop.submit = Submitter(loop.lifecycle, loop.backends, datasets=datasets, lease=60, catalogue=loop.catalogue)
    job = loop.desk.create(loop.order(training_file=name), owner="acme")
    loop.settle(beats=3)
    return loop.job(job.id)


def test_a_job_whose_upload_goes_while_it_is_read_fails_by_its_name(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    name = kept(loop)
    job = job_on(loop, VanishingFiles(loop.files), name)
    assert job.error is not None
    assert (job.status, job.open, job.error.param, job.error.code) == (
        Status.FAILED,
        False,
        "training_file",
        "file_not_found",
    )
    assert job.error.message == f"The file '{name}' is gone. Upload it again, and create the job anew."
    assert loop.backend.jobs == {}


def test_a_job_whose_object_goes_says_that_it_is_not_found(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = job_on(loop, VanishingFiles(loop.files), loop.upload())
    assert job.error is not None
    assert (job.status, job.error.code) == (Status.FAILED, "file_not_found")


def test_a_job_whose_upload_is_deleted_before_it_is_read_fails_by_its_name(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    name = kept(loop)
    job = loop.desk.create(loop.order(training_file=name), owner="acme")
    loop.shelf.delete(name, owner="acme")
    loop.settle(beats=3)
    error = loop.job(job.id).error
    assert error is not None
    assert (error.param, error.code, name in error.message) == ("training_file", "file_not_found", True)


def test_a_job_that_has_read_its_file_needs_it_no_more(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    name = kept(loop)
    job = loop.desk.create(loop.order(training_file=name), owner="acme")
    loop.settle(train=False, beats=2)
    assert loop.job(job.id).status is Status.QUEUED
    loop.shelf.delete(name, owner="acme")
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED
