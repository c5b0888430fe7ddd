"""Sweeps on fakes: places, the ceiling, stop rules, the winner; every crash, every redelivery."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.fakes import Crash, Fuse
from tests.unit.tuning.sweeps.sweeping import RATES, SweepLoop, by_rate, training_only
from tests.unit.tuning.test_gate import ADMIN
from tuneway.errors import BadInput, NotFound
from tuneway.ports import Key, ProviderState, Topic
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import change, current
from tuneway.state import Collection
from tuneway.tuning.catalogue import load
from tuneway.tuning.jobs import Status
from tuneway.tuning.lifecycle import SweepRef
from tuneway.tuning.sweeps.leaderboard import leaderboard, notes
from tuneway.tuning.sweeps.sweep import MemberState, Promotion, StopRules, SweepStatus, member_job


def test_a_sweep_of_twelve_runs_two_at_a_time_and_shows_its_leaderboard(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start()
    loop.settle()
    done = loop.now(sweep)
    assert (done.status, done.open, loop.most, len(loop.backend.jobs)) == (SweepStatus.SUCCEEDED, False, 2, 12)
    rows = leaderboard(done, loop.look(sweep).jobs)
    assert [row.rank for row in rows] == list(range(1, 13))
    rates = [row.member.order.hyperparameters.learning_rate_multiplier for row in rows]
    assert rates == sorted(RATES, key=lambda rate: abs(rate - 1.0))
    assert done.winner == rows[0].member.job
    assert notes(done) == []


def test_jobs_start_on_the_end_of_others_not_on_the_tick_alone(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    loop.start()
    loop.beat()
    loop.beat()
    assert len(loop.backend.jobs) == 2
    loop.deliver_new()
    loop.poll_all()
    assert len(loop.backend.jobs) == 4


def test_the_ceiling_stops_the_sweep_where_it_should(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    bound = loop.bound()
    sweep = loop.start(max_cost_usd=5 * bound)
    loop.settle()
    done = loop.now(sweep)
    spent = [member.result.cost_usd or 0 for member in done.members if member.result]
    assert done.halted is not None
    assert (done.status, done.halted.rule, len(loop.backend.jobs)) == (SweepStatus.SUCCEEDED, "ceiling", len(spent))
    assert sum(spent) <= 5 * bound < sum(spent) + bound
    assert {member.state for member in done.members} == {MemberState.ENDED, MemberState.SKIPPED}


def test_jobs_that_cost_more_than_estimated_end_the_sweep_and_what_runs(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=2)
    loop.billable = 617
    sweep = loop.start(max_cost_usd=2.5 * loop.bound())
    loop.settle(beats=3, train=False)
    first, second = loop.ran()
    for state in (ProviderState.RUNNING, ProviderState.SUCCEEDED):
        loop.backend.turn(loop.provider(second.id).name, ProviderState.RUNNING)
        loop.backend.turn(loop.provider(first.id).name, state)
        loop.settle(beats=3, train=False)
    done = loop.now(sweep)
    assert done.halted is not None
    assert (done.halted.rule, loop.job(second.id).status, len(loop.ran())) == ("ceiling", Status.CANCELLED, 2)
    assert loop.job(first.id).status is Status.SUCCEEDED


def test_what_an_epoch_did_cost_counts_for_the_jobs_that_wait(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=1)
    loop.billable = 250
    sweep = loop.start(max_cost_usd=6.0)
    loop.settle()
    done = loop.now(sweep)
    assert [member.result.cost_usd for member in done.members if member.result] == [2.5, 2.5]
    assert done.halted is not None
    assert done.halted.rule == "ceiling"


def test_until_the_first_job_is_priced_no_other_starts(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=12)
    loop.start(max_cost_usd=3.5 * loop.bound())
    while not loop.ran():
        loop.deliver(loop.events.sent[-1])
    assert len(loop.ran()) == 1
    loop.deliver_new()
    assert len(loop.ran()) == 3


def test_a_ceiling_below_one_job_runs_none(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(max_cost_usd=0.9 * loop.bound())
    loop.settle()
    done = loop.now(sweep)
    assert (done.status, loop.backend.jobs) == (SweepStatus.FAILED, {})
    assert [member.state for member in done.members] == [MemberState.ENDED] + [MemberState.SKIPPED] * 11
    assert "were left" in str(done.members[0].reason)


def test_cheaper_jobs_go_past_one_that_does_not_fit(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=1)
    file = loop.upload()
    small = loop.jobs_of(1.0, 2.0, training_file=file)
    large = msgspec.structs.replace(
        small[0], hyperparameters=msgspec.structs.replace(small[0].hyperparameters, epochs=9)
    )
    sweep = loop.start(max_cost_usd=2.5 * loop.bound(), jobs=(small[0], large, small[1]))
    loop.settle()
    states = [member.state for member in loop.now(sweep).members]
    assert states == [MemberState.ENDED, MemberState.SKIPPED, MemberState.ENDED]


def test_without_a_price_a_ceiling_holds_each_job_for_a_person(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, catalogue=load(), quota=9)
    sweep = loop.start(1.0, 2.0, max_cost_usd=1.0)
    loop.settle(beats=5)
    (job,) = loop.ran()
    assert (job.status, loop.now(sweep).status) == (Status.HELD, SweepStatus.RUNNING)
    loop.approvals.approve(job.id, grant=ADMIN)
    loop.settle(beats=9)
    assert [job.status for job in loop.ran()] == [Status.SUCCEEDED, Status.HELD]
    loop.approvals.refuse(loop.ran()[1].id, grant=ADMIN)
    loop.settle(beats=9)
    assert loop.now(sweep).status is SweepStatus.SUCCEEDED


PARTS = 6  # of the moments, so that they can be tried side by side


def _crashing(loop: SweepLoop, bound: float) -> list[tuple[object, ...]]:
    """Three jobs within a ceiling, by a caller and a scheduler who ask again when they got no answer."""
    for _ in range(2):
        with suppress(Crash):
            loop.start_once(*RATES[:3], max_cost_usd=3.5 * bound, promotion=Promotion(alias="shop"))
            break
    for _ in range(2):
        with suppress(Crash):
            loop.settle(beats=16)
    return loop.told()


@pytest.mark.parametrize("part", range(PARTS))
def test_a_crash_at_any_moment_neither_loses_nor_doubles_a_job(tmp_path: Path, part: int) -> None:
    bound = SweepLoop(tmp_path / "priced").bound()
    counted = SweepLoop(tmp_path / "counted")
    expected = _crashing(counted, bound)
    assert expected[0] == (SweepStatus.SUCCEEDED, False, "done")
    moments = range(1, 2 * counted.fuse.uses + 1)
    assert len(moments) > 100
    for moment in moments[part::PARTS]:
        loop = SweepLoop(tmp_path / str(moment), fuse=Fuse(moment))
        assert (moment, _crashing(loop, bound)) == (moment, expected)
        assert loop.most <= 2


def test_every_message_twice_and_backwards_changes_nothing(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(promotion=Promotion(alias="shop"))
    loop.settle()
    before = loop.documents.get(Key("sweeps", sweep.id))
    for message in [*loop.events.sent[::-1], *loop.events.sent]:
        assert loop.deliver(message)
    assert loop.documents.get(Key("sweeps", sweep.id)) == before
    assert len(loop.backend.jobs) == 12


def test_a_lost_answer_of_the_store_starts_no_job_twice(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(1.0, 2.0, 3.0)
    loop.documents.lose_answers = 2
    loop.settle()
    assert (loop.now(sweep).status, len(loop.backend.jobs)) == (SweepStatus.SUCCEEDED, 3)


def test_two_sweeps_share_the_projects_places(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=3)
    first, second = loop.start(1.0, 2.0, 3.0, 5.0), loop.start(1.0, 2.0, 3.0, 5.0)
    loop.settle()
    assert loop.most == 3
    assert {loop.now(sweep).status for sweep in (first, second)} == {SweepStatus.SUCCEEDED}


def test_two_conductors_who_race_for_a_place_start_one_job(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=1)
    first, second = loop.start(1.0), loop.start(2.0)
    rival = loop.conductor(1)
    done: list[int] = []
    free = loop.sweeps.lifecycle.jobs.find

    def find(*where: object, **fields: object) -> object:
        found = free(*where, **fields)  # type: ignore[arg-type]
        if not done:  # the other one counts and starts between this one's count and start
            done.append(1)
            rival(SweepRef(second.id))
        return found

    loop.sweeps.lifecycle.jobs.find = find  # type: ignore[method-assign, assignment]
    loop.conduct(SweepRef(first.id))
    assert [job.sweep for job in loop.ran()] == [second.id]


def test_other_peoples_jobs_take_places_too(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=2)
    for _ in range(2):
        loop.desk.create(loop.order(), owner="other")
    sweep = loop.start(1.0)
    loop.deliver_new()
    assert loop.now(sweep).members[0].state is MemberState.WAITING
    loop.settle(beats=9)
    assert loop.now(sweep).status is SweepStatus.SUCCEEDED


def test_concurrency_may_be_less_than_the_quota(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=9)
    loop.start(concurrency=1)
    loop.settle(beats=20)
    assert loop.most == 1


def test_patience_stops_a_sweep_that_gets_no_better(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=1)
    sweep = loop.start(1.0, 2.0, 3.0, 5.0, 7.0, stop=StopRules(patience=2))
    loop.settle()
    done = loop.now(sweep)
    assert done.halted is not None
    assert (done.status, done.halted.rule, len(loop.backend.jobs)) == (SweepStatus.SUCCEEDED, "patience", 3)


def test_a_target_stops_the_sweep_and_the_running_jobs_if_asked(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=2)
    sweep = loop.start(1.0, 5.0, 7.0, stop=StopRules(target_validation_loss=0.6, cancel_running=True))
    loop.settle(beats=3, train=False)
    first, second = loop.ran()
    for state in (ProviderState.RUNNING, ProviderState.SUCCEEDED):
        name = loop.provider(first.id).name
        loop.backend.turn(
            name, state, **({"losses": by_rate(loop.backend.jobs[name][0])} if state == "succeeded" else {})
        )
        loop.settle(beats=3, train=False)
    done = loop.now(sweep)
    assert done.halted is not None
    assert (done.status, done.halted.rule) == (SweepStatus.SUCCEEDED, "target_validation_loss")
    assert (loop.job(second.id).status, len(loop.ran())) == (Status.CANCELLED, 2)
    assert [row.status for row in leaderboard(done, {})] == ["succeeded", "cancelled", "skipped"]


def test_too_many_failures_stop_the_sweep(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=1)
    sweep = loop.start(stop=StopRules(max_failures=2))
    loop.failing = {str(member_job(sweep.id, n)) for n in range(12)}
    loop.settle()
    done = loop.now(sweep)
    assert done.halted is not None
    assert (done.status, done.halted.rule, len(loop.backend.jobs)) == (SweepStatus.FAILED, "max_failures", 2)


def test_a_refused_file_is_not_tried_again(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, quota=1)
    bad = loop.upload(b"no json\n")
    sweep = loop.start(jobs=(*loop.jobs_of(1.0, 2.0, 3.0, training_file=bad), *loop.jobs_of(1.0)))
    loop.settle()
    done = loop.now(sweep)
    assert [str(member.state) for member in done.members] == ["ended", "skipped", "skipped", "ended"]
    assert "was refused" in str(done.members[1].reason)
    assert done.status is SweepStatus.SUCCEEDED


def test_a_cancelled_sweep_starts_nothing_and_ends_what_runs(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(promotion=Promotion(alias="shop"))
    loop.settle(beats=3, train=False)
    for _ in range(2):
        assert loop.sweep_desk.cancel(sweep.id, owner="acme").sweep.status is SweepStatus.CANCELLING
    loop.settle(beats=5)
    done = loop.now(sweep)
    assert (done.status, done.open, len(loop.ran())) == (SweepStatus.CANCELLED, False, 2)
    assert {job.status for job in loop.ran()} == {Status.CANCELLED}
    assert done.promotion is not None
    assert done.promotion.state == "none"
    assert loop.sweep_desk.cancel(sweep.id, owner="acme").sweep.status is SweepStatus.CANCELLED


def test_a_sweep_that_has_ended_cannot_be_cancelled(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(1.0)
    loop.settle(beats=9)
    with pytest.raises(BadInput, match="nothing to cancel"):
        loop.sweep_desk.cancel(sweep.id, owner="acme")


def test_the_winner_answers_under_the_alias(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(promotion=Promotion(alias="shop"))
    loop.settle()
    done = loop.now(sweep)
    assert done.winner is not None
    won = loop.job(done.winner)
    routes = current(loop.documents).routes
    assert (done.promotion and done.promotion.state, done.status) == ("done", SweepStatus.SUCCEEDED)
    assert routes["shop"].targets == routes[str(won.fine_tuned_model)].targets
    assert routes["shop"].owner == "acme"
    assert won.promotion is not None
    assert won.promotion.state == "done"


def test_a_route_that_is_there_keeps_all_but_its_targets(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    _put(loop, Route(alias="shop", targets=(Target(resource="old"),), created_at=1, owner="acme", retries=3))
    loop.start(1.0, promotion=Promotion(alias="shop"))
    loop.settle(beats=9)
    route = current(loop.documents).routes["shop"]
    assert (route.retries, route.targets[0].resource.rpartition("/")[2]) == (3, "100")


def test_anothers_alias_is_not_for_the_taking(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    _put(loop, Route(alias="theirs", targets=(Target(resource="old"),), created_at=1, owner="rival"))
    for alias, param in (("theirs", "promote.alias"), ("ft:x", "promote.alias"), ("", "promote.alias")):
        with pytest.raises(BadInput) as fault:
            loop.start(1.0, promotion=Promotion(alias=alias))
        assert fault.value.param == param
    sweep = loop.start(1.0, promotion=Promotion(alias="shop"))
    _put(loop, Route(alias="shop", targets=(Target(resource="old"),), created_at=1, owner="rival"))
    loop.settle(beats=12)
    done = loop.now(sweep)
    assert done.promotion is not None
    assert (done.status, done.promotion.state) == (SweepStatus.SUCCEEDED, "refused")
    assert current(loop.documents).routes["shop"].targets[0].resource == "old"


def test_without_a_validation_loss_nobody_wins_unasked(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, losses=training_only)
    sweep = loop.start(1.0, 2.0, promotion=Promotion(alias="shop"))
    loop.settle()
    done = loop.now(sweep)
    rows = leaderboard(done, {})
    assert [(row.rank, row.ranked_by) for row in rows] == [(1, "training_loss"), (2, "training_loss")]
    assert done.promotion is not None
    assert (done.status, done.promotion.state) == (SweepStatus.SUCCEEDED, "none")
    assert "learn by heart" in notes(done)[0]
    assert "shop" not in current(loop.documents).routes


def test_a_training_loss_wins_if_asked(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, losses=training_only)
    sweep = loop.start(2.0, 1.0, promotion=Promotion(alias="shop", by="training_loss"))
    loop.settle()
    done = loop.now(sweep)
    assert done.promotion is not None
    assert (done.promotion.state, done.promotion.job) == ("done", member_job(sweep.id, 1))


def test_where_no_loss_is_told_a_person_chooses(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path, losses=lambda _: ())
    sweep = loop.start(1.0, 2.0, promotion=Promotion(alias="shop"))
    loop.settle()
    rows = leaderboard(loop.now(sweep), {})
    assert [(row.rank, row.ranked_by) for row in rows] == [(None, "no loss told")] * 2
    chosen = member_job(sweep.id, 1)
    for _ in range(2):
        loop.sweep_desk.promote(sweep.id, job=chosen, alias="shop", owner="acme")
    loop.settle(beats=6)
    done = loop.now(sweep)
    assert done.promotion is not None
    assert (done.open, done.promotion.state, done.promotion.job) == (False, "done", chosen)
    assert current(loop.documents).routes["shop"].targets
    with pytest.raises(BadInput, match="no job of sweep"):
        loop.sweep_desk.promote(sweep.id, job="ftjob-none", alias="shop", owner="acme")


def test_the_same_key_brings_back_the_same_sweep_and_another_is_refused(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    jobs = loop.jobs_of(1.0, 2.0)
    first, again = (loop.start(jobs=jobs, idempotency_key="once") for _ in range(2))
    assert first.id == again.id
    with pytest.raises(BadInput, match="another"):
        loop.start(jobs=jobs[:1], idempotency_key="once")


def test_one_tenant_never_sees_anothers_sweep(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(1.0)
    assert loop.sweep_desk.newest(owner="other", after=None, limit=10) == []
    for ask in (loop.sweep_desk.get, loop.sweep_desk.cancel):
        with pytest.raises(NotFound):
            ask(sweep.id, owner="other")


def test_a_sweep_is_accepted_although_the_bus_is_away(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    loop.events.away = True
    sweep = loop.start(1.0)
    loop.events.away = False
    loop.settle(beats=9)
    assert loop.now(sweep).status is SweepStatus.SUCCEEDED


def test_its_end_is_told_to_customers(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    sweep = loop.start(1.0)
    loop.settle(beats=9)
    ends = [m for m in loop.events.sent if m.topic is Topic.TUNING_EVENTS and m.attributes.get("type") == "sweep.ended"]
    body = msgspec.json.decode(ends[0].data, type=dict[str, object])
    assert (len(ends), body["sweep_id"], body["status"], body["winner"]) == (
        1,
        sweep.id,
        "succeeded",
        member_job(sweep.id, 0),
    )
    told = {name: value for name, value in ends[0].attributes.items() if name.startswith("ce-")}
    assert (told["ce-specversion"], told["ce-type"], told["ce-subject"], told["ce-source"]) == (
        "1.0",
        "tuneway.sweep.succeeded",
        sweep.id,
        "/v1/fine_tuning/sweeps",
    )
    assert (told["ce-id"].startswith(sweep.id), told["ce-time"][-1]) == (True, "Z")


def _put(loop: SweepLoop, route: Route) -> None:
    write = Collection(loop.documents, "routes", Route).put(route.alias, route)
    change(loop.documents, lambda snapshot: snapshot.with_route(route), write)


def test_a_message_about_no_sweep_changes_nothing_and_is_done(tmp_path: Path) -> None:
    loop = SweepLoop(tmp_path)
    before = len(loop.events.sent)
    loop.conduct(SweepRef("sweep-none"))
    assert len(loop.events.sent) == before
