"""Several instances count the same requests at once, on both plugs: none is lost, and none counted twice."""

import random
from concurrent.futures import ThreadPoolExecutor

from tests.unit.registry.requests import CANDIDATE, NOW, STABLE, request
from tuneway.errors import TryLater
from tuneway.ports import Documents
from tuneway.registry.counts.tallies import Request, total
from tuneway.registry.counts.usage import counted_of, hours
from tuneway.registry.counts.usage_recorder import Recorder

REQUESTS = 60
INSTANCES = 4


def asked(number: int) -> Request:
    """Every third went to the candidate first, which failed."""
    failed = (CANDIDATE,) if number % 3 == 0 else ()
    return request(number, trial="can-1.0", failed=failed, attempts=1 + len(failed))


def delivered(one: Request, instance: Recorder) -> None:
    """As the bus does: what could not be counted now comes again."""
    for _ in range(20):
        try:
            instance(one)
        except TryLater:
            continue
        return
    raise AssertionError(one.id)


def test_racing_instances_count_every_request_once(documents: Documents) -> None:
    instances = [Recorder(documents) for _ in range(INSTANCES)]
    deliveries = [(number, instances[number % INSTANCES]) for number in range(REQUESTS)]
    deliveries += [(number, instances[(number + 1) % INSTANCES]) for number in range(REQUESTS)]
    random.Random(5).shuffle(deliveries)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda delivery: delivered(asked(delivery[0]), delivery[1]), deliveries))
    found = total(each.tally for each in hours(documents, start=NOW - 3600, end=NOW + 1))
    assert (found.requests, found.tokens_in, found.cost_usd) == (REQUESTS, 10 * REQUESTS, 0.25 * REQUESTS)
    sides = {
        target: total(each.tally for _, each in counted_of(documents, "can-1.0") if each.target == target)
        for target in (STABLE, CANDIDATE)
    }
    assert (sides[STABLE].requests, sides[STABLE].errors) == (REQUESTS, 0)
    assert (sides[CANDIDATE].requests, sides[CANDIDATE].errors) == (REQUESTS // 3, REQUESTS // 3)
