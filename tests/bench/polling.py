"""What polling costs: tuneway's tick and looks over a simulated provider, counted. ``python -m tests.bench.polling``.

A steady fleet: jobs wait, train for one to four hours and end, and as many new ones are accepted. Every read, written
document and provider call is counted, at 100 jobs a page; nothing is timed. Once over a provider that lists jobs by
their tokens, too (Vertex AI documents that for customJobs; of tuningJobs it is found out at run time), and once over
one that does not (Bedrock): there each job that has ended costs a call of its own.
"""

import random
import time
from collections.abc import Iterator
from itertools import islice

import msgspec

from tests.bench.counted import Counted, MemoryDocuments, Outbox
from tests.bench.fleet import Fleet
from tests.fakes import FakeBackends
from tuneway.ports import Topic
from tuneway.registry.hosting.deploying import Deploying
from tuneway.state import Collection
from tuneway.tuning.beats import SHARD, Place, PlaceRef, Seen, Shard, beats, print_of
from tuneway.tuning.beats import Beat as PlaceBeat
from tuneway.tuning.jobs import JobId
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.poll import Poller
from tuneway.tuning.sweeps.store import wake
from tuneway.tuning.tick import FEW, tick
from tuneway.tuning.watching import Watcher
from tuneway.underway import ID, Mark, MarkedDocuments, beat

