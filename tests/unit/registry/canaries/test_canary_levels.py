"""What a canary says of its errors: the level it names is the one that was asked for."""

from pathlib import Path

import pytest

from tests.unit.registry.canary_site import Site, gates
from tests.unit.registry.requests import CANDIDATE, STABLE
from tuneway.registry.canaries.canary_plan import Canary, State

# Of the first look's level, 0.03, half is for what failed and half for what was refused or left.
HALF = "0.015"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def looked(site: Site, candidate: tuple[int, int], stable: tuple[int, int]) -> Canary:
    """After so many answers of (status, number) beside good ones: a hundred of the candidate, 500 of the others."""
    site.start(gates=gates(error_rate=0.0))
    for target, (status, some), of in ((CANDIDATE, candidate, 100), (STABLE, stable, 500)):
        site.serve(target, some, status=status)
        site.serve(target, of - some)
    return site.tick()


def test_what_is_above_half_the_level_is_said_to_be_above_it(site: Site) -> None:
    after = looked(site, (503, 2), (503, 0))
    assert (after.state, after.share) == (State.RUNNING, 10.0)
    (finding,) = after.moments[-1].findings
    assert f"stable targets' 0 of 500 (Fisher's exact test), p = 0.028, not below {HALF}." in after.moments[-1].message
    assert (finding.worse, f"{finding.level:.3f}") == (False, HALF)


def test_what_is_just_below_half_the_level_is_taken_back(site: Site) -> None:
    after = looked(site, (503, 5), (503, 5))
    assert after.state is State.ROLLED_BACK
    assert f"stable targets' 5 of 500 (Fisher's exact test), p = 0.015, below {HALF}." in after.moments[-1].message


def test_refusals_name_the_same_level(site: Site) -> None:
    after = looked(site, (400, 5), (400, 5))
    assert after.state is State.ROLLED_BACK
    (finding,) = after.moments[-1].findings
    assert (finding.candidate, finding.stable, f"{finding.level:.3f}") == (0.05, 0.01, HALF)
    assert "5 of 100 requests were refused or left" in after.moments[-1].message
    assert f"p = 0.015, below {HALF}." in after.moments[-1].message


def test_without_another_answer_there_is_nothing_to_compare(site: Site) -> None:
    site.start(gates=gates(error_rate=0.0), min_requests=5)
    site.serve(CANDIDATE, 20, status=400)
    assert site.tick().state is State.RUNNING
