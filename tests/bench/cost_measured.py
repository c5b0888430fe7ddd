"""What ``cost.py`` reckons with, measured again: ``python -m tests.bench.cost_measured`` writes ``cost_measured.json``.

Polling is simulated (``polling.py``), a job's messages and documents are counted on the fakes that the tests use, lines
are the code's own, and ``predict`` runs as the platform runs it, on one core, against a mock of a model's host.
"""

import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.bench.figures import LOAD_CORE, Effort, built
from tests.bench.gateway import Bench, Ports
from tests.bench.polling import Simulation
from tests.bench.processes import running
from tests.fakes import Loop
from tests.ports import free_port
from tuneway.edge.telemetry.lines import EventLine, Line, RequestLine
from tuneway.ports import Document, Key, Message, Query, Topic, Write

FILE = Path(__file__).with_suffix(".json")
SIZES = (0, 10, 1000)
TICKS = 60
TRACE: dict[str, Any] = {"trace": f"projects/my-project/traces/{'a' * 32}", "span": "b" * 16, "sampled": False}


class Polling(msgspec.Struct, frozen=True, kw_only=True):
    """For each beat of a minute, with so many jobs that train."""

    jobs: int
    reads: float
    written: float
    messages: float
    finished: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, CPU microseconds and megabytes; messages, reads and writes are those of a job from order to model."""

    date: date
    predict_cpu_us: float
    predict_memory_mb: float
    request_line: int
    event_line: int
    tick_line: int
    job_messages: float
    job_reads: float
    job_writes: float
    polling: tuple[Polling, ...]


class _CountedDocuments:
    """Documents whose reads and writes are counted as Firestore bills them: a question without an answer is a read."""

    def __init__(self, loop: Loop) -> None:
        self._inner = loop.documents.inner
        loop.documents.inner = self
        self.reads = self.writes = 0

    def get(self, key: Key) -> Document | None:
        self.reads += 1
        return self._inner.get(key)

    def find(self, query: Query) -> list[Document]:
        found = self._inner.find(query)
        self.reads += max(1, len(found))
        return found

    def commit(self, *writes: Write) -> None:
        self.writes += len(writes)
        self._inner.commit(*writes)


def polled(size: int) -> Polling:
    """A steady fleet's beats, on average."""
    simulation, sent = Simulation(size), Counter[Topic]()
    taken = simulation.outbox.taken

    def counting() -> list[Message]:
        messages = list(taken())
        sent.update(message.topic for message in messages)
        return messages

    simulation.outbox.taken = counting  # type: ignore[method-assign]  # counted on their way
    cost = simulation.cost(TICKS)
    figures = (cost.reads, cost.written, sent[Topic.POLL_DUE] / TICKS, sent[Topic.JOB_FINISHED] / TICKS)
    reads, written, messages, finished = (round(figure, 3) for figure in figures)
    return Polling(jobs=size, reads=reads, written=written, messages=messages, finished=finished)


def one_job() -> tuple[float, float, float]:
    """Messages, reads and writes of one job on its own, without the beats that look after it."""
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop(Path(folder))
        counted = _CountedDocuments(loop)
        job = loop.desk.create(loop.order(), owner="acme")
        loop.settle(beats=6)
        assert loop.job(job.id).fine_tuned_model is not None or not loop.job(job.id).open
        sent = [message for message in loop.events.sent if message.topic is not Topic.POLL_DUE]
    return len(sent), counted.reads, counted.writes


def lines() -> tuple[int, int, int]:
    """The bytes of a request's line, an event's, and the beat's."""
    now = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
    request = RequestLine(
        severity="INFO", message="request", time=now, **TRACE, request=f"req-{'a' * 24}", path="/v1/chat/completions",
        status=200, ms=1250.55, ms_upstream=1248.11, owner="acme", key="0123456789ab", attempts=1, stream=True,
        target="vertex_ai/my-project/us-central1/endpoints/1234567890123456789", cost_usd=0.000251, model="shop",
        operation="chat", provider="gcp.vertex_ai", served="1234567890123456789", tokens_in=812, tokens_out=164,
    )  # fmt: skip
    event = EventLine(
        severity="INFO", message="event", time=now, **TRACE, function="record_usage", outcome="taken", ms=41.27,
        system="gcp_pubsub", destination="usage-recorded", subscription="usage-recorded.record_usage",
        id="1234567890123456", operation="process", operation_type="process", attempt=1,
    )  # fmt: skip
    tick = RequestLine(
        severity="INFO", message="request", time=now, **TRACE, request=f"req-{'a' * 24}", method="POST", path="/tick",
        status=200, ms=41.27,
    )  # fmt: skip
    return _size(request), _size(event), _size(tick)


def _size(line: Line) -> int:
    return len(msgspec.json.encode(line)) + 1


def predict() -> tuple[float, float]:
    """CPU microseconds a request, and megabytes under load."""
    with tempfile.TemporaryDirectory(prefix="tuneway-bench-") as name:
        folder = Path(name)
        programs, ports = built(folder), Ports(free_port(), free_port())
        upstream = [str(programs["upstream"]), f"{ports.fast}:0", f"{ports.paced}:20000"]
        with running(upstream, core=LOAD_CORE):
            time.sleep(0.2)
            row = Bench(folder, Effort(1.0, 1), ports, programs["lg"]).predict("gemini")
    return row.runs[16].cpu_us, row.memory_mb or 0.0


def main() -> None:
    """Measure and write."""
    request, event, tick = lines()
    cpu, memory = predict()
    messages, reads, writes = one_job()
    measured = Measured(
        date=datetime.now(UTC).date(),
        predict_cpu_us=round(cpu),
        predict_memory_mb=round(memory),
        request_line=request,
        event_line=event,
        tick_line=tick,
        job_messages=messages,
        job_reads=reads,
        job_writes=writes,
        polling=tuple(map(polled, SIZES)),
    )
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
    print(FILE.read_text())


if __name__ == "__main__":
    main()
