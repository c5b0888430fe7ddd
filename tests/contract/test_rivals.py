"""The contract of ``ports.Documents`` under rivalry and sudden death, for both plugs: threads and processes."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.places import Place
from tests.contract.rival import COUNTER, count
from tests.waiting import PATIENCE
from tuneway.errors import AlreadyExists, Conflict
from tuneway.ports import Create, Documents, Key, Query, Replace, Write

JOB = Key("jobs", "ftjob-1")


def outcome(documents: Documents, write: Write) -> type[Exception] | None:
    try:
        documents.commit(write)
    except Conflict as exc:
        return type(exc)
    return None


def outcomes(documents: Documents, writes: list[Write]) -> list[type[Exception] | None]:
    with ThreadPoolExecutor(len(writes)) as pool:
        return list(pool.map(lambda write: outcome(documents, write), writes))


def test_of_many_who_replace_one_wins(documents: Documents) -> None:
    documents.commit(Create(JOB, {"by": -1}))
    found = documents.get(JOB)
    assert found
    ends = outcomes(documents, [Replace(JOB, {"by": n}, found.version) for n in range(8)])
    assert sorted(end is None for end in ends) == [False] * 7 + [True]
    assert set(ends) == {None, Conflict}
    won = documents.get(JOB)
    assert won
    assert won.fields == {"by": ends.index(None)}


def test_of_many_who_create_one_wins(documents: Documents) -> None:
    ends = outcomes(documents, [Create(JOB, {"by": n}) for n in range(8)])
    assert sorted(end is None for end in ends) == [False] * 7 + [True]
    assert set(ends) == {None, AlreadyExists}


def test_no_count_is_lost_between_threads(documents: Documents) -> None:
    with ThreadPoolExecutor(8) as pool:
        for ended in [pool.submit(count, documents, 10) for _ in range(8)]:
            ended.result()
    assert documents.find(Query(collection="counters"))[0].fields == {"n": 80}


@pytest.mark.usefixtures("documents")
def test_no_count_is_lost_between_processes(place: Place, documents: Documents) -> None:
    rivals = [place.rival("count", "25") for _ in range(4)]
    for rival in rivals:
        rival.communicate(timeout=PATIENCE)
    found = documents.get(COUNTER)
    assert [rival.returncode for rival in rivals] == [0] * 4
    assert found
    assert found.fields == {"n": 100}


@pytest.mark.parametrize("round_", range(3))
def test_what_returned_before_the_kill_is_there(place: Place, documents: Documents, round_: int) -> None:
    rival = place.rival("stream")
    assert rival.stdout
    rival.stdout.readline()
    time.sleep(random.uniform(0.02, 0.4))
    rival.send_signal(signal.SIGKILL)
    told = [int(line) for line in rival.communicate(timeout=PATIENCE)[0].split("\n")[:-1]]
    kept, counted = settled(documents)
    assert set(told) <= set(kept)
    assert kept == list(range(1, len(kept) + 1))
    assert counted == len(kept)


def settled(documents: Documents) -> tuple[list[object], object]:
    """The rows and the count that belong to one commit: the last one of the dead may still be under way."""
    end = time.monotonic() + 60
    while True:
        rows = [found.fields["n"] for found in documents.find(Query(collection="rows"))]
        counter = documents.get(COUNTER)
        assert counter
        if counter.fields["n"] == len(rows) or time.monotonic() > end:
            return rows, counter.fields["n"]
