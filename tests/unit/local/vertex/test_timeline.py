"""A tuning job's course is arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from tuneway.local.vertex.timeline import Plan, ends, moment, steps_for

ORDER = [None, "PROCESSING_DATASET", "WAITING_FOR_CAPACITY", "TUNING", "POST_PROCESSING"]
PLAN = Plan(created=1000.0, speed=1.0, steps=150, epochs=3)


def test_400_rows_and_3_epochs_take_about_3_minutes() -> None:
    assert steps_for(400, 3) == PLAN.steps
    assert 150 < ends(PLAN) - PLAN.created < 210


def test_speed_divides_every_duration() -> None:
    fast = Plan(created=1000.0, speed=100.0, steps=150, epochs=3)
    assert round(ends(fast) - 1000.0, 6) == round((ends(PLAN) - 1000.0) / 100, 6)


def test_phases_come_in_order() -> None:
    seen = [moment(PLAN, 1000.0 + second).phase for second in range(179)]
    assert list(dict.fromkeys(seen)) == ORDER


def test_a_failing_job_fails_after_reading_its_dataset() -> None:
    failing = Plan(created=0.0, speed=1.0, steps=0, epochs=1, fails=True)
    assert moment(failing, 10.0).phase == "PROCESSING_DATASET"
    failed = moment(failing, 21.0)
    assert (failed.state, failed.ended) == ("JOB_STATE_FAILED", 20.0)


def test_a_cancelled_job_is_cancelling_first() -> None:
    cancelled = Plan(created=0.0, speed=1.0, steps=150, epochs=3, cancelled=100.0)
    assert moment(cancelled, 101.0).state == "JOB_STATE_CANCELLING"
    done = moment(cancelled, 104.0)
    assert (done.state, done.ended) == ("JOB_STATE_CANCELLED", 103.0)
    assert done.steps == moment(PLAN, 1100.0).steps


@given(
    steps=st.integers(1, 10_000),
    epochs=st.integers(1, 50),
    speed=st.floats(0.1, 1000),
    times=st.lists(st.floats(0, 10_000), min_size=2),
)
def test_progress_never_goes_back(steps: int, epochs: int, speed: float, times: list[float]) -> None:
    plan = Plan(created=0.0, speed=speed, steps=steps, epochs=epochs)
    seen = [moment(plan, time) for time in sorted(times)]
    assert [each.steps for each in seen] == sorted(each.steps for each in seen)
    assert [each.epochs for each in seen] == sorted(each.epochs for each in seen)
    assert all(each.updated <= time + 1e-6 for each, time in zip(seen, sorted(times), strict=True))
    finished = moment(plan, ends(plan))
    assert (finished.state, finished.steps) == ("JOB_STATE_SUCCEEDED", steps)
