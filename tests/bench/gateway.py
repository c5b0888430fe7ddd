"""How much a request through ``predict`` costs, next to nginx and the bare framework, in one run.

``python -m tests.bench.gateway [--quick]``. The server under test has one core, load and mock upstream the other.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median as middle

import msgspec

from tests.bench.doors import CHAT, GEMINI, GEMINI_STREAM, function, predicting
from tests.bench.figures import (
    CONCURRENCIES,
    LOAD_CORE,
    SERVER_CORE,
    Effort,
    Load,
    Run,
    built,
    chat_bodies,
    median,
    round_of,
)
from tests.bench.processes import memory_mb, running, seconds_to_first_answer
from tests.bench.tls import Front, spoken_for
from tests.ports import free_port
from tuneway.routing.routes import Dialect

PACE_US = 20_000
DIALECTS: tuple[Dialect, ...] = ("openai", "gemini", "instances")
STREAMED: tuple[Dialect, ...] = ("openai", "gemini")
CONSTANT = """import functions_framework.aio
from starlette.responses import Response

BODY = b'{"object": "chat.completion", "choices": []}' * 12


@functions_framework.aio.http
async def constant(request):
    await request.body()
    return Response(BODY, media_type="application/json")
"""
NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 1000000000;
  upstream models {{ server 127.0.0.1:{upstream}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://models; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


class Ports(msgspec.Struct, frozen=True):
    """The mock upstream's: answering at once, and one event every 20 ms."""

    fast: int
    paced: int


class Row(msgspec.Struct, kw_only=True):
    """One server's line in the tables."""

    name: str
    runs: dict[int, Run] = {}
    events: float | None = None
    stream_cpu_us: float | None = None
    later_ms: float | None = None
    spawn_s: float | None = None
    memory_mb: float | None = None


class Bench:
    """The measurement of one server after the other."""

    def __init__(self, folder: Path, effort: Effort, ports: Ports, lg: Path) -> None:
        self.folder = folder
        self.effort = effort
        self.ports = ports
        self.lg = lg
        self.direct_first_ms = 0.0

    def direct(self) -> Row:
        """No gateway at all: what load and upstream can do."""
        body, _ = chat_bodies(self.folder, "gemini")
        row = Row(name="direct")
        self._whole(row, Load(self.ports.fast, GEMINI, body), None)
        self._streams(row, [Load(port, GEMINI_STREAM, body) for port in (self.ports.fast, self.ports.paced)], None)
        self.direct_first_ms = self._first(Load(self.ports.paced, GEMINI_STREAM, body), None)
        row.later_ms = 0.0
        return row

    def nginx(self, program: str) -> Row:
        """The limit: bytes passed on, nothing read."""
        row = Row(name="nginx, bare proxy")
        body, _ = chat_bodies(self.folder, "gemini")
        with ExitStack() as stack:
            started, (pid, fast) = time.perf_counter(), stack.enter_context(self._nginx(program, self.ports.fast))
            row.spawn_s = seconds_to_first_answer(fast, GEMINI, body.read_bytes(), started=started)
            _, paced = stack.enter_context(self._nginx(program, self.ports.paced))
            seconds_to_first_answer(paced, GEMINI, body.read_bytes(), started=time.perf_counter())
            self._whole(row, Load(fast, GEMINI, body), pid)
            row.memory_mb = memory_mb(pid)
            self._streams(row, [Load(port, GEMINI_STREAM, body) for port in (fast, paced)], pid)
        return row

    @contextmanager
    def _nginx(self, program: str, upstream: int) -> Iterator[tuple[int, int]]:
        port = free_port()
        folder = self.folder / f"nginx-{port}"
        folder.mkdir()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
        with running([program, "-c", str(folder / "nginx.conf"), "-p", str(folder)], core=SERVER_CORE) as pid:
            yield pid, port

    def constant(self) -> Row:
        """The bare framework: what no function on it can beat."""
        (self.folder / "main.py").write_text(CONSTANT)
        row = Row(name="functions-framework, constant")
        body, _ = chat_bodies(self.folder, "gemini")
        started = time.perf_counter()
        with function(self.folder / "main.py", "constant", {}, log=self.folder / "constant.out") as (pid, port):
            row.spawn_s = seconds_to_first_answer(port, CHAT, body.read_bytes(), started=started)
            self._whole(row, Load(port, CHAT, body), pid)
            row.memory_mb = memory_mb(pid)
        return row

    def predict(self, dialect: Dialect, front: Front | None = None) -> Row:
        """Key checked, route found, translated both ways, logged; over TLS where there is a ``front``."""
        row = Row(name=f"predict, {dialect}{' over TLS' if front else ''}")
        whole, streamed = chat_bodies(self.folder, dialect)
        with self._predicting(self.ports.fast, front) as (pid, port):
            seconds_to_first_answer(port, CHAT, whole.read_bytes(), started=time.perf_counter())
            self._whole(row, Load(port, CHAT, whole), pid)
            row.memory_mb = memory_mb(pid)
            with self._predicting(self.ports.paced, front) as (_, paced):
                seconds_to_first_answer(paced, CHAT, whole.read_bytes(), started=time.perf_counter())
                if dialect in STREAMED:
                    self._streams(row, [Load(port, CHAT, streamed), Load(paced, CHAT, streamed)], pid)
        row.spawn_s = middle(self._spawn(whole.read_bytes(), front) for _ in range(self.effort.rounds))
        return row

    def _predicting(self, upstream: int, front: Front | None) -> AbstractContextManager[tuple[int, int]]:
        if front is None:
            return predicting(self.folder, upstream=upstream)
        trusting = {"SSL_CERT_FILE": str(front.certificate)}
        return predicting(self.folder, upstream=front.ports[upstream], scheme="https", env=trusting)

    def _spawn(self, body: bytes, front: Front | None) -> float:
        started = time.perf_counter()
        with self._predicting(self.ports.fast, front) as (_, port):
            return seconds_to_first_answer(port, CHAT, body, started=started)

    def _whole(self, row: Row, load: Load, pid: int | None) -> None:
        round_of(self.lg, load, at_once=16, seconds=1.0, pid=pid)  # warm
        row.runs = {at: median(self.lg, load, self.effort, at_once=at, pid=pid) for at in CONCURRENCIES}

    def _streams(self, row: Row, loads: list[Load], pid: int | None) -> None:
        fast, paced = loads
        run = median(self.lg, fast, self.effort, at_once=16, pid=pid)
        row.events, row.stream_cpu_us = run.events, run.cpu_us
        if pid is not None:
            row.later_ms = self._first(paced, pid) - self.direct_first_ms

    def _first(self, load: Load, pid: int | None) -> float:
        paced = Effort(max(self.effort.seconds, 3.0), self.effort.rounds)
        return median(self.lg, load, paced, at_once=16, pid=pid).first


