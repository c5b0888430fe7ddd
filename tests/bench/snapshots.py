"""The routes of a large installation: how long they take to load, and a change to reach four warm instances.

``python -m tests.bench.snapshots [--seconds 10]``. It prints; nothing fails on a slow machine. The instances, their
upstream and the load share the machine's cores, so the latencies are for comparison with each other alone.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import httpx
import msgspec

from tests.integration.surfaces.door import KEY, Door, opened
from tests.vendors import vendors
from tuneway.access.keys import Grant, Scope, fingerprint
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.ports import Query
from tuneway.routing.fragments import Snapshot
from tuneway.routing.live import Freshness, LiveSnapshot
from tuneway.routing.routes import Limits, Route, Target
from tuneway.routing.snapshot import PARTS, SNAPSHOT, change

ROUTES = KEYS = 5_000
INSTANCES = 4
ROUNDS = 5
RATE = 20.0  # requests a second at each instance
CHAT = {"model": "probe", "messages": [{"role": "user", "content": "Hello"}]}


class Seen(msgspec.Struct, frozen=True):
    """One answer: when it came, how long it took in ms, and from which target."""

    at: float
    ms: float
    target: str


def large() -> Snapshot:
    """So many routes and keys, as wide as real ones: two targets, a fallback, an owner."""
    routes = {f"team-{n % 97}-model-{n}": _route(f"team-{n % 97}-model-{n}", n) for n in range(ROUTES)}
    keys = {
        fingerprint(f"key-{n}"): Grant(owner=f"team-{n % 97}", scopes=(Scope.PREDICT,), name=f"app-{n}", created_at=1.0)
        for n in range(KEYS)
    }
    places = {f"us-central1/endpoints/{10**18 + n}": f"team-{n % 97}" for n in range(ROUTES)}
    return Snapshot(routes=routes, keys=keys, places=places)


def _route(alias: str, number: int) -> Route:
    own = Target(
        resource=f"projects/my-project/locations/us-central1/endpoints/{10**18 + number}", model="gemini-3.5-flash"
    )
    other = Target(provider="azure", dialect="openai", model="gpt-5", base_url="https://my.openai.azure.com", order=1)
    return Route(
        alias=alias,
        targets=(own, other),
        created_at=1.0,
        owner=f"team-{number % 97}",
        fallbacks=("vertex_ai/gemini-3.5-flash-lite",),
        timeouts=Limits(total=60.0),
    )


def loaded(folder: Path) -> None:
    """Write the large snapshot, read it as an instance does, and print what it took."""
    documents = SqliteDocuments(folder / "state.sqlite")
    change(documents, lambda before: msgspec.structs.replace(large(), version=before.version))
    head = documents.get(SNAPSHOT)
    parts = documents.find(Query(collection=PARTS))
    size = sum(len(str(part.fields["body"])) for part in parts)
    print(f"{ROUTES:,} routes, {KEYS:,} keys: {size:,} bytes in {len(parts)} parts", end="")
    print(f", the head {len(str(head.fields['body'])) if head else 0:,} bytes")
    asyncio.run(_read(folder, documents))
    documents.close()


async def _read(folder: Path, documents: SqliteDocuments) -> None:
    first = [await _timed(_fresh(folder).get) for _ in range(9)]
    wall, cpu = zip(*first, strict=True)
    middle, work = statistics.median(wall), statistics.median(cpu)
    print(f"load           {middle:6.1f} ms ({work:.1f} of them CPU), the quickest {min(wall):.1f} ms")
    live = _fresh(folder)
    await live.get()
    again: list[float] = []
    held: list[float] = []
    for number in range(5):
        change(documents, partial(Snapshot.with_route, route=_route("probe", number)))
        held.append(await _held_up(live))
        change(documents, partial(Snapshot.with_route, route=_route("probe", 100 + number)))
        again.append((await _timed(live.renewed))[1])
    work, waited = statistics.median(again), statistics.median(held)
    print(f"after a change {work:6.1f} ms CPU; other requests waited {waited:.1f} ms")


def _fresh(folder: Path) -> LiveSnapshot:
    return LiveSnapshot(SqliteSnapshots(folder / "state.sqlite"), Freshness(refresh=60.0), report=print)


async def _timed(look: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process's own work."""
    began, worked = time.perf_counter(), time.process_time()
    await look()
    return (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


async def _held_up(live: LiveSnapshot) -> float:
    """The longest that the event loop left others waiting while a change was taken over."""
    look, worst = asyncio.ensure_future(live.renewed()), 0.0
    while not look.done():
        began = time.perf_counter()
        await asyncio.sleep(0)
        worst = max(worst, time.perf_counter() - began)
    return worst * 1000


def propagated(folder: Path, *, seconds: float) -> None:
    """Four instances under load, without and with a change every second or so; prints what each took."""
    with ExitStack() as stack:
        fake = stack.enter_context(vendors.vllm())
        environment = {"TUNEWAY_SNAPSHOT_REFRESH": "1.0"}
        doors = [
            stack.enter_context(opened(folder, vertex_url=fake.url, environment=environment)) for _ in range(INSTANCES)
        ]
        registry = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        url = f"{fake.url}/v1"
        registry.submit(led, folder, url, "model-0").result()
        load = Load(doors)
        stack.callback(load.stop)
        load.rest(2.0)
        quiet, busy, delays, numbers = list[Seen](), list[Seen](), list[float](), count(1)
        for _ in range(ROUNDS):  # in turns, because the machine is not the same all the time
            quiet += load.rest(seconds / ROUNDS)
            began = time.monotonic()
            while time.monotonic() - began < seconds / ROUNDS:
                model = f"model-{next(numbers)}"
                delays += load.reached(f"custom_openai/{model}", registry.submit(led, folder, url, model).result())
            busy += load.since(began)
    changes = len(delays) // INSTANCES
    print(f"{INSTANCES} instances, {RATE:.0f} requests/s each, {changes} changes of a route:")
    print(
        f"  reached every instance after {max(delays):.2f} s at most, {statistics.median(delays):.2f} s in the middle"
    )
    for name, seen in (("without changes", quiet), ("with changes", busy)):
        print(
            f"  {name:<16} p50 {_quantile(seen, 50):5.1f} ms   p99 {_quantile(seen, 99):5.1f} ms   ({len(seen)} calls)"
        )


class Load:
    """A steady caller of each instance, one call after the other."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._seen: list[list[Seen]] = [[] for _ in doors]
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(door, seen), daemon=True)
            for door, seen in zip(doors, self._seen, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more calls."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def rest(self, seconds: float) -> list[Seen]:
        """What was seen in so many seconds from now on."""
        began = time.monotonic()
        time.sleep(seconds)
        return self.since(began)

    def since(self, began: float) -> list[Seen]:
        """What was seen since."""
        return [one for seen in self._seen for one in list(seen) if one.at >= began]

    def reached(self, target: str, since: float, *, patience: float = 10.0) -> list[float]:
        """Seconds after which each instance answered from ``target``. Raises SystemExit for one that never did."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            first = [
                next((one.at - since for one in reversed(seen) if one.target == target), None) for seen in self._seen
            ]
            if all(first):
                return [min(one.at - since for one in seen if one.target == target) for seen in map(list, self._seen)]
            time.sleep(0.05)
        raise SystemExit(f"{target} did not reach every instance within {patience:g} s.")

    def _call(self, door: Door, seen: list[Seen]) -> None:
        with httpx.Client(base_url=door.url, headers={"authorization": f"Bearer {KEY}"}, timeout=30) as client:
            while not self._over.is_set():
                began = time.monotonic()
                answer = client.post("/v1/chat/completions", json=CHAT)
                ended = time.monotonic()
                seen.append(Seen(ended, (ended - began) * 1000, answer.headers.get("x-tuneway-target", "")))
                time.sleep(max(0.0, 1 / RATE - (ended - began)))


def led(folder: Path, base_url: str, model: str) -> float:
    """The route leads to that model from now on; when it was committed. In a process of its own, as the registry is."""
    target = Target(provider="custom_openai", dialect="openai", model=model, base_url=base_url, profile="vllm")
    documents = SqliteDocuments(folder / "state.sqlite")
    change(documents, partial(Snapshot.with_route, route=Route(alias="probe", targets=(target,), created_at=1.0)))
    documents.close()
    return time.monotonic()


def _quantile(seen: Sequence[Seen], percent: int) -> float:
    ordered = sorted(one.ms for one in seen)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def main() -> None:
    """Both, in a folder of their own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        loaded(Path(name))
        propagated(Path(name), seconds=seconds)


if __name__ == "__main__":
    main()
