"""Log lines: one JSON object each, with the names Cloud Logging reads."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuneway.edge.logs import Logs, configure


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
    assert "trace" not in read


def test_lines_of_two_processes_share_a_file(tmp_path: Path) -> None:
    for number in range(2):
        Logs(tmp_path / "x.log").note("INFO", str(number))
    assert len((tmp_path / "x.log").read_text().splitlines()) == 2


def test_without_a_file_lines_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    Logs(None).note("INFO", "hello")
    assert json.loads(capfd.readouterr().err)["message"] == "hello"


@pytest.mark.usefixtures("root")
def test_what_libraries_log_has_the_same_form(tmp_path: Path) -> None:
    configure(tmp_path / "x.log")
    logging.getLogger("library").info("not this")
    logging.getLogger("tuneway.tick").info("this")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("library").exception("and %s", "that")
    lines = [json.loads(line) for line in (tmp_path / "x.log").read_text().splitlines()]
    assert [(line["severity"], line["message"]) for line in lines] == [("INFO", "this"), ("ERROR", "and that")]
    assert "ZeroDivisionError" in lines[1]["trace"]


def test_a_full_disk_costs_the_line_and_nothing_else() -> None:
    Logs(Path("/dev/full")).note("INFO", "lost")
