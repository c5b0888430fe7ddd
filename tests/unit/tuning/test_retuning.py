"""A job made again on another base: what callers wish goes over what was, and files have to be the same."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import CHAT
from tests.unit.registry.retiring import HEIR, World, ending
from tuneway.errors import BadInput
from tuneway.ports.retirements import Begin, RetuneWish
from tuneway.tuning.hyperparameters import Hyperparameters
from tuneway.tuning.jobs import Job


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def begin(world: World, old: Job, mark: str = "once", **wish: object) -> Job:
    asked = msgspec.convert(wish, RetuneWish)
    return world.loop.job(world.retuner.begin(old.id, asked, Begin(token=mark, also=lambda *_: ())))


def test_everything_but_the_base_is_as_it_was(world: World) -> None:
    old = world.trained(
        hyperparameters=Hyperparameters(epochs=3),
        validation_file=world.loop.upload(b"".join(CHAT % (n + 500, n) for n in range(20))),
        suffix="shop",
        metadata={"team": "x"},
    )
    new = begin(world, old)
    assert (new.base_model, new.owner, new.suffix, new.metadata) == (HEIR, "acme", "shop", {"team": "x"})
    assert (new.training_file, new.validation_file) == (old.training_file, old.validation_file)
    assert (new.hyperparameters.epochs, new.tuning_mode, new.method) == (3, old.tuning_mode, old.method)


def test_the_same_token_is_the_same_job(world: World) -> None:
    old = world.trained()
    assert begin(world, old).id == begin(world, old).id != begin(world, old, "another").id


def test_auto_gives_the_choice_back_to_the_provider(world: World) -> None:
    old = world.trained(hyperparameters=Hyperparameters(epochs=3, adapter_size=4))
    new = begin(world, old, hyperparameters={"epoch_count": "auto"})
    assert new.hyperparameters == Hyperparameters(adapter_size=4)


def test_one_learning_rate_takes_the_place_of_the_other(tmp_path: Path) -> None:
    own = msgspec.json.encode({"models": [{"name": HEIR, "ranges": {"learning_rate": {"low": 0.0001, "high": 1}}}]})
    world = World(tmp_path, catalogue=ending().merged(own))
    old = world.trained(hyperparameters=Hyperparameters(learning_rate_multiplier=0.5))
    new = begin(world, old, hyperparameters={"learning_rate": 0.01})
    assert (new.hyperparameters.learning_rate, new.hyperparameters.learning_rate_multiplier) == (0.01, None)


def test_a_file_with_other_bytes_begins_nothing(world: World) -> None:
    old = world.trained()
    with world.loop.files.write(old.training_file) as target:
        target.write(b"".join(CHAT % (n, n + 1) for n in range(100)))
    with pytest.raises(BadInput, match="is not the file") as refused:
        begin(world, old)
    assert refused.value.code == "file_changed"
    assert len(world.loop.desk.newest(owner="acme", after=None, limit=9)) == 1


def test_a_validation_file_that_is_gone_begins_nothing_and_is_told_before(world: World) -> None:
    held_out = world.loop.upload(b"".join(CHAT % (n + 500, n) for n in range(20)))
    old = world.trained(validation_file=held_out)
    world.loop.files.delete(held_out)
    for ask in (lambda: begin(world, old), lambda: world.retuner.quote(old.id, RetuneWish())):
        with pytest.raises(BadInput) as refused:
            ask()
        assert (refused.value.param, refused.value.code) == ("validation_file", "file_not_found")


def test_a_job_that_went_on_from_another_starts_from_the_base_and_says_so(world: World) -> None:
    first = world.trained()
    second = world.trained(model=first.alias)
    assert second.continues == first.id
    (_, said) = world.retuner.quote(second.id, RetuneWish()).changes
    assert said.startswith(f"continues: {first.id} → nothing")
    assert begin(world, second).continues is None


def test_a_job_that_never_read_its_dataset_cannot_be_made_again(world: World) -> None:
    created = world.loop.desk.create(world.loop.order(), owner="acme")
    with pytest.raises(BadInput) as refused:
        world.retuner.quote(created.id, RetuneWish())
    assert refused.value.code == "replay_without_report"
