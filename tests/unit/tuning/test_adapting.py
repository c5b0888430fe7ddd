"""Hyperparameters on another base: what fits stays, what does not is the nearest that does, and all of it is said."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import Loop
from tests.unit.registry.retiring import TODAY, ending
from tuneway.tuning.adapting import adapted
from tuneway.tuning.bases import BaseModel, Range
from tuneway.tuning.catalogue import load
from tuneway.tuning.hyperparameters import WHOLE, Hyperparameters
from tuneway.tuning.jobs import Job

GEMINI = load().named("gemini-3.5-flash-lite", today=TODAY)
TUNABLE = ending().tunable(TODAY)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    loop = Loop(tmp_path_factory.mktemp("adapting"))
    return loop.desk.create(loop.order(), owner="acme")


def of(job: Job, **chosen: object) -> Job:
    return msgspec.structs.replace(job, hyperparameters=msgspec.convert(chosen, Hyperparameters))


def taking(**ranges: object) -> BaseModel:
    return msgspec.structs.replace(GEMINI, ranges=msgspec.structs.replace(GEMINI.ranges, **ranges))


def test_what_fits_stays_and_nothing_is_said(job: Job) -> None:
    found = adapted(of(job, epochs=3, learning_rate_multiplier=1.0), GEMINI)
    assert (found.hyperparameters, found.changes) == (Hyperparameters(epochs=3, learning_rate_multiplier=1.0), ())


def test_what_is_too_much_or_too_little_becomes_the_nearest(job: Job) -> None:
    base = taking(epochs=Range(low=1, high=5), adapter_sizes=(1, 2, 4))
    found = adapted(of(job, epochs=40, adapter_size=8), base)
    assert (found.hyperparameters.epochs, found.hyperparameters.adapter_size) == (5, 4)
    assert found.changes == (
        f"epochs: 40 → 5 ({base.name} takes 1 to 5)",
        f"adapter_size: 8 → 4 ({base.name} takes 1, 2, 4)",
    )


def test_what_nobody_can_choose_there_is_left_to_the_provider(job: Job) -> None:
    base = taking(batch_size=None, adapter_sizes=())
    found = adapted(of(job, batch_size=16, adapter_size=4), base)
    assert found.hyperparameters == Hyperparameters()
    assert len(found.changes) == 2
    assert all("→ auto" in said for said in found.changes)


def test_full_tuning_trains_no_adapter(job: Job) -> None:
    base = msgspec.structs.replace(GEMINI, tuning_modes=("full",), default_mode="full")
    found = adapted(msgspec.structs.replace(of(job, adapter_size=4), tuning_mode="adapter"), base)
    assert (found.tuning_mode, found.hyperparameters.adapter_size) == ("full", None)
    assert found.changes[-1].startswith("tuning_mode: adapter → full")


@given(
    base=st.sampled_from(TUNABLE),
    epochs=st.none() | st.integers(1, 1000),
    size=st.none() | st.sampled_from([1, 2, 4, 8, 16, 32]),
    rate=st.none() | st.floats(0.001, 100),
    batch=st.none() | st.integers(1, 512),
)
def test_the_result_is_within_the_ranges_and_every_change_is_said(
    job: Job, base: BaseModel, epochs: int | None, size: int | None, rate: float | None, batch: int | None
) -> None:
    old = of(job, epochs=epochs, adapter_size=size, learning_rate_multiplier=rate, batch_size=batch)
    found = adapted(old, base)
    before, after = (msgspec.structs.asdict(each) for each in (old.hyperparameters, found.hyperparameters))
    for name, value in after.items():
        allowed: Range | None = getattr(base.ranges, name, None)
        assert value is None or name == "adapter_size" or (allowed and allowed.low <= value <= allowed.high)
        assert value is None or name not in WHOLE or isinstance(value, int)
    assert found.hyperparameters.adapter_size in {None, *base.ranges.adapter_sizes}
    assert len(found.changes) == sum(before[name] != after[name] for name in before)
