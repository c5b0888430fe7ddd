"""A job whose rows lie elsewhere is tuned on a copy in the installation's own bucket."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
from typing_extensions import override

from tests.fakes import Loop
from tuneway.adapters.https_calls import Reach
from tuneway.adapters.https_files import HttpsFiles
from tuneway.adapters.sources import Sources
from tuneway.tuning.jobs import Job
from tuneway.tuning.validate import Datasets, Verdict

ROWS = b"".join(
    json.dumps({"contents": [{"role": role, "parts": [{"text": f"{number}"}]} for role in ("user", "model")]}).encode()
    + b"\n"
    for number in range(20)
)


class Body(httpx.SyncByteStream):
    @override
    def __iter__(self) -> Iterator[bytes]:
        yield ROWS


def checked(loop: Loop, job: Job) -> Verdict:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Body()))
    web = HttpsFiles(Reach(transport=transport, resolve=lambda _h, _p: ["93.184.216.34"]))
    sources = Sources({"gs": lambda: loop.files, "https": lambda: web})
    return Datasets(loop.documents, sources, catalogue=loop.catalogue, bucket="own", now=lambda: loop.clock).checked(
        job
    )


def test_rows_of_the_web_are_copied_even_if_nothing_has_to_be_changed(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    order = msgspec.structs.replace(loop.order(), training_file="https://data.example/rows.jsonl")
    found = checked(loop, loop.desk.create(order, owner="acme"))
    assert found.error is None
    uri = found.job.training_uri or ""
    assert uri.startswith("gs://own/jobs/")
    with loop.files.read(uri) as copy:
        assert copy.read() == ROWS
