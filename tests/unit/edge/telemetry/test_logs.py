"""Log lines: one JSON object each, with the names Cloud Logging reads."""

import asyncio
import json
import logging
import os
import select
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tuneway.edge.telemetry.lines import REPORTED, RequestLine
from tuneway.edge.telemetry.logs import Logs, configure
from tuneway.settings import Settings

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)


def test_a_note_is_one_line_of_json(tmp_path: Path) -> None:
    Logs(tmp_path / "deep" / "x.log").note("WARNING", "two\nlines", request="req-1")
    [line] = (tmp_path / "deep" / "x.log").read_text().splitlines()
    read = json.loads(line)
    assert (read["severity"], read["message"], read["request"]) == ("WARNING", "two\nlines", "req-1")
    assert set(read) == {"severity", "message", "request", "time"}


def test_lines_of_two_processes_share_a_file(tmp_path: Path) -> None:
    for number in range(2):
        Logs(tmp_path / "x.log").note("INFO", str(number))
    assert len((tmp_path / "x.log").read_text().splitlines()) == 2


def test_without_a_file_lines_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    Logs(None).note("INFO", "hello")
    assert json.loads(capfd.readouterr().err)["message"] == "hello"


@pytest.mark.usefixtures("root")
def test_what_libraries_log_has_the_same_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SERVICE_NAME", "K_SERVICE", "FUNCTION_TARGET"):  # what a framework in this process may have set
        monkeypatch.delenv(name, raising=False)
    configure(Settings(log_file=tmp_path / "x.log"))
    logging.getLogger("library").info("not this")
    logging.getLogger("tuneway.tick").info("this")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("library").exception("and %s", "that")
    lines = [json.loads(line) for line in (tmp_path / "x.log").read_text().splitlines()]
    assert [(line["severity"], line["message"]) for line in lines] == [("INFO", "this"), ("ERROR", "and that")]
    assert "ZeroDivisionError" in lines[1]["stack_trace"]
    assert (lines[1]["@type"], lines[1]["serviceContext"]) == (REPORTED, {"service": "tuneway"})


def test_a_full_disk_costs_the_line_and_nothing_else() -> None:
    Logs(Path("/dev/full")).note("INFO", "lost")


def line(number: int, *, path: str = "/") -> RequestLine:
    return RequestLine(
        severity="INFO", message="request", time=NOW, request=f"req-{number}", path=path, status=200, ms=1.0
    )


def requests(log: Path) -> list[str]:
    return [json.loads(line)["request"] for line in log.read_text().splitlines()]


async def test_the_lines_of_one_turn_are_written_in_the_next(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "x.log")
    for number in range(3):
        logs.write_soon(line(number))
    assert requests(tmp_path / "x.log") == []
    await asyncio.sleep(0)
    assert requests(tmp_path / "x.log") == ["req-0", "req-1", "req-2"]


async def test_no_line_is_written_twice_or_forgotten(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "x.log")
    for number in range(100):
        logs.write_soon(line(number))
        if number % 30 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert requests(tmp_path / "x.log") == [f"req-{number}" for number in range(100)]


async def test_a_note_comes_after_the_lines_before_it(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "x.log")
    logs.write_soon(line(0))
    logs.note("ERROR", "after", request="req-1")
    assert requests(tmp_path / "x.log") == ["req-0", "req-1"]
    await asyncio.sleep(0)
    assert requests(tmp_path / "x.log") == ["req-0", "req-1"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has pipes that show each write")
async def test_every_write_holds_whole_lines_and_no_more_than_a_pipe_keeps_together() -> None:
    reading, writing = os.pipe2(os.O_DIRECT)
    logs, stderr = Logs(None), os.dup(2)
    os.dup2(writing, 2)
    for number in range(40):
        logs.write_soon(line(number, path="/" + "x" * 500))
    await asyncio.sleep(0)
    os.dup2(stderr, 2)
    os.close(writing)
    writes = list(iter(lambda: os.read(reading, 65_536), b""))
    assert [json.loads(line)["request"] for line in b"".join(writes).splitlines()] == [f"req-{n}" for n in range(40)]
    assert all(write.endswith(b"\n") and len(write) <= select.PIPE_BUF for write in writes)
    assert len(writes) < 10
