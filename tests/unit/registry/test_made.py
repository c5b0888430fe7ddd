"""What a job made, as the registry keeps it."""

import pytest
from msgspec.structs import replace

from tuneway.ports import Outcome, TunedModel
from tuneway.registry.made import model_of, registered_as, version_of

PLACE = "projects/p/locations/us-central1"
OPEN = Outcome(
    job="ftjob-A_b.2",
    owner="ann",
    alias="ft-support",
    base_model="gemma-3-4b",
    tuned=TunedModel(model=f"{PLACE}/tuningJobs/5", weights="gs://b/final/"),
    dataset_sha256="0" * 64,
    finished_at=9.0,
    backend="vertex_open",
    location="us-central1",
)
SERVED = replace(OPEN, tuned=TunedModel(model=f"{PLACE}/models/77@3", endpoint=f"{PLACE}/endpoints/8"))


def test_what_answers_nowhere_yet_is_called_by_its_job() -> None:
    assert registered_as(OPEN) == ("ft-a-b-2", "1")


def test_what_vertex_ai_serves_has_its_number_there() -> None:
    assert registered_as(SERVED) == ("77", "3")
    unnumbered = replace(SERVED, tuned=replace(SERVED.tuned, model=f"{PLACE}/models/77"))
    assert registered_as(unnumbered) == ("77", "1")


@pytest.mark.parametrize("outcome", [OPEN, SERVED])
def test_the_version_is_the_one_that_the_model_means(outcome: Outcome) -> None:
    model, version = model_of(outcome), version_of(outcome)
    assert (model.id, model.aliases["default"]) == (version.model, version.number)
    assert model.resource == version.resource.partition("@")[0]
    assert (version.weights, version.endpoint) == (outcome.tuned.weights, outcome.tuned.endpoint)


def test_global_is_no_place_where_a_version_is() -> None:
    assert version_of(replace(OPEN, location="global")).location is None
    assert version_of(replace(SERVED, location="global")).location is None
    assert version_of(OPEN).location == "us-central1"


def test_where_the_provider_says_it_belongs_comes_first() -> None:
    told = replace(OPEN, location="global", tuned=replace(OPEN.tuned, location="europe-west4"))
    assert version_of(told).location == "europe-west4"
