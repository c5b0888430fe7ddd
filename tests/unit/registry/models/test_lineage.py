"""One document from the dataset's hash to its use, and versions side by side."""

from pathlib import Path

import pytest

from tests.unit.registry.modelled import ADMIN, BOT, RIVAL, Modelled, elsewhere
from tuneway.errors import BadInput, NotFound
from tuneway.registry.counts.tallies import Request
from tuneway.registry.counts.usage import Usage, entries
from tuneway.registry.models.comparing import Value
from tuneway.registry.models.lineage import Lineage
from tuneway.registry.models.registering import Into
from tuneway.state import Collection
from tuneway.tuning.hyperparameters import Hyperparameters


@pytest.fixture
def world(tmp_path: Path) -> Modelled:
    made = Modelled(tmp_path)
    for epochs in (2, 4):
        made.put(made.tune(hyperparameters=Hyperparameters(epochs=epochs)))
    made.point("prod", "2")
    return made


def traced(world: Modelled, model: str = BOT, version: str = "prod") -> Lineage:
    return world.lineages.of(model, version, owner="acme")


def test_the_way_from_the_dataset_to_the_name_is_one_document(world: Modelled) -> None:
    found = traced(world)
    job = found.job
    assert job is not None
    assert found.dataset_sha256 == (found.lint or {})["sha256"]
    assert (found.estimate or {})["epochs"] == 4
    assert (job.hyperparameters, job.status, job.base_model) == ({"epochs": 4}, "succeeded", "gemini-3.5-flash")
    assert (job.training_file[:5], job.trained_tokens) == ("gs://", 2468)
    assert [name.name for name in found.names] == [f"{BOT}@prod"]
    assert [(move.alias, move.after) for move in found.moves] == [("prod", "2")]


def test_a_tuned_models_own_document_has_its_name_and_endpoint(world: Modelled) -> None:
    found = traced(world, "101", "1")
    assert [name.name for name in found.names] == [world.model("101").called]
    assert [each.endpoint.rpartition("/")[2] for each in found.deployments] == ["101"]


def test_a_copy_tells_of_the_deployments_of_what_it_is_a_copy_of(world: Modelled) -> None:
    found = traced(world)
    assert found.version.copy_of == "102@1"
    assert [each.endpoint.rpartition("/")[2] for each in found.deployments] == ["102"]


def test_usage_is_told_by_name(world: Modelled) -> None:
    usage = Collection(world.documents, "usage", Usage)
    for number, status in enumerate((200, 200, 503)):
        request = Request(
            id=f"req-{number}",
            at=world.loop.clock - 60,
            owner="acme",
            key="k",
            route=f"{BOT}@prod",
            target="t",
            status=status,
            ms=9.0,
            tokens_in=10,
            tokens_out=5,
            cost_usd=0.25,
        )
        (entry,) = entries(request)
        assert isinstance(entry.fresh, Usage)
        counted = Usage(owner="acme", key="k", route=f"{BOT}@prod", target="t", at=entry.fresh.at, tally=entry.tally)
        world.documents.commit(usage.put(f"{entry.key.id}-{number}", counted))
    (led,) = traced(world).names
    assert (led.alias, led.requests, led.errors, led.tokens_in, led.cost_usd) == ("prod", 3, 1, 30, 0.75)


def test_what_a_job_went_on_from_is_told(world: Modelled) -> None:
    first = world.registering.made_by(traced(world, "101", "1").version.job, who=ADMIN)[1].job
    second = world.tune(model=world.model("101").called)
    assert traced(world, "103", "1").ancestors == (first,)
    third = world.tune(model=second.alias)
    assert third.continues == second.id
    assert traced(world, "104", "1").ancestors == (second.id, first)


def test_what_no_job_made_has_a_short_document(world: Modelled) -> None:
    world.registering.from_targets(elsewhere(), Into(name="writer", owner="acme"), base_model="", who=ADMIN)
    found = traced(world, "writer", "1")
    assert (found.job, found.lint, found.dataset_sha256, found.checkpoints) == (None, None, "", ())
    assert [name.name for name in found.names] == ["writer@default", "writer"]


def test_a_job_that_is_kept_no_more_is_missing_and_no_fault(world: Modelled) -> None:
    job = traced(world).version.job
    world.documents.commit(world.loop.lifecycle.jobs.delete(job))
    assert (traced(world).job, traced(world).version.job) == (None, job)


def test_another_tenants_lineage_is_nobodys_business(world: Modelled) -> None:
    with pytest.raises(NotFound):
        world.lineages.of(BOT, "1", owner=RIVAL.owner)
    with pytest.raises(NotFound):
        traced(world, version="9")


def rows(world: Modelled, *names: str) -> dict[str, tuple[tuple[Value, ...], bool]]:
    return {row.name: (row.values, row.differs) for row in world.compare(*names).rows}


def test_versions_are_compared_side_by_side(world: Modelled) -> None:
    found = rows(world, f"{BOT}@1", f"{BOT}@prod")
    assert world.compare(f"{BOT}@1", f"{BOT}@prod").versions == (f"{BOT}@1", f"{BOT}@2")
    assert found["epochs"] == ((2, 4), True)
    assert found["base_model"] == (("gemini-3.5-flash", "gemini-3.5-flash"), False)
    assert found["aliases"] == (("default", "prod"), True)
    assert found["trained_tokens"] == ((1234, 2468), True)
    assert found["training_rows"] == ((100, 100), False)
    assert found["dataset_sha256"][1] is False
    assert found["training_file"][1] is True
    assert "teacher" not in found


def test_models_are_compared_by_their_default_versions(world: Modelled) -> None:
    assert world.compare(BOT, "102").versions == (f"{BOT}@1", "102@1")


@pytest.mark.parametrize("names", [(), (BOT,), (BOT, BOT), tuple(f"{BOT}@{n}" for n in range(9))])
def test_two_to_eight_can_be_compared(world: Modelled, names: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="2 to 8"):
        world.compare(*names)
