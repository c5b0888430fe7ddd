"""Requests in the state: each counted once, in documents that stay small."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes import Crash, Fuse, FusedDocuments
from tests.unit.registry.requests import CANDIDATE, NOW, STABLE, request
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, TryLater
from tuneway.ports import Document, Key, Query, Write
from tuneway.registry.counts import usage
from tuneway.registry.counts.tallies import Tally, total
from tuneway.registry.counts.usage import SHARDS, Usage, added, counted_of, entries, has_seen, hours, mark_of
from tuneway.registry.counts.usage_recorder import Recorder


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


class Gate:
    """A state whose writes wait until it is opened, and then take a while."""

    def __init__(self, inner: SqliteDocuments, *, seconds: float = 0.0) -> None:
        self.inner = inner
        self.seconds = seconds
        self.reached, self.open = threading.Event(), threading.Event()
        self.commits = 0

    def get(self, key: Key) -> Document | None:
        return self.inner.get(key)

    def find(self, query: Query) -> list[Document]:
        return self.inner.find(query)

    def commit(self, *writes: Write) -> None:
        self.reached.set()
        assert self.open.wait(60)
        time.sleep(self.seconds)
        self.commits += 1
        self.inner.commit(*writes)


def waiting(record: Recorder) -> int:
    """How many are queued behind the one who writes."""
    return len(record._waiting)  # noqa: SLF001  (nothing else tells when all have come)


def kept(documents: SqliteDocuments) -> Tally:
    return total(each.tally for each in hours(documents, start=NOW - 7200, end=NOW + 7200))


def trial(documents: SqliteDocuments, target: str) -> Tally:
    return total(each.tally for _, each in counted_of(documents, "can-1.0") if each.target == target)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25, deadline=None
)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_in_any_order_and_however_often_each_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    documents = SqliteDocuments(tmp_path_factory.mktemp("state") / "state.sqlite")
    for number in numbers:
        Recorder(documents)(request(number))
    found = kept(documents)
    assert (found.requests, found.tokens_in) == (len(set(numbers)), 10 * len(set(numbers)))
    documents.close()


def test_an_hour_of_one_group_is_a_few_documents(documents: SqliteDocuments) -> None:
    record = Recorder(documents)
    for number in range(200):
        record(request(number))
    assert len(documents.find(Query(collection="usage"))) == SHARDS
    assert kept(documents).requests == 200


def test_each_owner_key_route_target_and_hour_is_counted_by_itself(documents: SqliteDocuments) -> None:
    record = Recorder(documents)
    others: list[dict[str, Any]] = [
        {"owner": "b"},
        {"key": "k2"},
        {"route": "vertex_ai/x"},
        {"target": CANDIDATE},
        {"at": NOW + 3600},
        {},
    ]
    for number, other in enumerate(others):
        record(request(number, **other))
    found = hours(documents, start=NOW - 7200, end=NOW + 7200)
    assert [each.tally.requests for each in found] == [1] * 6
    assert [each.tally.requests for each in hours(documents, start=0, end=NOW + 9999, owner="b")] == [1]
    assert [each.target for each in hours(documents, start=0, end=NOW + 9999, route="vertex_ai/x")] == [STABLE]


def test_many_threads_lose_nothing_and_share_their_writes(documents: SqliteDocuments) -> None:
    fuse = Fuse()
    record = Recorder(FusedDocuments(documents, fuse))
    threads = [threading.Thread(target=record, args=(request(number // 2),)) for number in range(120)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept(documents).requests == 60


def test_what_waits_meanwhile_is_written_together(documents: SqliteDocuments) -> None:
    gate = Gate(documents)
    record = Recorder(gate)
    with ThreadPoolExecutor(41) as pool:
        first = pool.submit(record, request(0))
        gate.reached.wait(60)
        others = [pool.submit(record, request(number)) for number in range(1, 41)]
        while waiting(record) < 40:
            pass
        gate.open.set()
    assert [each.exception() for each in (first, *others)] == [None] * 41
    assert kept(documents).requests == 41
    assert gate.commits == 1 + SHARDS


def test_those_who_are_written_do_not_wait_for_the_next(documents: SqliteDocuments) -> None:
    gate = Gate(documents, seconds=0.005)
    gate.open.set()
    record = Recorder(gate)
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda number: record(request(number)), range(400)))
    assert kept(documents).requests == 400
    assert gate.commits < 300


def test_one_whose_writer_died_writes_itself(documents: SqliteDocuments) -> None:
    fuse, gate = Fuse(2), Gate(documents)
    record = Recorder(FusedDocuments(gate, fuse))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(record, request(0))
        gate.reached.wait(60)
        second = pool.submit(record, request(1))
        while not waiting(record):
            pass
        gate.open.set()
    assert isinstance(first.exception(), Crash)
    assert second.exception() is None
    assert kept(documents).requests == 2


def test_two_instances_at_one_document_count_both(documents: SqliteDocuments) -> None:
    fused = FusedDocuments(documents, Fuse())
    fused.rivals = 5
    Recorder(fused)(request(1))
    assert kept(documents).requests == 1


@pytest.mark.parametrize("step", range(1, 7))
def test_a_crash_at_any_write_is_mended_by_the_next_delivery(documents: SqliteDocuments, step: int) -> None:
    asked = request(1, trial="can-1.0", attempts=2, failed=(CANDIDATE,))
    with pytest.raises(Crash):
        Recorder(FusedDocuments(documents, Fuse(step)))(asked)
    Recorder(documents)(asked)
    assert (kept(documents).requests, trial(documents, STABLE).requests, trial(documents, CANDIDATE).errors) == (
        1,
        1,
        1,
    )


def test_a_state_that_is_away_has_the_request_come_again(documents: SqliteDocuments) -> None:
    fused = FusedDocuments(documents, Fuse())
    fused.away = True
    with pytest.raises(TryLater):
        Recorder(fused)(request(1))
    fused.away = False
    Recorder(fused)(request(1))
    assert kept(documents).requests == 1


def test_one_that_cannot_be_counted_does_not_hold_up_the_others(documents: SqliteDocuments) -> None:
    told = list[str]()

    def tried(number: int, mark: str | None) -> None:
        try:
            record(request(number, trial=mark))
        except BadInput:
            told.append(f"req-{number}")

    gate = Gate(documents)
    record = Recorder(gate)
    with ThreadPoolExecutor(6) as pool:
        pool.submit(record, request(9))
        gate.reached.wait(60)
        for number in range(5):
            pool.submit(tried, number, "a/b" if number == 2 else None)
        while waiting(record) < 5:
            pass
        gate.open.set()
    assert (told, kept(documents).requests) == (["req-2"], 6)


def test_a_trial_counts_what_failed_before_the_answer_and_times_first_attempts_alone(
    documents: SqliteDocuments,
) -> None:
    record = Recorder(documents)
    record(request(1, trial="can-1.0", attempts=3, failed=(CANDIDATE, CANDIDATE)))
    record(request(2, trial="can-1.0"))
    found = trial(documents, STABLE)
    assert (found.requests, found.errors, sum(found.latencies.values())) == (2, 0, 1)
    assert (trial(documents, CANDIDATE).requests, trial(documents, CANDIDATE).errors) == (2, 2)
    assert kept(documents).requests == 2


def test_a_shard_remembers_the_last_requests_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "REMEMBERED", 3)
    shard: Usage = next(entries(request())).fresh  # type: ignore[assignment]  # an hour's entry comes first
    for number in range(5):
        entry = next(entries(request(number)))
        shard = added(shard, entry, Tally(requests=number + 1))  # type: ignore[assignment]
    assert [has_seen(shard, mark_of(f"req-{number}")) for number in range(5)] == [False, False, True, True, True]


def test_a_mark_across_two_others_is_not_seen() -> None:
    shard = Usage(owner="", key="", route="", target="", at=0, seen="AAAABBBBCCCCDDDD")
    assert [has_seen(shard, mark) for mark in ("AAAABBBB", "BBBBCCCC", "CCCCDDDD")] == [True, False, True]


def test_too_much_usage_for_one_answer_is_refused(documents: SqliteDocuments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "PAGE", 2)
    monkeypatch.setattr(usage, "MOST_DOCUMENTS", 4)
    record = Recorder(documents)
    for number in range(3):
        record(request(number, owner=f"o{number}"))
    assert len(hours(documents, start=NOW - 7200, end=NOW)) == 3
    for number in range(3, 6):
        record(request(number, owner=f"o{number}"))
    with pytest.raises(BadInput, match="less time"):
        hours(documents, start=NOW - 7200, end=NOW)
