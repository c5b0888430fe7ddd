"""Requests that a thread answers: one line each, in their trace, whoever answers them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import flask
import pytest
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.test import EnvironBuilder

from tests.unit.edge.asking import NOW, FakeGrants
from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Door, Rule
from tuneway.edge.telemetry.lines import REPORTED
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.telemetry.observed_requests import observed_request
from tuneway.edge.telemetry.process import Process
from tuneway.errors import Conflict, TryLater
from tuneway.ports import Message, Topic
from tuneway.ports.traces import CURRENT, carrying

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
TRACED = {"authorization": "Bearer tune", "traceparent": TRACEPARENT}


class House:
    """A door, a beat, and what they logged."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "x.log"
        self.logs = Logs(self._log, process=Process(project="shop"))
        self.sent: list[Message] = []
        handlers = {"/good": self._good, "/crash": self._crash, "/conflict": self._conflict, "/content": self._content}
        rules = [Rule("GET", path, Scope.TUNE, handler) for path, handler in handlers.items()]
        self.door = Door(rules, FakeGrants(), now=lambda: NOW, logs=self.logs)

    def __call__(self, path: str, headers: Mapping[str, str] = TRACED) -> flask.Response:
        environ = EnvironBuilder(path, headers=list(headers.items())).get_environ()
        with closing(environ["wsgi.input"]), closing(flask.Request(environ)) as request:
            return self.door(request)

    def beat(self, fault: Exception | None = None) -> dict[str, int]:
        def tick(_: flask.Request) -> dict[str, int]:
            if fault is not None:
                raise fault
            return {"woken": 1}

        environ = EnvironBuilder("/tick", method="POST").get_environ()
        with closing(environ["wsgi.input"]), closing(flask.Request(environ)) as request:
            return observed_request(self.logs)(tick)(request)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def _good(self, _: Call) -> Body:
        self.sent.append(carrying(Message(topic=Topic.JOB_REQUESTED, data=b"{}")))
        return {}

    def _crash(self, _: Call) -> Body:
        raise ValueError("secret detail")

    def _conflict(self, _: Call) -> Body:
        raise Conflict("Somebody was faster.", code="stale")

    def _content(self, _: Call) -> Body:
        def pieces() -> Iterator[bytes]:
            yield b"a"

        return pieces()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_request_leaves_one_line_with_its_trace_and_no_key(house: House) -> None:
    answer = house("/good?x=1")
    [line] = house.lines
    assert (line["message"], line["method"], line["path"], line["status"]) == ("request", "GET", "/good", 200)
    assert (line["owner"], line["request"]) == ("acme", answer.headers["x-request-id"])
    assert line["logging.googleapis.com/trace"] == f"projects/shop/traces/{'a' * 32}"
    assert "key" not in line


def test_what_a_request_publishes_bears_its_trace(house: House) -> None:
    house("/good")
    assert house.sent[0].attributes == {"traceparent": TRACEPARENT}
    assert CURRENT.get() is None


def test_a_request_without_a_trace_begins_one_for_what_follows(house: House) -> None:
    house("/good", {"authorization": "Bearer tune"})
    told = house.sent[0].attributes["traceparent"].split("-")
    assert house.lines[0]["logging.googleapis.com/trace"] == f"projects/shop/traces/{told[1]}"


@pytest.mark.parametrize(
    ("path", "headers", "status", "error"),
    [
        ("/conflict", TRACED, 409, "stale"),
        ("/good", {}, 401, "missing_api_key"),
        ("/none", TRACED, 404, "unknown_url"),
    ],
)
def test_a_refusal_is_in_the_line(house: House, path: str, headers: dict[str, str], status: int, error: str) -> None:
    house(path, headers)
    [line] = house.lines
    assert (line["severity"], line["status"], line["error.type"]) == ("INFO", status, error)


def test_a_doors_crash_is_an_error_line(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house("/crash")
    assert "secret detail" in caplog.text
    assert (house.lines[-1]["severity"], house.lines[-1]["error.type"]) == ("ERROR", "internal_error")


def test_a_file_that_is_sent_leaves_its_line_when_it_is_out(house: House) -> None:
    answer = house("/content")
    assert house.lines == []
    answer.close()
    assert [line["path"] for line in house.lines] == ["/content"]


def test_a_beat_leaves_its_line(house: House) -> None:
    assert house.beat() == {"woken": 1}
    assert [(line["path"], line["status"], line["method"]) for line in house.lines] == [("/tick", 200, "POST")]


@pytest.mark.parametrize(
    ("fault", "kind", "severity"),
    [(TryLater("not now"), ServiceUnavailable, "WARNING"), (ValueError("secret"), InternalServerError, "ERROR")],
)
def test_a_beat_that_fails_says_so_here_alone(
    house: House, fault: Exception, kind: type[HTTPException], severity: str
) -> None:
    with pytest.raises(kind) as caught:
        house.beat(fault)
    note, line = house.lines
    assert (note["severity"], line["severity"], line["status"]) == (severity, "ERROR", kind.code)
    assert (note.get("@type") == REPORTED) == (severity == "ERROR")
    assert str(fault) not in str(caught.value)
