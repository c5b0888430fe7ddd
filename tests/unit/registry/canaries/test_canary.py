"""Canaries, moved by what was measured: every step, every way back, whatever happens in between."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.fakes import CountedDocuments
from tests.unit.registry.canary_site import BEHIND, NEW, OLD, PLAN, Site, gates
from tests.unit.registry.requests import CANDIDATE, STABLE
from tuneway.edge.canary_events import canary_event
from tuneway.errors import BadInput, Conflict, NotFound
from tuneway.ports import Query
from tuneway.registry.canaries.canary import LINGER, Canaries
from tuneway.registry.canaries.canary_plan import Gates, Plan, State
from tuneway.routing.routes import Route, Target


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_candidate_begins_with_its_first_share_and_the_rest_stays_in_proportion(tmp_path: Path) -> None:
    other = Target(resource="projects/p/locations/us-central1/endpoints/3", weight=1.0)
    site = Site(tmp_path, targets=(OLD, other, BEHIND))
    made = site.start()
    assert (made.state, made.share) == (State.RUNNING, 1.0)
    assert site.weights() == {"1": 99 * 0.75, "3": 99 * 0.25, "2": 1.0, "9": 1.0}
    assert site.route.cooldown == 7.0
    assert site.told() == ["started"]


def test_a_good_candidate_goes_up_step_by_step_and_is_promoted(site: Site) -> None:
    site.start()
    shares = []
    for _ in range(3):
        site.both(20)
        shares.append(site.tick().share)
    assert shares == [10.0, 50.0, 100.0]
    assert site.canary.state is State.PROMOTED
    assert (site.weights(), site.route.trial) == ({"2": 1.0, "9": 1.0}, None)
    assert site.told() == ["started", "advanced", "advanced", "promoted"]
    why = [entry.why for entry in site.book.versions("shop", limit=10)]
    assert "not found to be worse" in why[0]


def test_each_step_takes_its_own_requests_and_its_own_minutes(site: Site) -> None:
    site.start()
    site.both(19)
    assert site.tick().share == 1.0
    site.both(1)
    assert site.tick(0).share == 10.0
    assert site.tick(600).share == 10.0
    site.both(20)
    assert site.tick(0).share == 50.0
    site.both(20)
    assert site.tick(59).share == 50.0
    assert site.tick(1).state is State.PROMOTED


def test_a_candidate_that_fails_is_taken_back_with_the_numbers(site: Site) -> None:
    site.start()
    site.serve(STABLE, 200)
    site.serve(CANDIDATE, 8, status=503)
    after = site.tick(1)
    assert after.state is State.ROLLED_BACK
    assert (site.route.targets, site.route.trial) == ((OLD, BEHIND), None)
    said = after.moments[-1]
    assert "8 of 8 requests failed, of the stable targets' 0 of 200 (Fisher's exact test)" in said.message
    (errors,) = [finding for finding in said.findings if finding.worse]
    assert errors.p_value is not None
    assert errors.level is not None
    assert errors.p_value < errors.level
    event = json.loads(site.events.sent[-1].data)
    assert (event["alias"], event["findings"][0]["gate"], event["share"]) == ("shop", "error_rate", 0.0)


def test_failures_that_another_target_made_good_count_against_the_candidate(site: Site) -> None:
    site.start()
    site.serve(STABLE, 200)
    site.serve(STABLE, 10, attempts=2, failed=(CANDIDATE,))
    assert site.tick(1).state is State.ROLLED_BACK


def test_luck_alone_takes_nothing_back(site: Site) -> None:
    site.start()
    site.serve(STABLE, 100, status=503)
    site.serve(STABLE, 300)
    site.serve(CANDIDATE, 9, status=503)
    site.serve(CANDIDATE, 18)
    assert site.tick().state is State.RUNNING


def test_refusals_that_both_sides_have_say_nothing(site: Site) -> None:
    site.start()
    site.both(20)
    site.both(40, status=404)
    assert site.tick().share == 10.0


@pytest.mark.parametrize("status", [400, 499])
def test_a_candidate_that_alone_refuses_or_is_left_is_taken_back(site: Site, status: int) -> None:
    site.start()
    site.both(100)
    site.serve(CANDIDATE, 100, status=status)
    after = site.tick(1)
    assert (after.state, "refused or left" in after.moments[-1].message) == (State.ROLLED_BACK, True)


def test_a_difference_within_the_margin_is_let_through(site: Site) -> None:
    site.start(gates=gates(error_rate=0.3))
    site.serve(STABLE, 400)
    site.serve(CANDIDATE, 20, status=503)
    site.serve(CANDIDATE, 80)
    assert site.tick().share == 10.0


def test_a_slow_candidate_is_taken_back(site: Site) -> None:
    site.start(min_requests=60)
    for ms in range(300):
        site.serve(STABLE, 1, ms=50.0 + ms)
    site.serve(CANDIDATE, 40, ms=900.0)
    after = site.tick(1)
    assert (after.state, "p95_latency" in after.moments[-1].message) == (State.ROLLED_BACK, True)


def test_one_that_is_a_little_slower_is_not(site: Site) -> None:
    site.start()
    for ms in range(300):
        site.serve(STABLE, 1, ms=50.0 + ms)
        site.serve(CANDIDATE, ms % 3 == 0, ms=1.1 * (50.0 + ms))
    assert site.tick().share == 10.0


def test_a_dear_candidate_is_taken_back_and_one_without_a_price_is_not(site: Site) -> None:
    site.start(gates=gates(cost=1.25, error_rate=0.0), min_requests=50)
    site.both(40, cost_usd=None)
    assert site.tick().state is State.RUNNING
    for n in range(40):
        site.serve(STABLE, 1, cost_usd=0.01 + n / 10_000)
        site.serve(CANDIDATE, 1, cost_usd=0.02 + n / 10_000)
    after = site.tick()
    assert (after.state, "a request costs 0.02195 USD" in after.moments[-1].message) == (State.ROLLED_BACK, True)


def test_a_judge_is_waited_for_and_its_verdict_taken(site: Site) -> None:
    site.start(gates=gates(judge=0.05))
    site.both(20)
    assert site.tick().share == 1.0
    draw = [0.80 + n % 10 / 50 for n in range(40)]
    site.desk.score("shop", "one", candidate=draw, stable=draw)
    assert site.tick().share == 10.0
    site.both(20)
    for _ in range(2):
        site.desk.score("shop", "two", candidate=[0.1] * 60, stable=[0.9] * 60)
    assert site.canary.scores.candidate.count == 60  # of this step alone
    after = site.tick(1)
    assert (after.state, "its mean score is 0.100" in after.moments[-1].message) == (State.ROLLED_BACK, True)


def test_looks_are_few_and_only_at_what_is_new(site: Site) -> None:
    site.start(min_requests=1000)
    for _ in range(10):
        site.both(1)
        site.tick(1)
    before = site.canary
    commits = site.fuse.uses
    for _ in range(20):
        site.tick(1)
    assert (site.canary, site.fuse.uses, before.looks) == (before, commits, 6)


def test_nothing_under_way_is_one_read(site: Site) -> None:
    counting = CountedDocuments(site.documents)
    canaries = Canaries(counting, site.events, now=site.now, announce=canary_event)
    assert canaries.tick() == 0
    assert (counting.asked, counting.written) == (1, 0)


def test_what_the_stable_targets_do_not_say_is_waited_for(site: Site) -> None:
    site.start()
    site.serve(CANDIDATE, 50)
    assert site.tick(6000).share == 1.0


def test_a_paused_one_keeps_its_share_but_is_still_taken_back(site: Site) -> None:
    site.start()
    site.desk.pause("shop", by="ann")
    site.desk.pause("shop", by="ann")
    site.both(50)
    assert site.tick(600).share == 1.0
    site.serve(CANDIDATE, 60, status=500)
    assert site.tick(1).state is State.ROLLED_BACK
    assert site.told() == ["started", "paused", "rolled_back"]


def test_a_resumed_one_goes_on(site: Site) -> None:
    site.start()
    site.desk.pause("shop", by="ann")
    site.both(20)
    site.tick()
    site.desk.resume("shop", by="bob")
    assert site.tick().share == 10.0
    assert site.canary.moments[2].by == "bob"


def test_promoted_by_hand_it_has_all_at_once(site: Site) -> None:
    site.start()
    assert site.desk.promote("shop", by="ann").state is State.PROMOTED
    assert site.desk.promote("shop", by="ann").state is State.PROMOTED
    assert site.weights() == {"2": 1.0, "9": 1.0}
    with pytest.raises(Conflict, match="over: promoted"):
        site.desk.abort("shop", by="ann")


def test_aborted_it_leaves_the_route_as_it_was(site: Site) -> None:
    before = site.route
    site.start()
    site.both(20)
    site.tick()
    site.desk.abort("shop", by="ann")
    assert site.route.targets == before.targets
    assert (site.canary.state, site.canary.share, site.told()[-1]) == (State.ABORTED, 0.0, "aborted")
    with pytest.raises(Conflict, match="over: aborted"):
        site.desk.resume("shop", by="ann")


@pytest.mark.parametrize("trial", [None, "kept"])
def test_a_route_changed_by_hand_stays_and_the_canary_yields(site: Site, trial: str | None) -> None:
    site.start()
    changed = msgspec.structs.replace(site.route, targets=(BEHIND,))
    site.book.put(changed if trial else msgspec.structs.replace(changed, trial=None))
    site.both(20)
    after = site.tick()
    assert (after.state, after.moments[-1].message.partition(",")[0]) == (
        State.YIELDED,
        "The route was changed by somebody else",
    )
    assert (site.route.targets, site.route.trial) == ((BEHIND,), None)


def test_what_a_hand_changes_beside_the_targets_stays(site: Site) -> None:
    site.start()
    site.book.put(msgspec.structs.replace(site.route, cooldown=3.0))
    site.both(20)
    assert site.tick().share == 10.0
    assert site.route.cooldown == 3.0


def test_a_route_that_is_gone_ends_its_canary(site: Site) -> None:
    site.start()
    site.book.remove("shop")
    assert site.tick().state is State.YIELDED
    with pytest.raises(NotFound):
        site.book.get("shop")


def test_by_hand_it_cannot_be_promoted_over_a_changed_route(site: Site) -> None:
    site.start()
    site.book.put(msgspec.structs.replace(site.route, targets=(BEHIND,), trial=None))
    with pytest.raises(Conflict, match="somebody else"):
        site.desk.promote("shop", by="ann")
    assert site.route.targets == (BEHIND,)


def test_after_its_end_it_is_closed_and_what_was_counted_goes(site: Site) -> None:
    site.start()
    mark = site.canary.mark
    site.both(20)
    site.desk.abort("shop", by="ann")
    assert site.tick(LINGER - 1).open
    assert not site.tick(1).open
    assert site.documents.find(Query(collection=f"trials/{mark}/tallies")) == []
    assert site.canaries.tick() == 0


def test_the_next_one_begins_where_the_last_one_ended_and_remembers_it(site: Site) -> None:
    first = site.start()
    with pytest.raises(Conflict, match="under way"):
        site.start()
    site.desk.abort("shop", by="ann")
    second = site.start()
    assert second.id != first.id
    assert [canary.id for canary in site.desk.past("shop")] == [first.id]
    assert site.told() == ["started", "aborted", "started"]


def test_the_candidate_may_be_a_target_of_the_route_itself(tmp_path: Path) -> None:
    site = Site(tmp_path, targets=(OLD, msgspec.structs.replace(NEW, weight=0.0)))
    site.desk.start("shop", CANDIDATE, PLAN, by="ann")
    assert site.weights() == {"1": 99.0, "2": 1.0}
    site.desk.abort("shop", by="ann")
    assert site.weights() == {"1": 3.0, "2": 0.0}


@pytest.mark.parametrize(
    ("alias", "candidate", "fault"),
    [("none", "tuned", NotFound), ("shop", "no", BadInput), ("tuned", "tuned", BadInput)],
)
def test_what_cannot_be_tried_is_refused(site: Site, alias: str, candidate: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        site.desk.start(alias, candidate, PLAN, by="ann")


def test_one_with_nothing_beside_it_is_refused(site: Site) -> None:
    with pytest.raises(BadInput, match="nothing to hold it against"):
        site.desk.start("tuned", CANDIDATE, PLAN, by="ann")


@pytest.mark.parametrize(
    ("plan", "param"),
    [
        (Plan(steps=(10.0, 5.0)), "steps"),
        (Plan(steps=(100.0,)), "steps"),
        (Plan(gates=Gates(error_rate=None, p95_latency=None, cost=None)), "gates"),
    ],
)
def test_a_plan_that_is_none_is_refused(site: Site, plan: Plan, param: str) -> None:
    with pytest.raises(BadInput) as refused:
        site.desk.start("shop", "tuned", plan, by="ann")
    assert refused.value.param == param


def test_a_plan_ends_with_the_whole(site: Site) -> None:
    assert site.start(steps=(5.0, 20.0)).plan.steps == (5.0, 20.0, 100.0)


def test_events_that_could_not_be_sent_are_sent_with_the_next_tick_and_once(site: Site) -> None:
    site.events.away = True
    site.start()
    assert site.tick(1).told == 0
    site.events.away = False
    site.tick(1)
    site.tick(1)
    assert site.told() == ["started"]


def test_a_candidate_that_logs_cannot_tell_from_another_target_is_refused(tmp_path: Path) -> None:
    first, second = (
        Target(provider="custom_openai", dialect="openai", model="m", base_url=f"http://{name}/v1") for name in "ab"
    )
    site = Site(tmp_path, targets=(first, BEHIND))
    site.book.put(Route(alias="tuned", targets=(second,), created_at=0.0))
    with pytest.raises(BadInput, match="tell them apart") as refused:
        site.start()
    assert (refused.value.param, site.route.targets) == ("candidate", (first, BEHIND))


def test_another_field_of_the_route_may_change_meanwhile(site: Site) -> None:
    site.start()
    shares = site.weights()
    site.book.put(msgspec.structs.replace(site.route, retries=2, trial=None))
    site.both(20)
    assert (site.tick(1).state, site.route.retries, site.weights()) == (State.RUNNING, 2, shares)