def measured(folder: Path, effort: Effort) -> Iterator[Row]:
    """Each server's figures as they come."""
    programs = built(folder)
    ports = Ports(free_port(), free_port())
    upstream = [str(programs["upstream"]), f"{ports.fast}:0", f"{ports.paced}:{PACE_US}"]
    with running(upstream, core=LOAD_CORE):
        bench = Bench(folder, effort, ports, programs["lg"])
        body, _ = chat_bodies(folder, "gemini")
        seconds_to_first_answer(ports.fast, GEMINI, body.read_bytes(), started=time.perf_counter())
        yield bench.direct()
        program = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
        if program is not None:
            yield bench.nginx(program)
        yield bench.constant()
        yield from map(bench.predict, DIALECTS)
        if program is not None:
            with spoken_for(program, folder, ports.fast, ports.paced) as front:
                yield from (bench.predict(dialect, front) for dialect in STREAMED)


def printed(row: Row) -> str:
    """One line of the table."""
    at = row.runs
    cells = [
        f"{at[16].cpu_us:,.0f}" if at[16].cpu_us else "",
        *(f"{at[n].rate:,.0f}" for n in CONCURRENCIES),
        *(f"{at[n].p50:.1f}/{at[n].p99:.1f}" for n in CONCURRENCIES),
        f"{row.events:,.0f}" if row.events else "",
        f"{row.later_ms:.1f}" if row.later_ms is not None else "",
        f"{row.spawn_s:.2f}" if row.spawn_s is not None else "",
        f"{row.memory_mb:.0f}" if row.memory_mb is not None else "",
    ]
    return f"| {row.name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: figures that only show the direction")
    effort = Effort(1.0, 1) if parser.parse_args().quick else Effort(3.0, 3)
    print(
        "| one core | CPU µs a request | req/s at 1 | 16 | 64 | p50/p99 ms at 1 | 16 | 64 | events/s streamed"
        " | first chunk later, ms | spawn to first 200, s | MB |"
    )
    print("|---|" + "---|" * 11, flush=True)
    with tempfile.TemporaryDirectory(prefix="tuneway-bench-") as folder:
        for row in measured(Path(folder), effort):
            print(printed(row), flush=True)


if __name__ == "__main__":
    main()
