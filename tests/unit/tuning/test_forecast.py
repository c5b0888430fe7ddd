from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import NOW, Loop
from tuneway.tuning.datasets.report import TokenRange
from tuneway.tuning.forecast import LEAST_OF_ALL, PastRun, forecast, past_runs
from tuneway.tuning.jobs import Job, JobId, Status

BASE = "gemini-3.5-flash"
TOKENS = TokenRange(low=1_000_000, high=3_000_000, basis="")


def run(seconds: float, tokens: int = 1_000_000) -> PastRun:
    return PastRun(seconds=seconds, tokens=tokens)


def finished(loop: Loop, *, owner: str = "acme", seconds: float = 600, **fields: object) -> None:
    job = loop.desk.create(loop.order(), owner=owner)
    stored = loop.lifecycle.jobs.get(job.id)
    usual = {"status": Status.SUCCEEDED, "started_at": NOW, "finished_at": NOW + seconds, "trained_tokens": 2_000_000}
    loop.documents.commit(loop.lifecycle.jobs.replace(stored, _with(stored.value, usual | fields)))


def _with(job: Job, fields: dict[str, object]) -> Job:
    return msgspec.structs.replace(job, **fields)


def test_without_a_past_there_is_no_forecast() -> None:
    assert forecast([], TOKENS, base=BASE) is None
    assert forecast([run(0), run(10, 0)], TOKENS, base=BASE) is None


def test_a_larger_job_takes_as_long_at_least_and_at_most_as_much_longer() -> None:
    found = forecast([run(600)], TOKENS, base=BASE)
    assert found is not None
    assert (found.seconds_low, found.seconds_likely, found.seconds_high) == (600, 848.5, 1800)
    assert found.basis.startswith("1 past job of gemini-3.5-flash")


def test_a_few_give_their_extremes() -> None:
    found = forecast([run(500), run(2000), run(100)], TOKENS, base=BASE)
    assert found is not None
    assert (found.seconds_low, found.seconds_likely, found.seconds_high) == (100, 707.1, 6000)
    assert "3 past jobs" in found.basis


def test_of_many_the_odd_ones_out_do_not_count() -> None:
    found = forecast([run(100)] * 20 + [run(100_000), run(1)], TOKENS, base=BASE)
    assert found is not None
    assert (found.seconds_low, found.seconds_high) == (100, 300)


def test_a_small_job_tells_little_of_a_large_one() -> None:
    found = forecast([run(40, 30)] * 20 + [run(900, 2_000_000)], TOKENS, base=BASE)
    assert found is not None
    assert (found.seconds_low, found.seconds_likely, found.seconds_high) == (450, 900, 1350)


def test_the_time_that_every_job_takes_is_not_multiplied() -> None:
    found = forecast([run(40, 30)], TOKENS, base=BASE)
    assert found is not None
    assert found.seconds_low == 40


@given(st.lists(st.builds(run, st.floats(1, 1e6), st.integers(1, 10**9)), min_size=1, max_size=40))
def test_a_forecast_is_in_order(runs: list[PastRun]) -> None:
    found = forecast(runs, TOKENS, base=BASE)
    assert found is not None
    assert found.seconds_low <= found.seconds_likely <= found.seconds_high


def test_a_past_run_is_a_job_that_succeeded(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    finished(loop)
    finished(loop, status=Status.FAILED)
    finished(loop, base_model="gemini-3.1-flash-lite")
    finished(loop, started_at=None)
    assert past_runs(loop.lifecycle.jobs, BASE, owner="acme") == [run(600, 2_000_000)]


def test_the_estimates_tokens_stand_in_for_those_the_provider_did_not_count(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    done = loop.job(job.id)
    assert done.estimate is not None
    stored = loop.lifecycle.jobs.get(JobId(job.id))
    loop.documents.commit(loop.lifecycle.jobs.replace(stored, _with(done, {"trained_tokens": None})))
    (found,) = past_runs(loop.lifecycle.jobs, BASE, owner="acme")
    assert done.estimate.tokens_low <= found.tokens <= done.estimate.tokens_high


@pytest.mark.parametrize(("others", "seen"), [(LEAST_OF_ALL - 1, 0), (LEAST_OF_ALL, LEAST_OF_ALL)])
def test_jobs_of_others_count_only_where_they_hide_each_other(tmp_path: Path, others: int, seen: int) -> None:
    loop = Loop(tmp_path)
    for _ in range(others):
        finished(loop, owner="another")
    assert len(past_runs(loop.lifecycle.jobs, BASE, owner="acme")) == seen


def test_ones_own_jobs_are_enough(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    for _ in range(LEAST_OF_ALL):
        finished(loop, owner="another", seconds=9999)
    finished(loop, seconds=600)
    assert past_runs(loop.lifecycle.jobs, BASE, owner="acme") == [run(600, 2_000_000)]