PLACE = Place("vertex_ai", "us-central1")
MINUTE = 60.0
TICKS_A_MONTH = 365.25 / 12 * 24 * 60
# USD per 100,000 documents, single region (us-central1): the project's collected facts on Firestore, 2026-11.
READ_USD, WRITE_USD = 0.03 / 100_000, 0.09 / 100_000
SIZES = ((0, 5), (10, 60), (100, 60), (10_000, 5), (100_000, 5), (1_000_000, 1))
MOST = 100_000  # of the second table: each million takes a while


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What ticks cost on average; ``commits`` are guarded writes, ``written`` their documents.

    ``peak`` are the calls of the dearest tick, ``beyond`` the most documents that one wrote beyond its changed jobs.
    """

    jobs: int
    changed: float
    calls: float
    peak: int
    beyond: int
    reads: float
    commits: float
    written: float

    @property
    def usd(self) -> float:
        """Of Firestore, for one tick; calls to list and get jobs are free."""
        return self.reads * READ_USD + self.written * WRITE_USD


class Simulation:
    """A fleet of jobs and the functions that look after it, on a clock of its own."""

    def __init__(self, size: int, *, shows_ended: bool = True, names: bool = False) -> None:
        self.clock = 1_795_000_000.0
        dice = random.Random(size)
        self.fleet = Fleet(size, lambda: self.clock, shows_ended=shows_ended, names=names, dice=dice)
        self.counted = MemoryDocuments(self.fleet.document)
        self.documents = MarkedDocuments(self.counted, lambda: self.clock)
        self.outbox = Outbox()
        self.lifecycle = Lifecycle(self.documents, self.outbox, lambda: self.clock)
        backends = FakeBackends(self.fleet)
        self.poll, self.watch = Poller(self.lifecycle, backends), Watcher(self.lifecycle, backends)
        self._size = size
        self._begin()

    def minute(self) -> int:
        """One tick and what follows from it; how many jobs had changed or come since the last."""
        self.clock += MINUTE
        changed = self.fleet.pass_by()
        for job in self.fleet.newcomers():
            self.counted.lay(f"jobs/{job.id}", job)
        beat(self.documents, self._rooms, now=self.clock)
        self._deliver()
        return changed

    def cost(self, ticks: int) -> Cost:
        """Of so many ticks, on average."""
        each = [self._tick() for _ in range(ticks)]
        changed, calls, reads, commits, written = (sum(column) / ticks for column in zip(*each, strict=True))
        return Cost(
            jobs=self._size,
            changed=changed,
            calls=calls,
            peak=max(tick[1] for tick in each),
            beyond=max(tick[4] - tick[0] for tick in each),
            reads=reads,
            commits=commits,
            written=written,
        )

    def _tick(self) -> tuple[int, int, int, int, int]:
        before = self._counted()
        changed = self.minute()
        calls, reads, commits, written = (
            after - earlier for earlier, after in zip(before, self._counted(), strict=True)
        )
        return changed, calls, reads, commits, written

    def unseen(self) -> list[str]:
        """The jobs whose document says something else than the provider does."""
        return [id_ for id_, status in self.fleet.statuses() if self.lifecycle.jobs.get(id_).value.status != status]

    def _rooms(self) -> int:
        """All that the beat wakes."""
        woken = tick(self.lifecycle) + Deploying(self.documents, self.outbox, self.lifecycle.now).tick()
        return woken + wake(self.documents, self.outbox, now=self.clock)

    def _counted(self) -> tuple[int, int, int, int]:
        counted: Counted = self.counted.counted
        return self.fleet.calls, counted.reads, counted.commits, counted.written

    def _begin(self) -> None:
        """As a fleet is found that has been looked after all along."""
        mark = Mark("busy" if self._size else "idle", self.clock)
        self.documents.commit(Collection(self.documents, "underway", Mark).create(ID, mark))
        if self._size > FEW:
            seen = (f"{job.token}={Seen(print_of(job), 1).packed()}" for job in self.fleet.listed())
            shards = Collection(self.documents, f"beats/{PLACE.key}/shards", Shard)
            for number, part in enumerate(iter(lambda: list(islice(seen, SHARD)), [])):
                self.documents.commit(shards.create(f"{number:04d}", Shard(",".join(part))))
            beat = PlaceBeat(place=PLACE, due=self.clock, pace=5.0, watched=self._size)
            self.documents.commit(beats(self.documents).create(PLACE.key, beat))
        else:
            for alone in self.fleet.jobs_alone():
                self.counted.lay(f"jobs/{alone.id}", alone)

    def _deliver(self) -> None:
        for message in self.outbox.taken():
            if "place" in message.attributes:
                self.watch(msgspec.json.decode(message.data, type=PlaceRef))
            elif message.topic is Topic.POLL_DUE:
                self.poll(msgspec.json.decode(message.data, type=JobRef))
        for message in self.outbox.taken():
            if message.topic is Topic.JOB_FINISHED:
                self.counted.close(JobId(message.attributes["job_id"]))


def costs(*, names: bool) -> Iterator[Cost]:
    """Of every size, once the first minute, without newcomers, is over."""
    for size, ticks in SIZES:
        if names or size <= MOST:
            simulation = Simulation(size, shows_ended=False, names=names)
            simulation.minute()
            yield simulation.cost(ticks)


def main() -> None:
    """Print the tables."""
    started = time.monotonic()
    print("\nPolling, for each tick of a minute: Firestore at 0.03 / 0.09 USD per 100,000 reads / writes")
    for names in (True, False):
        print(f"\nthe provider lists jobs by their tokens: {'yes' if names else 'no'}")
        print(
            f"{'jobs':>9} {'changed':>9} {'calls':>8} {'at most':>8} {'reads':>9} {'documents':>10} {'beyond':>7} "
            f"{'USD/month':>10}"
        )
        for cost in costs(names=names):
            print(
                f"{cost.jobs:>9,} {cost.changed:>9,.1f} {cost.calls:>8,.1f} {cost.peak:>8,} {cost.reads:>9,.1f} "
                f"{cost.written:>10,.1f} {cost.beyond:>7,} {cost.usd * TICKS_A_MONTH:>10,.2f}",
                flush=True,
            )
    print(
        f"\nbeyond: the most documents of one tick beyond its changed jobs. {time.monotonic() - started:.0f} s in all"
    )


if __name__ == "__main__":
    main()
