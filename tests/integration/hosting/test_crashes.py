"""Whatever goes wrong at any point of a deployment: nothing is left over, and no alias points nowhere."""

from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.hosting.points import VISITS, Fault
from tests.integration.hosting.site import LEASE, LLAMA, MAIN, NOVA, OWNER, Site
from tests.integration.hosting.stories import Story, Tell, replayed
from tuneway.errors import TunewayError
from tuneway.registry.hosting.deploying import DeployRef
from tuneway.registry.shelves import DeploymentStatus as Status

FAULTS = [fault for fault in Fault if fault not in VISITS]
JOBS = {"vertex": LLAMA, "bedrock": NOVA}
STAGES = ["models:upload", "/endpoints", ":deployModel"]


def make(site: Site) -> None:
    site.settle()


def remove(site: Site) -> None:
    site.asked(lambda: site.desk.remove(MAIN, owner=OWNER, force=True))


def handle_it_too(site: Site) -> None:
    site.rollout(DeployRef(MAIN))


def handle_it_when_the_lease_is_over(site: Site) -> None:
    site.clock.now += LEASE + 1
    site.rollout(DeployRef(MAIN))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", JOBS)
def test_one_that_is_made_is_there_once_or_not_at_all(tmp_path: Path, place: str, fault: Fault) -> None:
    for where, site in replayed(Story(tell=make, job=JOBS[place]), fault, tmp_path):
        allowed = {Status.READY, Status.FAILED} if fault is Fault.REFUSED else {Status.READY}
        assert site.deployment().status in allowed, where


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", JOBS)
def test_one_that_is_taken_away_leaves_nothing(tmp_path: Path, place: str, fault: Fault) -> None:
    for where, site in replayed(Story(before=make, tell=remove, job=JOBS[place]), fault, tmp_path):
        assert site.deployment().status is Status.UNDEPLOYED, where


@pytest.mark.parametrize("fault", [Fault.DIES_AFTER, Fault.LOST])
@pytest.mark.parametrize("stage", STAGES)
def test_one_that_cannot_be_made_leaves_nothing(tmp_path: Path, stage: str, fault: Fault) -> None:
    def doomed(site: Site) -> None:
        site.vertex.dooms = stage

    for where, site in replayed(Story(before=doomed, tell=make, job=LLAMA, since=stage.strip("/")), fault, tmp_path):
        assert site.deployment().status is Status.FAILED, where
        assert site.vertex.endpoints() == {}, where


@pytest.mark.parametrize("fault", sorted(VISITS))
@pytest.mark.parametrize("place", JOBS)
def test_one_that_is_taken_away_while_it_is_made_leaves_nothing(tmp_path: Path, place: str, fault: Fault) -> None:
    gone = list[bool]()

    def take_away(site: Site) -> None:
        with suppress(TunewayError):
            site.desk.remove(MAIN, owner=OWNER, force=True)
            gone.append(True)

    for where, site in replayed(Story(tell=make, job=JOBS[place], visit=take_away), fault, tmp_path):
        assert site.deployment().status is (Status.UNDEPLOYED if gone else Status.READY), where
        gone.clear()


@pytest.mark.parametrize("fault", [Fault.VISITED_BEFORE, Fault.VISITED_AFTER])
@pytest.mark.parametrize("visit", [handle_it_too, handle_it_when_the_lease_is_over])
@pytest.mark.parametrize("place", JOBS)
def test_two_that_make_it_at_once_make_one(tmp_path: Path, place: str, visit: Tell, fault: Fault) -> None:
    for where, site in replayed(Story(tell=make, job=JOBS[place], visit=visit), fault, tmp_path):
        assert site.deployment().status is Status.READY, where


@pytest.mark.parametrize("fault", [Fault.VISITED_BEFORE, Fault.VISITED_AFTER])
@pytest.mark.parametrize("place", JOBS)
def test_two_that_take_it_away_at_once_leave_nothing(tmp_path: Path, place: str, fault: Fault) -> None:
    story = Story(before=make, tell=remove, job=JOBS[place], visit=handle_it_when_the_lease_is_over)
    for where, site in replayed(story, fault, tmp_path):
        assert site.deployment().status is Status.UNDEPLOYED, where
