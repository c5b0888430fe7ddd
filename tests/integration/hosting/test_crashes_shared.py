"""Whatever goes wrong at any point while two are behind one endpoint: both are known, and all calls have an answer."""

from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.hosting.points import VISITS, Fault
from tests.integration.hosting.site import LEASE, LLAMA, MAIN, OWNER, Site
from tests.integration.hosting.stories import Story, replayed
from tuneway.errors import BadInput, Conflict, TunewayError
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.shelves import DeploymentStatus as Status

FAULTS = [fault for fault in Fault if fault not in {Fault.AWAY, *VISITS}]
GUEST = "guest"
BESIDE = Wish(checkpoint="1", name=GUEST, endpoint=MAIN, traffic=30)


def make(site: Site) -> None:
    site.settle()


def add(site: Site) -> None:
    with suppress(BadInput, Conflict):  # its host is being taken away
        site.asked(lambda: site.desk.create("ft-1", "1", BESIDE, owner=OWNER))


def make_both(site: Site) -> None:
    site.settle()
    add(site)
    site.settle()
    assert site.deployment(GUEST).status is Status.READY


def share(site: Site) -> None:
    with suppress(BadInput, Conflict):  # one of them is being taken away
        site.asked(lambda: site.desk.traffic.share(MAIN, {MAIN: 20, GUEST: 80}, owner=OWNER))


def remove(site: Site, *names: str) -> None:
    for name in names:
        site.asked(lambda name=name: site.desk.remove(name, owner=OWNER, force=True))  # type: ignore[misc]  # at once


def handle_both(site: Site) -> None:
    site.clock.now += LEASE + 1
    for name in (MAIN, GUEST):
        site.rollout(DeployRef(name))


STORIES = {
    "add": (make, add, (Status.READY, Status.READY)),
    "share": (make_both, share, (Status.READY, Status.READY)),
    "remove host": (make_both, lambda site: remove(site, MAIN), (Status.UNDEPLOYED, Status.READY)),
    "remove guest": (make_both, lambda site: remove(site, GUEST), (Status.READY, Status.UNDEPLOYED)),
}


def remove_both(site: Site) -> None:
    remove(site, MAIN, GUEST)


def statuses(site: Site) -> tuple[Status, Status]:
    return site.deployment(MAIN).status, site.deployment(GUEST).status


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", STORIES)
def test_a_crash_leaves_what_was_wanted(tmp_path: Path, name: str, fault: Fault) -> None:
    before, tell, end = STORIES[name]
    # One who is refused by the provider while he is made is no deployment; his host stays.
    ends = {end, (Status.READY, Status.FAILED)} if (name, fault) == ("add", Fault.REFUSED) else {end}
    for where, site in replayed(Story(before=before, tell=tell, job=LLAMA), fault, tmp_path):
        assert statuses(site) in ends, where


def test_both_at_once_leave_nothing(tmp_path: Path) -> None:
    story = Story(before=make_both, tell=remove_both, job=LLAMA, visit=handle_both)
    for where, site in replayed(story, Fault.VISITED_DIES, tmp_path):
        assert statuses(site) == (Status.UNDEPLOYED, Status.UNDEPLOYED), where


@pytest.mark.parametrize("fault", [Fault.VISITED_AFTER, Fault.VISITED_DIES])
@pytest.mark.parametrize("name", STORIES)
def test_two_at_once_do_it_once(tmp_path: Path, name: str, fault: Fault) -> None:
    before, tell, end = STORIES[name]
    for where, site in replayed(Story(before=before, tell=tell, job=LLAMA, visit=handle_both), fault, tmp_path):
        assert statuses(site) == end, where


@pytest.mark.parametrize("fault", sorted(VISITS))
@pytest.mark.parametrize("going", [MAIN, GUEST])
@pytest.mark.parametrize("name", ["add", "share"])
def test_one_that_is_taken_away_in_the_middle_is_gone_and_the_other_answers(
    tmp_path: Path, name: str, going: str, fault: Fault
) -> None:
    before, tell, _ = STORIES[name]
    gone = list[bool]()

    def take_away(site: Site) -> None:
        with suppress(TunewayError):
            site.desk.remove(going, owner=OWNER, force=True)
            gone.append(True)

    for where, site in replayed(Story(before=before, tell=tell, job=LLAMA, visit=take_away), fault, tmp_path):
        left = {found.id for found in site.deployments() if found.status is Status.READY}
        assert (going in left) is not bool(gone), where
        gone.clear()
