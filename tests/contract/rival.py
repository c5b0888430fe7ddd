"""A process that writes documents: ``rival.py KIND LOCATION count TIMES`` or ``… stream``."""

import itertools
import random
import sys
import time

from tests.contract.places import opened
from tuneway.errors import Conflict
from tuneway.ports import Create, Documents, Key, Put, Replace

COUNTER = Key("counters", "shared")


def count(documents: Documents, times: int) -> None:
    """Add one, ``times`` times, however many others do the same."""
    for _ in range(times):
        while not _added(documents):
            time.sleep(random.uniform(0, 0.01))


def _added(documents: Documents) -> bool:
    found = documents.get(COUNTER)
    try:
        if found is None:
            documents.commit(Create(COUNTER, {"n": 1}))
        else:
            documents.commit(Replace(COUNTER, {"n": int(str(found.fields["n"])) + 1}, found.version))
    except Conflict:
        return False
    return True


def stream(documents: Documents) -> None:
    """Write numbered rows without end, each together with the count, and tell every number once it is kept."""
    for n in itertools.count(1):
        documents.commit(Create(Key("rows", f"{n:06}"), {"n": n, "text": "x" * 2_000}), Put(COUNTER, {"n": n}))
        print(n, flush=True)  # noqa: T201  # the parent reads it


if __name__ == "__main__":
    kind, location, work, *rest = sys.argv[1:]
    with opened(kind, location) as state:
        if work == "count":
            count(state, int(rest[0]))
        else:
            stream(state)
