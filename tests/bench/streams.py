"""A thousand streams at once through one instance: how much later do tokens come, and what does it hold?

``python -m tests.bench.streams [--streams 1000] [--seconds 20]``. The function has one core, load and mock upstream the
other; every stream gets 20 tokens a second. The same load with no function in between is measured first: it has
delays of its own, for a thousand streams take their turns there too. So is a function that passes bytes on and does
nothing else: the least that streams cost on this framework, with this client, on this machine.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.bench.doors import CHAT, GEMINI, GEMINI_STREAM, function, predicting
from tests.bench.figures import LOAD_CORE, Load, built, chat_bodies
from tests.bench.processes import as_nice_as_we_are, cpu_seconds, memory_mb, pinned, running, seconds_to_first_answer
from tests.ports import free_port

GAP_US = 50_000  # 20 tokens a second
PASSING = """import asyncio
import os

import functions_framework.aio
from starlette.responses import Response

from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.ports import UpstreamRequest

upstream = HttptoolsUpstream()


class Passing(Response):
    async def __call__(self, scope, receive, send):
        await asyncio.create_task(self.passed(send))

    async def passed(self, send):
        request = UpstreamRequest(url=os.environ["UPSTREAM"], headers=JSON, body=self.body)
        async with upstream.send(request) as answer:
            await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
            async for data in answer.chunks():
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


JSON = {"content-type": "application/json"}
EVENTS = [(b"content-type", b"text/event-stream")]


@functions_framework.aio.http
async def passing(request):
    return Passing(await request.body())
"""


class Told(msgspec.Struct, frozen=True):
    """What ``gaps`` tells, times in microseconds."""

    events: int
    answers: int
    errors: int
    starved: int
    seconds: float
    first_p50: int
    first_p99: int
    gap_p50: int
    gap_p90: int
    gap_p99: int
    gap_p999: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way through: what its streams saw, and what it took."""

    name: str
    told: Told
    core: float | None = None
    memory_mb: float | None = None

    def printed(self) -> str:
        """Its line of the table."""
        told = self.told
        late = [(gap - GAP_US) / 1000 for gap in (told.gap_p50, told.gap_p90, told.gap_p99, told.gap_p999)]
        cells = [
            f"{told.events / told.seconds:,.0f}",
            *(f"{ms:.1f}" for ms in late),
            f"{told.first_p50 / 1000:.0f}/{told.first_p99 / 1000:.0f}",
            str(told.starved),
            str(told.errors),
            f"{self.core:.0%}" if self.core is not None else "",
            f"{self.memory_mb:.0f}" if self.memory_mb is not None else "",
        ]
        return f"| {self.name} | " + " | ".join(cells) + " |"


class Streams:
    """The load, again and again."""

    def __init__(self, program: Path, *, streams: int, seconds: float) -> None:
        self._program = program
        self._given = str(streams), str(seconds)

    def direct(self, name: str, load: Load) -> Row:
        """With nothing in between."""
        return Row(name=name, told=self._held(load))

    def through(self, name: str, load: Load, pid: int) -> Row:
        """Through a function; its memory is taken while the streams are open."""
        before = cpu_seconds(pid)
        with self._started(load) as holding:
            peak = 0.0
            while holding.poll() is None:
                peak = max(peak, memory_mb(pid))
                time.sleep(0.5)
            told = msgspec.json.decode(holding.communicate()[0], type=Told)
        return Row(name=name, told=told, core=(cpu_seconds(pid) - before) / told.seconds, memory_mb=peak)

    def _held(self, load: Load) -> Told:
        with self._started(load) as holding:
            return msgspec.json.decode(holding.communicate()[0], type=Told)

    def _started(self, load: Load) -> "subprocess.Popen[bytes]":
        streams, seconds = self._given
        given: list[str | Path] = [str(load.port), load.path, streams, seconds, load.body, str(GAP_US)]
        holding = subprocess.Popen(
            pinned(LOAD_CORE, self._program, *given), stdout=subprocess.PIPE, start_new_session=True
        )
        as_nice_as_we_are(holding.pid)
        return holding


def measured(folder: Path, *, streams: int, seconds: float) -> Iterator[Row]:
    """Each way's figures as they come."""
    programs = built(folder)
    port = free_port()
    load = Streams(programs["gaps"], streams=streams, seconds=seconds)
    with running([str(programs["upstream"]), f"{port}:{GAP_US}"], core=LOAD_CORE):
        whole, body = chat_bodies(folder, "gemini")
        _, passed = chat_bodies(folder, "openai")
        seconds_to_first_answer(port, GEMINI, whole.read_bytes(), started=time.perf_counter())
        yield load.direct("direct", Load(port, GEMINI_STREAM, body))
        (folder / "main.py").write_text(PASSING)
        where = {"UPSTREAM": f"http://127.0.0.1:{port}{GEMINI_STREAM}"}
        with function(folder / "main.py", "passing", where, log=folder / "passing.out") as (pid, door):
            seconds_to_first_answer(door, CHAT, body.read_bytes(), started=time.perf_counter())
            yield load.through("functions-framework, bytes passed on", Load(door, CHAT, body), pid)
        for name, sent in (("predict, openai as it came", passed), ("predict, gemini translated", body)):
            with predicting(folder, upstream=port) as (pid, door):
                seconds_to_first_answer(door, CHAT, whole.read_bytes(), started=time.perf_counter())
                yield load.through(name, Load(door, CHAT, sent), pid)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--quick", action="store_true", help="five seconds")
    given = parser.parse_args()
    seconds = 5.0 if given.quick else given.seconds
    print(
        f"\n| {given.streams} streams, 20 tokens a second each | tokens/s | later p50, ms | p90 | p99 | p99.9 "
        "| first p50/p99, ms | starved | errors | core | MB |\n|---|" + "---|" * 10,
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="tuneway-streams-") as folder:
        for row in measured(Path(folder), streams=given.streams, seconds=seconds):
            print(row.printed(), flush=True)


if __name__ == "__main__":
    main()
