"""Places that are listed: what a look reads, writes and asks, and that nothing falls between two looks."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tests.unit.tuning.test_gate import priced
from tuneway.errors import Conflict
from tuneway.ports import Key, ProviderJob, ProviderState, TuningRequest
from tuneway.state import Collection
from tuneway.tuning.beats import FOREIGN, Place, PlaceRef, Roll, Seen, beats, claimed, look, print_of, unpacked
from tuneway.tuning.jobs import Job, Status
from tuneway.tuning.tick import UNLISTED_SECONDS, tick

PLACE = Place("vertex_ai", "us-central1")
LOOK = PlaceRef(PLACE, 0.0)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path, few=2)


def running(loop: Loop, count: int = 3) -> list[Job]:
    """Jobs that train, in a place that is listed because of them."""
    file = loop.upload()
    made = [loop.desk.create(loop.order(training_file=file), owner="acme") for _ in range(count)]
    loop.deliver_new()
    for name in list(loop.backend.jobs):
        loop.backend.turn(name, ProviderState.RUNNING)
    loop.settle(train=False, beats=3)
    return [loop.job(job.id) for job in made]


def name_of(loop: Loop, job: Job) -> str:
    return next(name for name, (request, _) in loop.backend.jobs.items() if request.token == job.id)


def minute(loop: Loop) -> None:
    loop.settle(train=False, beats=1)
    loop.deliver_new()


def test_a_place_with_many_jobs_is_listed_and_all_of_them_run(loop: Loop) -> None:
    assert {job.status for job in running(loop)} == {Status.RUNNING}
    assert beats(loop.documents).get(PLACE.key).value.watched == 3
    loop.clock += 61
    assert tick(loop.lifecycle, few=2) == 1
    assert loop.events.sent[-1] == look(beats(loop.documents).get(PLACE.key).value)


def test_a_place_with_few_jobs_is_not_listed(loop: Loop) -> None:
    running(loop, count=2)
    assert beats(loop.documents).find() == []
    loop.clock += 61
    assert tick(loop.lifecycle, few=2) == 2


def test_a_look_that_finds_nothing_new_leaves_every_job_as_it_is(loop: Loop) -> None:
    before = [loop.documents.get(Key("jobs", job.id)) for job in running(loop)]
    for _ in range(5):
        minute(loop)
    assert [loop.documents.get(document.key) for document in before if document] == before


def test_a_job_that_left_the_listing_is_finished(loop: Loop) -> None:
    first, *rest = running(loop)
    loop.backend.turn(name_of(loop, first), ProviderState.SUCCEEDED)
    minute(loop)
    assert loop.job(first.id).status is Status.SUCCEEDED
    assert [loop.job(job.id).status for job in rest] == [Status.RUNNING] * 2
    loop.settle()
    assert not any(loop.job(job.id).open for job in (first, *rest))


def test_progress_of_a_listed_job_is_told(loop: Loop) -> None:
    first, *_ = running(loop)
    loop.backend.turn(name_of(loop, first), ProviderState.RUNNING, phase="tuning", steps_done=50, steps_total=100)
    minute(loop)
    progress = loop.job(first.id).progress
    assert progress is not None
    assert (progress.phase, progress.steps_done) == ("tuning", 50)


def test_a_new_job_joins_the_listed_ones(loop: Loop) -> None:
    running(loop)
    (job,) = running(loop, count=1)
    minute(loop)
    assert beats(loop.documents).get(PLACE.key).value.watched == 4
    assert loop.job(job.id).deadline > loop.clock + 86400


def test_a_listed_job_that_is_cancelled_ends_at_the_provider(loop: Loop) -> None:
    first, *_ = running(loop)
    loop.desk.cancel(first.id, owner="acme")
    loop.deliver_new()
    assert loop.job(first.id).status is Status.CANCELLED
    assert loop.backend.get(name_of(loop, first)).state is ProviderState.CANCELLED
    minute(loop)
    assert first.id not in Roll(loop.documents, PLACE).known()


def test_a_listed_job_above_its_ceiling_is_stopped(tmp_path: Path) -> None:
    loop = Loop(tmp_path, few=0, catalogue=priced())
    job = loop.desk.create(loop.order(max_cost_usd=1000.0), owner="acme")
    loop.settle(train=False, beats=3)
    name = name_of(loop, job)
    loop.backend.turn(name, ProviderState.RUNNING, steps_done=50, steps_total=100, billable_tokens=100_000)
    loop.settle(train=False, beats=4)
    assert (loop.job(job.id).status, loop.backend.get(name).state) == (Status.CANCELLED, ProviderState.CANCELLED)
    assert loop.job(job.id).error.code == "cost_ceiling"  # type: ignore[union-attr]


def test_jobs_of_other_installations_are_read_once_and_left_alone(loop: Loop) -> None:
    running(loop)
    request = TuningRequest(
        token="ftjob-other", location="us-central1", base_model="m", training_uri="gs://b/t", display_name="d"
    )
    loop.backend.create(request)
    minute(loop)
    assert Roll(loop.documents, PLACE).known()["ftjob-other"] == FOREIGN
    loop.backend.turn(next(reversed(loop.backend.jobs)), ProviderState.SUCCEEDED)
    minute(loop)
    assert "ftjob-other" not in Roll(loop.documents, PLACE).known()


def test_a_job_that_ended_before_it_was_ever_listed_is_asked_for_by_itself(loop: Loop) -> None:
    running(loop)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.deliver_new()
    loop.backend.turn(name_of(loop, job), ProviderState.SUCCEEDED)
    minute(loop)
    assert loop.job(job.id).status is Status.QUEUED
    loop.clock += UNLISTED_SECONDS
    minute(loop)
    assert loop.job(job.id).status is Status.SUCCEEDED


def test_when_few_are_left_they_are_asked_for_one_by_one_again(loop: Loop) -> None:
    first, second, last = running(loop)
    for job in (first, second):
        loop.backend.turn(name_of(loop, job), ProviderState.FAILED, error="no")
    minute(loop)
    assert beats(loop.documents).find() == []
    assert Collection(loop.documents, f"beats/{PLACE.key}/shards", dict).find() == []
    assert loop.job(last.id).deadline <= loop.clock
    loop.backend.turn(name_of(loop, last), ProviderState.SUCCEEDED)
    minute(loop)
    assert loop.job(last.id).status is Status.SUCCEEDED


def test_a_place_that_cannot_be_listed_is_looked_at_again(loop: Loop) -> None:
    first, *_ = running(loop)
    loop.backend.turn(name_of(loop, first), ProviderState.FAILED, error="no")
    loop.backend.away = True
    minute(loop)
    assert loop.job(first.id).status is Status.RUNNING
    loop.backend.away = False
    minute(loop)
    assert loop.job(first.id).status is Status.FAILED


def test_a_job_that_a_listing_leaves_out_is_asked_for_and_stays(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = running(loop)
    monkeypatch.setattr(loop.backend, "unfinished", lambda _: iter(()))
    minute(loop)
    assert {loop.job(job.id).status for job in jobs} == {Status.RUNNING}
    assert len(Roll(loop.documents, PLACE).known()) == 3


def test_a_listing_that_shows_ended_jobs_spares_the_question(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = running(loop)
    loop.backend.turn(name_of(loop, first), ProviderState.SUCCEEDED)
    everything = [job for _, job in loop.backend.jobs.values()]
    monkeypatch.setattr(loop.backend, "unfinished", lambda _: iter(everything))
    monkeypatch.setattr(loop.backend, "get", lambda name: pytest.fail(f"{name} was asked for"))
    minute(loop)
    assert loop.job(first.id).status is Status.SUCCEEDED
    seen = Roll(loop.documents, PLACE).get(first.id)
    minute(loop)
    assert Roll(loop.documents, PLACE).get(first.id) == seen


def test_two_looks_at_once_are_one(loop: Loop) -> None:
    running(loop)
    loop.clock += 61
    asked = len(loop.backends.asked)
    loop.watch(LOOK)
    loop.watch(LOOK)
    assert len(loop.backends.asked) == asked + 1


def test_a_message_that_comes_again_takes_its_own_claim_up_and_no_other(loop: Loop) -> None:
    running(loop)
    loop.clock += 61
    assert claimed(loop.documents, PlaceRef(PLACE, 7.0), now=loop.clock, seconds=540)
    assert claimed(loop.documents, PlaceRef(PLACE, 8.0), now=loop.clock, seconds=540) is None
    assert claimed(loop.documents, PlaceRef(PLACE, 7.0), now=loop.clock, seconds=540)


def test_a_look_at_an_unknown_place_does_nothing(loop: Loop) -> None:
    loop.watch(PlaceRef(Place("vertex_ai", "nowhere"), 0.0))
    assert loop.backends.asked == []


def test_the_time_between_looks_grows_while_nothing_changes_and_stays_below_a_minute(loop: Loop) -> None:
    first, *_ = running(loop)
    for _ in range(6):
        minute(loop)
    assert beats(loop.documents).get(PLACE.key).value.pace == 55
    loop.backend.turn(name_of(loop, first), ProviderState.RUNNING, phase="tuning")
    minute(loop)
    assert beats(loop.documents).get(PLACE.key).value.pace == 5


def test_a_roll_holds_what_it_was_given_in_as_many_documents_as_needed(loop: Loop) -> None:
    roll = Roll(loop.documents, PLACE, shard=2)
    for number in range(5):
        roll.put(f"t-{number}", Seen("r123", number).packed())
    roll.save()
    roll.drop("t-1")
    roll.put("t-5", FOREIGN)
    roll.save()
    again = Roll(loop.documents, PLACE, shard=2)
    assert again.known() == {
        "t-0": "r1230",
        "t-2": "r1232",
        "t-3": "r1233",
        "t-4": "r1234",
        "t-5": FOREIGN,
    }
    assert unpacked(again.get("t-4") or "") == Seen("r123", 4)
    assert len(list(again.gone())) == 3


def test_a_roll_that_was_outrun_is_not_written_over(loop: Loop) -> None:
    Roll(loop.documents, PLACE).save()
    first = Roll(loop.documents, PLACE)
    first.put("t-1", FOREIGN)
    first.save()
    stale, rival = Roll(loop.documents, PLACE), Roll(loop.documents, PLACE)
    rival.put("t-2", FOREIGN)
    rival.save()
    stale.put("t-3", FOREIGN)
    with pytest.raises(Conflict):
        stale.save()


def test_a_print_differs_with_the_state_and_with_what_is_worth_a_write() -> None:
    job = ProviderJob(name="n", state=ProviderState.RUNNING, steps_done=10, steps_total=100)
    same = msgspec.structs.replace(job, steps_done=14)
    others = [
        msgspec.structs.replace(job, state=ProviderState.QUEUED),
        msgspec.structs.replace(job, phase="tuning"),
        msgspec.structs.replace(job, steps_done=15),
        msgspec.structs.replace(job, epochs_done=1),
    ]
    assert print_of(job) == print_of(same)
    assert print_of(job) not in {print_of(other) for other in others}


def test_a_job_the_provider_forgot_while_it_was_listed_fails(loop: Loop) -> None:
    first, *_ = running(loop)
    del loop.backend.jobs[name_of(loop, first)]
    minute(loop)
    assert loop.job(first.id).error.code == "provider_job_gone"  # type: ignore[union-attr]


def test_what_a_look_has_no_time_for_is_done_by_the_next(loop: Loop) -> None:
    jobs = running(loop)
    for job in jobs:
        loop.backend.turn(name_of(loop, job), ProviderState.FAILED, error="no")
    get = loop.backend.get

    def slow(name: str) -> ProviderJob:
        loop.clock += 300
        return get(name)

    loop.backend.get = slow  # type: ignore[method-assign]
    loop.clock += 61
    loop.watch(LOOK)
    assert [loop.job(job.id).status for job in jobs].count(Status.FAILED) == 2
    loop.watch(LOOK)
    assert [loop.job(job.id).status for job in jobs].count(Status.FAILED) == 3


def test_a_bus_that_is_away_leaves_the_announcement_to_the_next_look(loop: Loop) -> None:
    first, *_ = running(loop)
    loop.backend.turn(name_of(loop, first), ProviderState.RUNNING, phase="tuning")
    loop.clock += 61
    loop.events.away = True
    loop.watch(LOOK)
    loop.events.away = False
    before = loop.announced()
    loop.clock += 61
    loop.watch(LOOK)
    assert loop.job(first.id).sequence in loop.announced()[len(before) :]
