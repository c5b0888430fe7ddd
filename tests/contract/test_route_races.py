"""A thousand changes race for a few routes, on both plugs: none is lost, and every loser is told what won."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.unit.edge.asking import Asked
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.ports import Documents
from tuneway.routing.snapshot import current

WRITES = 1_000
WRITERS = 12
ALIASES = ("shop", "chat", "code")


def raced(desk: Desk, number: int) -> tuple[str, int, Asked]:
    """One read and the change made of it; each change is like no other."""
    alias = ALIASES[random.Random(number).randrange(len(ALIASES))]
    seen = desk.ask("GET", f"/{alias}").headers["etag"]
    return alias, number, desk.put(alias, {**ONE, "cooldown": number}, if_match=seen)


def test_of_a_thousand_racing_writes_none_is_lost(documents: Documents) -> None:
    desk = Desk(documents)
    for alias in ALIASES:
        desk.put(alias)
    with ThreadPoolExecutor(WRITERS) as pool:
        ended = list(pool.map(lambda number: raced(desk, number), range(WRITES)))
    statuses = Counter(answer.status for _, _, answer in ended)
    assert set(statuses) == {200, 409}
    assert sum(statuses.values()) == WRITES
    for _, _, answer in ended:
        if answer.status == 409:
            assert answer.error["code"] == "stale_version"
            assert answer.headers["etag"] == f'"{answer.json["current"]["version"]}"'
    for alias in ALIASES:
        won = {
            answer.json["version"]: float(number) for to, number, answer in ended if (to, answer.status) == (alias, 200)
        }
        kept = {entry.number: entry.route.cooldown for entry in desk.book.versions(alias, limit=2_000) if entry.route}
        assert kept == {1: 30.0, **won}
        assert sorted(kept) == list(range(1, len(kept) + 1))
        assert desk.book.get(alias) == current(documents).routes[alias]
        assert desk.book.get(alias).version == max(kept)


def test_of_two_changes_that_name_no_version_the_later_of_a_race_hears_of_it(documents: Documents) -> None:
    desk = Desk(documents)
    desk.put()
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda n: desk.put(body={**ONE, "cooldown": n + 1}), range(40)))
    won = [answer for answer in ended if answer.status == 200]
    assert {answer.status for answer in ended} <= {200, 409}
    assert desk.ask("GET", "/shop").json["version"] == 1 + len(won)
