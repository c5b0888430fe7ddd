"""Whatever goes wrong at any point of a sleep or a waking: it sleeps or answers, and is known to."""

from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.hosting.points import VISITS, Fault
from tests.integration.hosting.site import LEASE, LLAMA, MAIN, OWNER, Site
from tests.integration.hosting.stories import Story, Tell, replayed
from tuneway.errors import Conflict, TunewayError
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.shelves import DeploymentStatus as Status

FAULTS = [fault for fault in Fault if fault not in {Fault.AWAY, *VISITS}]


def make(site: Site) -> None:
    site.settle()


def sleep(site: Site) -> None:
    with suppress(Conflict):  # it is being taken away
        site.asked(lambda: site.resting.sleep(MAIN, owner=OWNER))


def wake(site: Site) -> None:
    with suppress(Conflict):  # it is being taken away
        site.asked(lambda: site.resting.wake(MAIN, owner=OWNER))


def remove(site: Site) -> None:
    site.asked(lambda: site.desk.remove(MAIN, owner=OWNER, force=True))


def make_and_sleep(site: Site) -> None:
    site.settle()
    sleep(site)
    site.settle()
    assert site.deployment().status is Status.ASLEEP


def begin_to_wake(site: Site) -> None:
    make_and_sleep(site)
    wake(site)
    site.deliver()
    assert site.deployment().status is Status.WAKING


def wake_once_in_vain(site: Site) -> None:
    """What is deployed fails once, by the provider's own words; it sleeps on and is tried again."""
    site.vertex.dooms, site.vertex.dooms_all = ":deployModel", False
    wake(site)


def handle_it_too(site: Site) -> None:
    site.clock.now += LEASE + 1
    site.rollout(DeployRef(MAIN))


STORIES = {
    "sleep": (make, sleep, Status.ASLEEP),
    "wake": (make_and_sleep, wake, Status.READY),
    "wake once in vain": (make_and_sleep, wake_once_in_vain, Status.READY),
    "remove asleep": (make_and_sleep, remove, Status.UNDEPLOYED),
    "remove waking": (begin_to_wake, remove, Status.UNDEPLOYED),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", STORIES)
def test_a_crash_leaves_what_was_wanted(tmp_path: Path, name: str, fault: Fault) -> None:
    before, tell, end = STORIES[name]
    for where, site in replayed(Story(before=before, tell=tell, job=LLAMA), fault, tmp_path):
        assert site.deployment().status is end, where


@pytest.mark.parametrize("fault", [Fault.VISITED_AFTER, Fault.VISITED_DIES])
@pytest.mark.parametrize("name", STORIES)
def test_two_at_once_do_it_once(tmp_path: Path, name: str, fault: Fault) -> None:
    before, tell, end = STORIES[name]
    for where, site in replayed(Story(before=before, tell=tell, job=LLAMA, visit=handle_it_too), fault, tmp_path):
        assert site.deployment().status is end, where


@pytest.mark.parametrize("fault", sorted(VISITS))
@pytest.mark.parametrize(
    ("name", "visit", "end"),
    [
        ("sleep", wake, Status.READY),
        ("sleep", remove, Status.UNDEPLOYED),
        ("wake", sleep, Status.ASLEEP),
        ("wake", remove, Status.UNDEPLOYED),
    ],
)
def test_who_changes_his_mind_in_the_middle_gets_what_he_wants_last(
    tmp_path: Path, name: str, visit: Tell, end: Status, fault: Fault
) -> None:
    before, tell, plain = STORIES[name]
    changed = list[bool]()

    def change_it(site: Site) -> None:
        with suppress(TunewayError):
            visit(site)
            changed.append(True)

    for where, site in replayed(Story(before=before, tell=tell, job=LLAMA, visit=change_it), fault, tmp_path):
        # What was wanted before the first order for the other counts for nothing: that one came later.
        assert site.deployment().status in ({end, plain} if changed else {plain}), where
        changed.clear()
