"""What polling costs: tuneway's tick and looks over a simulated provider, counted. ``python -m tests.bench.polling``.

A steady fleet: jobs wait, train for one to four hours and end, and as many new ones are accepted. Every read, written
document and provider call is counted; nothing is timed. In the first listing ended jobs are shown for a while, as the
port allows; in the second they are not (as Vertex AI and Bedrock are asked today), and each one is asked for.
"""

import random
import time
from collections.abc import Iterator
from itertools import islice

import msgspec

from tests.bench.fleet import Counted, Fleet, MemoryDocuments, Outbox
from tests.fakes import FakeBackends
from tuneway.ports import Topic
from tuneway.state import Collection
from tuneway.tuning.beats import SHARD, Place, PlaceRef, Seen, Shard, beats, print_of
from tuneway.tuning.beats import Beat as PlaceBeat
from tuneway.tuning.jobs import JobId
from tuneway.tuning.lifecycle import JobRef, Lifecycle
from tuneway.tuning.poll import Poller
from tuneway.tuning.tick import FEW, tick
from tuneway.tuning.watching import Watcher

PLACE = Place("vertex_ai", "us-central1")
MINUTE = 60.0
TICKS_A_MONTH = 365.25 / 12 * 24 * 60
# USD per 100,000 documents, single region (us-central1): the project's collected facts on Firestore, 2026-11.
READ_USD, WRITE_USD = 0.03 / 100_000, 0.09 / 100_000
SIZES = ((0, 5), (10, 60), (100, 60), (10_000, 5), (100_000, 1), (1_000_000, 1))


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What ticks cost on average; ``commits`` are guarded writes, ``written`` their documents."""

    jobs: int
    changed: float
    calls: float
    reads: float
    commits: float
    written: float

    @property
    def usd(self) -> float:
        """Of Firestore, for one tick; calls to list and get jobs are free."""
        return self.reads * READ_USD + self.written * WRITE_USD


class Simulation:
    """A fleet of jobs and the functions that look after it, on a clock of its own."""

    def __init__(self, size: int, *, shows_ended: bool = True) -> None:
        self.clock = 1_795_000_000.0
        self.fleet = Fleet(size, lambda: self.clock, shows_ended=shows_ended, dice=random.Random(size))
        self.documents = MemoryDocuments(self.fleet.document)
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
            self.documents.lay(f"jobs/{job.id}", job)
        tick(self.lifecycle)
        self._deliver()
        return changed

    def cost(self, ticks: int) -> Cost:
        """Of so many ticks, on average."""
        before = self._counted()
        changed = sum(self.minute() for _ in range(ticks))
        spent = [(after - earlier) / ticks for earlier, after in zip(before, self._counted(), strict=True)]
        calls, reads, commits, written = spent
        return Cost(
            jobs=self._size,
            changed=changed / ticks,
            calls=calls,
            reads=reads,
            commits=commits,
            written=written,
        )

    def unseen(self) -> list[str]:
        """The jobs whose document says something else than the provider does."""
        return [id_ for id_, status in self.fleet.statuses() if self.lifecycle.jobs.get(id_).value.status != status]

    def _counted(self) -> tuple[int, int, int, int]:
        counted: Counted = self.documents.counted
        return self.fleet.calls, counted.reads, counted.commits, counted.written

    def _begin(self) -> None:
        """As a fleet is found that has been looked after all along."""
        if self._size > FEW:
            seen = (f"{job.token}={Seen(print_of(job), 1).packed()}" for job in self.fleet.listed())
            shards = Collection(self.documents, f"beats/{PLACE.key}/shards", Shard)
            for number, part in enumerate(iter(lambda: list(islice(seen, SHARD)), [])):
                self.documents.commit(shards.create(f"{number:04d}", Shard(",".join(part))))
            beat = PlaceBeat(place=PLACE, due=self.clock, pace=5.0, watched=self._size)
            self.documents.commit(beats(self.documents).create(PLACE.key, beat))
        else:
            for alone in self.fleet.jobs_alone():
                self.documents.lay(f"jobs/{alone.id}", alone)

    def _deliver(self) -> None:
        for message in self.outbox.taken():
            if "place" in message.attributes:
                self.watch(msgspec.json.decode(message.data, type=PlaceRef))
            elif message.topic is Topic.POLL_DUE:
                self.poll(msgspec.json.decode(message.data, type=JobRef))
        for message in self.outbox.taken():
            if message.topic is Topic.JOB_FINISHED:
                self.documents.close(JobId(message.attributes["job_id"]))


def costs(*, shows_ended: bool) -> Iterator[Cost]:
    """Of every size."""
    for size, ticks in SIZES:
        yield Simulation(size, shows_ended=shows_ended).cost(ticks)


def main() -> None:
    """Print the table."""
    started = time.monotonic()
    print("\nPolling, for each tick of a minute: Firestore at 0.03 / 0.09 USD per 100,000 reads / writes")
    for shows_ended in (True, False):
        print(f"\nthe listing shows jobs that have just ended: {'yes' if shows_ended else 'no'}")
        print(f"{'jobs':>9} {'changed':>9} {'calls':>8} {'reads':>9} {'writes':>8} {'documents':>10} {'USD/month':>10}")
        sizes = None if shows_ended else len(SIZES) - 1
        for cost in islice(costs(shows_ended=shows_ended), sizes):
            print(
                f"{cost.jobs:>9,} {cost.changed:>9,.1f} {cost.calls:>8,.1f} {cost.reads:>9,.1f} {cost.commits:>8,.1f} "
                f"{cost.written:>10,.1f} {cost.usd * TICKS_A_MONTH:>10,.2f}"
            )
    print(f"\nwrites are guarded commits: a job with the events it leaves. {time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
