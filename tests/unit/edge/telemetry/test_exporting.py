"""Spans on their way out: nobody waits for them, nothing is lost without a word, and all of it is sent at the end."""

import threading
import time
from datetime import UTC, datetime

import msgspec
import pytest

from tests.unit.edge.otlp import ExportTraceServiceRequest
from tests.waiting import wait_until
from tuneway.edge.telemetry.exporting import Collector, Export, Pace
from tuneway.edge.telemetry.lines import RequestLine
from tuneway.edge.telemetry.process import Process, Sampler

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PACE = Pace(kept=8, batch=3, gather=0.0, pauses=(0.01,), farewell=5.0)


def line(number: int, *, sampled: bool = True, parent: str | None = None) -> RequestLine:
    return RequestLine(
        severity="INFO",
        message="request",
        time=NOW,
        trace=f"projects/p/traces/{'a' * 32}",
        span=f"{number + 1:016x}",
        sampled=sampled,
        parent=parent,
        request=f"req-{number}",
        path="/",
        status=200,
        ms=1.0,
    )


class Host:
    """A collector: answers as it is told to, the last answer for ever, and may be held back."""

    def __init__(self, *answers: int) -> None:
        self._answers = list(answers or (200,))
        self.open = threading.Event()
        self.open.set()
        self.batches: list[list[str]] = []

    def __call__(self, body: bytes, timeout: float) -> int:
        assert timeout > 0
        self.open.wait(60)
        status = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if status == 200:
            found = msgspec.json.decode(body, type=ExportTraceServiceRequest)
            self.batches.append([str(span.told["tuneway.request"]) for span in found.spans])
        return status

    @property
    def taken(self) -> list[str]:
        return [request for batch in self.batches for request in batch]


class Reports(list[str]):
    """What was reported."""


def export(host: Host, reports: Reports | None = None, *, pace: Pace = PACE, sampler: Sampler = "always_on") -> Export:
    told = Reports() if reports is None else reports
    return Export(Process(sampler=sampler), host, report=told.append, pace=pace)


def test_what_is_added_arrives_once_and_in_order() -> None:
    host = Host()
    spans = export(host)
    for number in range(7):
        spans.add(line(number))
    spans.close()
    assert host.taken == [f"req-{number}" for number in range(7)]
    assert all(len(batch) <= PACE.batch for batch in host.batches)


def test_spans_that_come_together_go_together() -> None:
    host = Host()
    spans = export(host, pace=msgspec.structs.replace(PACE, gather=5.0))
    for number in range(3):
        spans.add(line(number))
    spans.close()
    assert [len(batch) for batch in host.batches] == [3]


def test_nobody_waits_for_a_collector_that_hangs_and_what_does_not_fit_is_counted() -> None:
    host, reports = Host(), Reports()
    host.open.clear()
    spans = export(host, reports)
    started = time.monotonic()
    for number in range(20):
        spans.add(line(number))
    assert time.monotonic() - started < 30
    assert spans.dropped >= 20 - PACE.kept - PACE.batch
    host.open.set()
    spans.close()
    assert len(host.taken) + spans.dropped == 20
    assert reports == [
        f"{spans.dropped} spans were dropped: the collector does not take them, or not as fast as they come."
    ]


def test_a_passing_fault_is_tried_again() -> None:
    host = Host(503, 200)
    spans = export(host)
    spans.add(line(0))
    spans.close()
    assert (host.taken, spans.dropped) == (["req-0"], 0)


@pytest.mark.parametrize("answers", [(400,), (401,), (302,), (503,)])
def test_what_is_never_taken_is_dropped_and_told(answers: tuple[int, ...]) -> None:
    host, reports = Host(*answers), Reports()
    spans = export(host, reports)
    spans.add(line(0))
    spans.close()
    assert (host.taken, spans.dropped, len(reports)) == ([], 1, 1)


def test_losses_are_told_once_a_minute_at_most() -> None:
    reports = Reports()
    spans = export(Host(400), reports)
    for number in range(8):
        spans.add(line(number))
        wait_until(lambda so_far=number + 1: spans.dropped == so_far)  # type: ignore[misc]  # bound at once
    told = len(reports)
    spans.close()
    assert (told, spans.dropped) == (1, 8)
    assert sum(int(report.split()[0]) for report in reports) == 8


def test_a_farewell_takes_no_longer_than_it_may() -> None:
    host = Host()
    host.open.clear()
    spans = export(host, pace=msgspec.structs.replace(PACE, farewell=0.1))
    spans.add(line(0))
    started = time.monotonic()
    spans.close()
    assert time.monotonic() - started < 30
    host.open.set()


@pytest.mark.parametrize(
    ("sampler", "taken"),
    [("always_on", ["req-0", "req-1", "req-2"]), ("parentbased_always_on", ["req-0", "req-2"])],
)
def test_a_caller_who_does_not_sample_is_heeded_where_that_is_asked_for(sampler: Sampler, taken: list[str]) -> None:
    host = Host()
    spans = export(host, sampler=sampler)
    spans.add(line(0, parent="c" * 16))
    spans.add(line(1, parent="c" * 16, sampled=False))
    spans.add(line(2))
    spans.close()
    assert host.taken == taken


def test_many_threads_add_and_none_is_lost() -> None:
    host = Host()
    spans = export(host, pace=msgspec.structs.replace(PACE, kept=1000))
    threads = [threading.Thread(target=spans.add, args=(line(number),)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans.close()
    assert sorted(host.taken) == sorted(f"req-{number}" for number in range(100))


def test_no_prompt_waits_with_a_span() -> None:
    host = Host()
    host.open.clear()
    spans = export(host)
    spans.add(msgspec.structs.replace(line(0), prompt={"messages": "long"}))
    assert "long" not in repr(spans._waiting)  # noqa: SLF001  (what is held back is the point)
    host.open.set()
    spans.close()
    assert host.taken == ["req-0"]


def test_what_nobody_foresaw_costs_a_batch_and_not_the_thread() -> None:
    host, reports = Host(), Reports()
    faults = iter([ValueError("the key is €")])

    def post(body: bytes, timeout: float) -> int:
        for fault in faults:
            raise fault
        return host(body, timeout)

    spans = Export(Process(), post, report=reports.append, pace=PACE)
    spans.add(line(0))
    while not reports:
        time.sleep(0.01)
    spans.add(line(1))
    spans.close()
    assert (host.taken, spans.dropped, reports[0]) == (["req-1"], 1, "Spans cannot be sent: ValueError.")


def test_a_collector_that_is_not_there_is_a_passing_fault() -> None:
    assert Collector(Process(spans_url="http://127.0.0.1:1/v1/traces"))(b"{}", 1.0) == 503
