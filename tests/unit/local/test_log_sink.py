"""The log's requests, on their way to being counted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes import FakeEvents, Fuse
from tuneway.errors import TryLater
from tuneway.local.log_sink import LogSink
from tuneway.ports import Topic

LINE = {"severity": "INFO", "message": "request", "time": "2026-11-18T13:26:40Z", "key": "k", "status": 200}


class Site:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "x.log"
        self.file.touch()
        self.events = FakeEvents(Fuse())

    def sink(self) -> LogSink:
        return LogSink(self.file, self.file.with_suffix(".place"), self.events, project="p")

    def log(self, *lines: bytes | dict[str, object]) -> None:
        with self.file.open("ab") as file:
            file.writelines(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_request_becomes_an_entry_as_cloud_logging_sends_it(site: Site) -> None:
    site.log(LINE)
    assert site.sink().look() == 1
    (message,) = site.events.sent
    entry = json.loads(message.data)
    assert message.topic is Topic.USAGE_RECORDED
    assert entry["jsonPayload"] == {"message": "request", "key": "k", "status": 200}
    assert datetime.fromisoformat(entry["timestamp"]) == datetime(2026, 11, 18, 13, 26, 40, tzinfo=UTC)
    assert entry["insertId"]


def test_only_requests_with_a_key_pass_and_each_once(site: Site) -> None:
    sink = site.sink()
    site.log({**LINE, "message": "else"}, b"Traceback\n", b"\xff\n", {"message": "request"}, LINE, LINE)
    assert (sink.look(), sink.look()) == (2, 0)
    site.log(LINE)
    assert site.sink().look() == 1
    assert len({json.loads(message.data)["insertId"] for message in site.events.sent}) == 3


def test_half_a_line_waits_for_its_other_half(site: Site) -> None:
    whole = json.dumps(LINE).encode() + b"\n"
    site.log(whole[:20])
    assert site.sink().look() == 0
    site.log(whole[20:])
    assert site.sink().look() == 1


def test_what_could_not_be_published_comes_again_under_the_same_id(site: Site) -> None:
    site.log(LINE)
    site.events.away = True
    with pytest.raises(TryLater):
        site.sink().look()
    site.events.away = False
    assert site.sink().look() == 1


def test_a_new_file_is_read_from_its_beginning(site: Site) -> None:
    site.log(LINE, LINE)
    site.sink().look()
    site.file.write_bytes(b"")
    site.log(LINE)
    assert site.sink().look() == 1


def test_a_sink_that_runs_follows_the_file(site: Site) -> None:
    sink = LogSink(site.file, site.file.with_suffix(".place"), site.events, project="p", interval=0.01)
    sink.start()
    site.log(LINE)
    while not site.events.sent:
        pass
    sink.stop()
    assert len(site.events.sent) == 1
