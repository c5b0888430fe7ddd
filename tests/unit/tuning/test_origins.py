"""Jobs and sweeps as the registry sees them."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tuneway.ports import Documents
from tuneway.state import Collection
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import JobId
from tuneway.tuning.origins import JobOrigins
from tuneway.tuning.sweeps.sweep import Member, MemberState, Sweep, SweepId


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


def member(loop: Loop, **fields: object) -> Member:
    order = loop.order(**({"model": fields.pop("model")} if "model" in fields else {}))
    plain = Member(index=0, order=order, base_model="gemini-3.5-flash", backend="vertex_ai", job=JobId("ftjob-7"))
    return msgspec.structs.replace(plain, **fields)


def put(documents: Documents, *members: Member, open_: bool = True) -> None:
    sweep = Sweep(id=SweepId("sweep-1"), owner="acme", created_at=1.0, deadline=2.0, members=members, open=open_)
    documents.commit(Collection(documents, "sweeps", Sweep).put(sweep.id, sweep))


def test_a_job_tells_what_was_asked_and_what_came_of_it(loop: Loop) -> None:
    job = loop.desk.create(loop.order(hyperparameters=Hyperparameters(epochs=2)), owner="acme")
    loop.settle()
    found = JobOrigins(loop.documents).of(job.id)
    assert found is not None
    assert (found.status, found.hyperparameters, found.trained_tokens) == ("succeeded", {"epochs": 2}, 1234)
    assert [(point.id, point.step) for point in found.checkpoints] == [("1", 10)]
    assert (found.dataset or {})["rows"] == 100
    assert (found.estimate or {})["tokens_low"]


def test_an_unknown_job_is_none(loop: Loop) -> None:
    assert JobOrigins(loop.documents).of("ftjob-nosuch") is None


def test_jobs_that_go_on_are_told_until_they_end(loop: Loop) -> None:
    parent = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    origins = JobOrigins(loop.documents)
    child = loop.desk.create(loop.order(model=loop.job(parent.id).alias), owner="acme")
    assert list(origins.going_on_from(parent.id)) == [child.id]
    loop.settle()
    assert list(origins.going_on_from(parent.id)) == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"model": "ft:base:acme::1"}, 1),
        ({"model": "ft:base:acme::1@3"}, 1),
        ({"model": "vertex_ai/projects/p/locations/us/models/9@1"}, 1),
        ({"model": "ft:base:acme::10"}, 0),
        ({"model": "ft:base:acme::1", "state": MemberState.SKIPPED}, 0),
        ({"job": JobId("ftjob-1"), "state": MemberState.ENDED}, 1),
        ({}, 0),
    ],
)
def test_a_sweep_uses_its_jobs_and_the_models_it_is_to_tune(loop: Loop, fields: dict[str, object], found: int) -> None:
    names = ("ft:base:acme::1", "projects/p/locations/us/models/9@1")
    put(loop.documents, member(loop, **fields))
    origins = JobOrigins(loop.documents)
    assert list(origins.sweeps_with("ftjob-1", *names)) == ["sweep-1"][:found]
    put(loop.documents, member(loop, **fields), open_=False)
    assert list(origins.sweeps_with("ftjob-1", *names)) == []
