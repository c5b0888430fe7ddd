"""A job is started again as it was, unless what it was tuned on is gone or has changed."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import BUCKET, CHAT, Loop
from tests.unit.edge.asking import Asked, Asking
from tuneway.edge.fine_tuning import replays as edge
from tuneway.errors import BadInput, NotFound
from tuneway.ports import Method
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.inspection import Inspector
from tuneway.tuning.jobs import Job
from tuneway.tuning.orders import asked_for
from tuneway.tuning.replays import Replays


class World:
    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.inspector = Inspector(
            self.loop.shelf, self.loop.files, catalogue=self.loop.catalogue, now=lambda: self.loop.clock
        )
        self.replays = Replays(self.loop.desk, self.inspector)

    def tuned(self, **fields: object) -> Job:
        job = self.loop.desk.create(self.loop.order(**fields), owner="acme")
        self.loop.settle()
        return self.loop.job(job.id)

    def again(self, job: Job) -> Job:
        return self.replays.start(job.id, owner="acme")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_job_is_asked_for_again_in_the_same_words(world: World) -> None:
    first = world.tuned(
        hyperparameters=Hyperparameters(epochs=3, learning_rate_multiplier=0.5),
        validation_file=world.loop.upload(b"".join(CHAT % (n + 500, n) for n in range(20))),
        suffix="shop",
        metadata={"team": "x"},
        max_cost_usd=900.0,
    )
    second = world.again(first)
    assert asked_for(second) == asked_for(first)
    assert (second.id != first.id, second.owner, second.location) == (True, "acme", first.location)
    world.loop.settle()
    assert world.loop.job(second.id).dataset == first.dataset


def test_a_file_that_was_uploaded_is_found_again(world: World) -> None:
    with world.loop.files.read(world.loop.upload()) as content:
        record = world.loop.shelf.upload(content, filename="a.jsonl", purpose="fine-tune", owner="acme")
    first = world.tuned(training_file=record.id)
    assert world.again(first).training_file == record.id
    world.loop.shelf.delete(record.id, owner="acme")
    with pytest.raises(BadInput) as caught:
        world.again(first)
    assert (caught.value.param, caught.value.code) == ("training_file", "file_not_found")


def test_a_file_that_is_gone_is_named(world: World) -> None:
    first = world.tuned()
    world.loop.files.delete(first.training_file)
    with pytest.raises(BadInput) as caught:
        world.again(first)
    assert (caught.value.param, caught.value.code) == ("training_file", "file_not_found")


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
def test_a_file_that_differs_is_refused_with_both_hashes(world: World, field: str) -> None:
    first = world.tuned(validation_file=world.loop.upload(b"".join(CHAT % (n + 500, n) for n in range(20))))
    with world.loop.files.write(getattr(first, field)) as target:
        target.write(CHAT % (1, 2))
    with pytest.raises(BadInput, match="is not the file that job") as caught:
        world.again(first)
    assert (caught.value.param, caught.value.code) == (field, "file_changed")
    report = first.dataset if field == "training_file" else first.validation_dataset
    assert report is not None
    assert report.sha256[:12] in caught.value.message


def test_a_job_that_never_read_its_file_cannot_be_replayed(world: World) -> None:
    first = world.loop.desk.create(world.loop.order(), owner="acme")
    with pytest.raises(BadInput, match="Create a new job") as caught:
        world.again(first)
    assert caught.value.code == "replay_without_report"


def test_one_that_went_on_from_a_model_goes_on_from_it_again(world: World) -> None:
    parent = world.tuned()
    child = world.tuned(model=f"{parent.alias}@1")
    again = world.again(child)
    assert (again.continues, again.pre_tuned) == (parent.id, child.pre_tuned)


def test_one_whose_parent_is_gone_says_so(world: World) -> None:
    parent = world.tuned()
    child = world.tuned(model=parent.alias)
    world.loop.documents.commit(world.loop.lifecycle.jobs.delete(parent.id))
    with pytest.raises(NotFound, match=parent.id):
        world.again(child)


def test_a_method_with_a_teacher_keeps_it(world: World) -> None:
    job = world.tuned()
    taught = msgspec.structs.replace(job, method=Method.DISTILLATION, teacher="gemini-3.5-pro")
    stored = world.loop.lifecycle.jobs.get(job.id)
    world.loop.documents.commit(world.loop.lifecycle.jobs.replace(stored, taught))
    again = world.again(taught)
    assert (again.method, again.teacher) == (Method.DISTILLATION, "gemini-3.5-pro")


@pytest.fixture
def door(world: World) -> Asking:
    return Asking(edge.rules(world.loop.desk, world.inspector))


def test_the_door_starts_it_for_its_owner(world: World, door: Asking) -> None:
    first = world.tuned()

    def ask(key: str) -> Asked:
        return door("POST", f"/v1/fine_tuning/jobs/{first.id}/replay", key=key)

    assert ask("tune@rival").status == 404
    assert ask("predict").status == 403
    mine, admins = ask("tune").json, ask("admin@ops").json
    assert (mine["status"], mine["training_file"]) == ("validating_files", f"{first.training_file}")
    assert {mine["organization_id"], admins["organization_id"]} == {"acme"}
    assert BUCKET in mine["training_file"]


def test_the_same_idempotency_key_starts_one_job(world: World, door: Asking) -> None:
    path = f"/v1/fine_tuning/jobs/{world.tuned().id}/replay"
    sent = {"idempotency-key": "k-1"}
    assert door("POST", path, sent=sent).json["id"] == door("POST", path, sent=sent).json["id"]
