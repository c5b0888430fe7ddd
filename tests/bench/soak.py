"""Mixed calls against a host that misbehaves in every way: does each end clearly, and is nothing left behind?

``python -m tests.bench.soak [--calls 50000] [--at-once 64]`` prints what the function held, and how the calls ended.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from tests.bench.callers import Call, Ending, Leaves, called
from tests.bench.hostile import BEHAVIOURS, FLOODS, SOUND, Hostile, endpoint, hostile
from tests.bench.processes import running
from tests.ports import free_port
from tests.waiting import PATIENCE
from tuneway.access.keys import Grant, Scope, fingerprint
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.routing.routes import Dialect, Provider, Route, Target
from tuneway.routing.snapshot import Snapshot, change
from tuneway.settings import Settings

ROOT = Path(__file__).parents[2]
CENSUS = Path(__file__).with_name("census.py")
KEY, SECRET = "tw-key", "env:SOAK_SECRET"
CHAT, MESSAGES, COUNTED = "/v1/chat/completions", "/v1/messages", "/census"
READ_TIMEOUT = 2.0  # a sound host answers in time, however busy the machine is
SETTLE_SECONDS = 120.0
PROVIDERS: dict[Dialect, Provider] = {
    "openai": "custom_openai",
    "anthropic": "anthropic",
    "bedrock": "bedrock",
    "gemini": "vertex",
    "instances": "vertex",
}


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """What the function holds after so many calls; ``upstream`` connections and ``busy`` ones as the host counts."""

    calls: int
    tasks: int
    sockets: int
    objects: int
    mb: float
    upstream: int
    busy: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How it went: the held, before and after each part, and the endings by behaviour."""

    held: list[Census]
    endings: Counter[tuple[str, str, int]]
    faults: list[tuple[Call, Ending]]
    seconds: float


