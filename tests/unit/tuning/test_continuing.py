"""Tuning on from a tuned model: whose it is, which checkpoint, and what the provider is asked."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tuneway.errors import BadInput
from tuneway.ports import PreTuned, ProviderState, TunedModel
from tuneway.tuning.jobs import Job, Status

MODEL = "projects/p/locations/us/models/9"


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def tuned(loop: Loop, **fields: object) -> Job:
    """A job that has succeeded."""
    job = loop.desk.create(loop.order(**fields), owner="acme")
    loop.settle()
    assert loop.job(job.id).status is Status.SUCCEEDED
    return loop.job(job.id)


@pytest.mark.parametrize("name", ["{alias}", f"{MODEL}@1", MODEL, f"vertex_ai/{MODEL}@1"])
def test_a_job_goes_on_from_a_tuned_model_by_any_of_its_names(loop: Loop, name: str) -> None:
    first = tuned(loop)
    second = tuned(loop, model=name.format(alias=first.alias))
    request, _ = list(loop.backend.jobs.values())[-1]
    assert request.pre_tuned == second.pre_tuned == PreTuned(model=f"{MODEL}@1")
    assert (request.base_model, second.continues) == (first.base_model, first.id)


@pytest.mark.parametrize("name", ["{alias}@1", f"{MODEL}@1@1", "{alias}@cp-1", "vertex_ai/{alias}@cp-1"])
def test_a_job_goes_on_from_a_checkpoint(loop: Loop, name: str) -> None:
    first = tuned(loop)
    job = loop.desk.create(loop.order(model=name.format(alias=first.alias)), owner="acme")
    assert job.pre_tuned == PreTuned(model=f"{MODEL}@1", checkpoint="1")


def test_a_checkpoint_that_is_not_there_is_told_with_those_that_are(loop: Loop) -> None:
    first = tuned(loop)
    with pytest.raises(BadInput, match="Use one of: 1") as refused:
        loop.desk.create(loop.order(model=f"{first.alias}@7"), owner="acme")
    assert (refused.value.code, refused.value.param) == ("checkpoint_not_found", "model")


def test_a_model_without_checkpoints_says_so(loop: Loop) -> None:
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    bare = TunedModel(model=f"{MODEL}@3", endpoint="projects/p/locations/us/endpoints/3")
    loop.backend.turn(next(iter(loop.backend.jobs)), ProviderState.SUCCEEDED, tuned=bare)
    loop.settle()
    with pytest.raises(BadInput, match="It has none"):
        loop.desk.create(loop.order(model=f"{job.alias}@1"), owner="acme")


def test_the_newest_version_is_meant_where_none_is_named(loop: Loop) -> None:
    first = tuned(loop)
    loop.clock += 10
    second = tuned(loop, model=first.alias)
    stored = loop.lifecycle.jobs.get(second.id)
    assert stored.value.tuned is not None
    newer = msgspec.structs.replace(stored.value.tuned, model=f"{MODEL}@2")
    loop.lifecycle.note(stored, msgspec.structs.replace(stored.value, tuned=newer))
    job = loop.desk.create(loop.order(model=MODEL), owner="acme")
    assert job.pre_tuned == PreTuned(model=f"{MODEL}@2")


@pytest.mark.parametrize("name", ["{alias}", "{alias}@1", MODEL, f"{MODEL}@1"])
def test_another_tenants_model_is_as_unknown_as_none(loop: Loop, name: str) -> None:
    theirs = name.format(alias=tuned(loop).alias)
    for model in (theirs, "ft:none", "projects/p/locations/us/models/404"):
        with pytest.raises(BadInput) as refused:
            loop.desk.create(loop.order(model=model), owner="rival")
        said = f"There is no tuned model '{model}' of yours to go on from. GET /v1/fine_tuning/jobs lists them."
        assert (refused.value.message, refused.value.code) == (said, "model_not_found")


def test_a_model_that_is_still_being_made_is_waited_for(loop: Loop) -> None:
    job = loop.desk.create(loop.order(), owner="acme")
    with pytest.raises(BadInput, match=f"Wait for job {job.id}") as refused:
        loop.desk.create(loop.order(model=job.alias), owner="acme")
    assert refused.value.code == "model_not_ready"


def test_weights_of_an_open_model_are_no_start_for_another_job(loop: Loop) -> None:
    open_model = tuned(loop, model="meta/llama3_1@llama-3.1-8b")
    with pytest.raises(BadInput, match="cannot go on from a tuned model") as refused:
        loop.desk.create(loop.order(model=open_model.alias), owner="acme")
    assert refused.value.param == "model"


def test_a_continued_job_trains_where_its_model_is(loop: Loop) -> None:
    first = tuned(loop)
    stored = loop.lifecycle.jobs.get(first.id)
    loop.lifecycle.note(stored, msgspec.structs.replace(stored.value, location="europe-west4"))
    assert loop.desk.create(loop.order(model=first.alias), owner="acme").location == "europe-west4"


def test_a_registry_is_told_where_a_model_comes_from(loop: Loop) -> None:
    first = tuned(loop)
    second = tuned(loop, model=first.alias)
    outcome = loop.outcomes.of(second.id)
    assert outcome is not None
    assert (outcome.continues, outcome.backend, outcome.location) == (first.id, "vertex_ai", "us-central1")
    assert loop.outcomes.of("ftjob-none") is None