class Soak:
    """The running function, and the host behind it."""

    def __init__(self, port: int, host: Hostile, *, draw: random.Random) -> None:
        self._port = port
        self._host = host
        self._draw = draw

    async def made(self, calls: int, *, at_once: int) -> list[tuple[Call, Ending]]:
        """So many calls, so many at once; every one with its ending."""
        ended: list[tuple[Call, Ending]] = []

        async def caller(share: int) -> None:
            for _ in range(share):
                call = some_call(self._draw)
                ended.append((call, await called(self._port, call)))

        shares = [calls // at_once + (number < calls % at_once) for number in range(at_once)]
        await asyncio.gather(*(caller(share) for share in shares))
        return ended

    async def settled(self, calls: int) -> Census:
        """What is held once nothing is under way; after ``SETTLE_SECONDS`` whatever is held then."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            held = await self._census(calls)
            if (held.busy == 0 and held.sockets <= held.upstream + 4) or time.monotonic() > end:
                return held
            await asyncio.sleep(0.1)

    async def _census(self, calls: int) -> Census:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET %b HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n" % COUNTED.encode())
        answer = await reader.read(-1)
        writer.close()
        told = json.loads(answer.partition(b"\r\n\r\n")[2])
        return Census(**told, calls=calls, upstream=self._host.open, busy=self._host.busy)


def some_call(draw: random.Random) -> Call:
    """Any dialect, behaviour, surface, and caller; half of all are sound, floods are rare for they are long."""
    names = [behaviour.__name__ for behaviour in BEHAVIOURS]
    weights = [10.0 if name in SOUND else 0.15 if name in FLOODS else 2.5 for name in names]
    behaviour = draw.choices(names, weights)[0]
    leaves: tuple[Leaves, ...] = ("never", "asking", "waiting", "reading")
    return Call(
        model=f"{draw.choice(list(PROVIDERS))}-{behaviour}",
        path=draw.choice((CHAT, CHAT, MESSAGES)),
        stream=draw.random() < 0.5,
        leaves=draw.choices(leaves, (17, 1, 1, 1))[0],
    )


def target(dialect: Dialect, behaviour: str, *, port: int) -> Target:
    """The target of that dialect which behaves so."""
    provider = PROVIDERS[dialect]
    if provider == "vertex":
        resource = f"projects/p/locations/us-central1/endpoints/{endpoint(behaviour)}"
        return Target(resource=resource, dialect=dialect)
    base, secret = f"http://127.0.0.1:{port}/{behaviour}", None if dialect == "openai" else SECRET
    url = f"{base}/v1" if dialect == "openai" else base
    region = "us-east-1" if dialect == "bedrock" else None
    return Target(dialect=dialect, provider=provider, model="m", base_url=url, secret=secret, region=region)


def write_state(folder: Path, *, port: int) -> None:
    """A key, and a route for each dialect and behaviour."""
    grant = Grant(owner="soak", scopes=(Scope.PREDICT,), created_at=0.0)
    names = [(dialect, behaviour.__name__) for dialect in PROVIDERS for behaviour in BEHAVIOURS]

    def changed(snapshot: Snapshot) -> Snapshot:
        snapshot = snapshot.with_key(fingerprint(KEY), grant)
        for dialect, name in names:
            targets = (target(dialect, name, port=port),)
            snapshot = snapshot.with_route(Route(alias=f"{dialect}-{name}", targets=targets, created_at=0.0))
        return snapshot

    documents = SqliteDocuments(folder / "state.sqlite")
    change(documents, changed)
    documents.close()


@asynccontextmanager
async def soaking(folder: Path, *, seed: int = 1) -> AsyncIterator[Soak]:
    """The host and the function, started and ended."""
    async with hostile() as host:
        write_state(folder, port=host.port)
        with _function(folder, host.port) as port:
            await _ready(port)
            yield Soak(port, host, draw=random.Random(seed))


@contextmanager
def _function(folder: Path, upstream: int) -> Iterator[int]:
    port = free_port()
    settings = Settings(
        project="p",
        state_folder=folder,
        vertex_url=f"http://127.0.0.1:{upstream}",
        log_file=folder / "predict.log",
        upstream_read_timeout=READ_TIMEOUT,
    )
    program = Path(sys.executable).with_name("functions-framework")
    options = ["--source", str(CENSUS), "--target", "predict", "--host", "127.0.0.1", "--port", str(port)]
    paths = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "WORKERS": "1", "SOAK_SECRET": "a-key"}
    with running([program, *options], env={**settings.to_env(), **paths}, log=folder / "out.log"):
        yield port


async def _ready(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("the function did not start")


async def soaked(
    folder: Path, *, calls: int, at_once: int, parts: int, told: Callable[[Census], None] = lambda _: None
) -> Outcome:
    """All calls, in equal parts, with a census after each; the first part fills caches and pools."""
    held: list[Census] = []
    endings: Counter[tuple[str, str, int]] = Counter()
    faults: list[tuple[Call, Ending]] = []
    started = time.monotonic()
    async with soaking(folder) as soak:
        for part in range(parts):
            for call, ending in await soak.made(calls // parts, at_once=at_once):
                endings[call.model, ending.kind, ending.status] += 1
                faults += [(call, ending)] if ending.kind == "fault" else []
            held.append(await soak.settled((part + 1) * (calls // parts)))
            told(held[-1])
    return Outcome(held=held, endings=endings, faults=faults, seconds=time.monotonic() - started)


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--parts", type=int, default=10)
    given = parser.parse_args()
    print("| calls | tasks | sockets | upstream's connections | busy | objects | MB |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="tuneway-soak-") as folder:
        work = soaked(Path(folder), calls=given.calls, at_once=given.at_once, parts=given.parts, told=_print)
        outcome = asyncio.run(work)
    _summary(outcome)


def _print(held: Census) -> None:
    figures = (held.calls, held.tasks, held.sockets, held.upstream, held.busy, held.objects, f"{held.mb:.1f}")
    print("| " + " | ".join(map(str, figures)) + " |", flush=True)


def _summary(outcome: Outcome) -> None:
    total = sum(outcome.endings.values())
    print(f"\n{total} calls in {outcome.seconds:.0f} s; {len(outcome.faults)} without a clear end\n")
    table: dict[str, Counter[str]] = {}
    for (model, kind, status), number in outcome.endings.items():
        table.setdefault(model.partition("-")[2], Counter())[f"{kind} {status or ''}".strip()] += number
    for behaviour, kinds in sorted(table.items()):
        print(f"{behaviour}: " + ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))
    for call, ending in outcome.faults[:20]:
        print(call, ending)


if __name__ == "__main__":
    main()
