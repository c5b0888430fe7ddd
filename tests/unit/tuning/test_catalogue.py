from datetime import date

import msgspec
import pytest

from tuneway.errors import BadInput
from tuneway.tuning.catalogue import Catalogue, load

TODAY = date(2026, 11, 21)
RETIRED = {
    "gemini-1.0-pro",
    "gemini-1.5-pro",
    "gemini-1.5-flash",
    "gemini-2.0-flash",
    "gemini-2.0-flash-lite",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
}


@pytest.mark.parametrize(
    "name",
    [
        "gemini-3.5-flash",
        "vertex_ai/gemini-3.5-flash",
        "publishers/google/models/gemini-3.5-flash",
        "projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash",
    ],
)
def test_a_base_is_found_under_each_of_its_names(name: str) -> None:
    assert load().base(name, today=TODAY).name == "gemini-3.5-flash"


def test_the_living_and_the_retired_are_told_apart_by_the_day() -> None:
    tunable = {model.name for model in load().tunable(TODAY)}
    assert tunable == {"gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.1-flash-lite"}
    assert {model.name for model in load().models} - tunable == RETIRED
    assert load().base("gemini-2.5-flash", today=date(2026, 10, 19)).name == "gemini-2.5-flash"


def test_a_retired_base_names_its_day_and_its_successor() -> None:
    with pytest.raises(BadInput, match=r"2026-10-20.*gemini-3\.5-flash") as caught:
        load().base("vertex_ai/gemini-2.5-flash", today=date(2026, 10, 20))
    assert (caught.value.param, caught.value.code) == ("model", "model_retired")


def test_an_old_version_is_known_by_its_number() -> None:
    with pytest.raises(BadInput, match=r"gemini-1\.5-pro") as caught:
        load().base("gemini-1.5-pro-002", today=TODAY)
    assert caught.value.code == "model_retired"


@pytest.mark.parametrize("name", ["gpt-4o", "", "vertex_ai/", "gemini 3", "x" * 10_000])
def test_an_unknown_base_lists_those_that_can_be_tuned(name: str) -> None:
    with pytest.raises(BadInput, match=r"gemini-3\.5-flash, gemini-3\.5-flash-lite") as caught:
        load().base(name, today=TODAY)
    assert (caught.value.param, caught.value.code) == ("model", "model_not_found")
    assert len(caught.value.message) < 300


def test_every_row_holds_together() -> None:
    names = [name for model in load().models for name in (model.name, *model.other_names)]
    assert len(names) == len(set(names))
    for model in load().models:
        assert model.source
        assert model.methods
        assert model.tuning_locations
        assert model.serving_locations
        assert model.price is None or model.price.model == model.name
        assert model.stand_in is None or model.stand_in.model != model.name
        assert model.successor is None or model.successor in {tunable.name for tunable in load().tunable(TODAY)}
        assert (model.retired_on is None) == (model.retired_source is None)


def test_no_living_base_has_a_price_and_each_has_a_stand_in() -> None:
    assert all(model.price is None and model.stand_in for model in load().tunable(TODAY))


def test_a_users_file_goes_over_a_row_field_by_field() -> None:
    before = load().base("gemini-3.5-flash", today=TODAY)
    price = {
        "usd_per_million_tokens": 7,
        "model": "gemini-3.5-flash",
        "source": "our contract",
        "as_of": "2026-11-01",
        "verified": True,
    }
    change = {"name": "gemini-3.5-flash", "price": price, "limits": {"rows": 5}}
    after = load().merged(msgspec.json.encode({"models": [change]})).base("gemini-3.5-flash", today=TODAY)
    assert after.price is not None
    assert after.price.usd_per_million_tokens == 7
    assert (after.limits.rows, after.limits.bytes) == (5, before.limits.bytes)
    assert after.ranges == before.ranges


def test_a_users_file_can_add_a_base_and_retire_one() -> None:
    new = {**msgspec.to_builtins(load().models[0]), "name": "gemma", "backend": "elsewhere"}
    old = {"name": "gemini-3.5-flash", "retired_on": "2026-11-20", "successor": "gemma"}
    catalogue = load().merged(msgspec.json.encode({"models": [new, old]}))
    assert catalogue.base("gemma", today=TODAY).backend == "elsewhere"
    with pytest.raises(BadInput, match="Use gemma"):
        catalogue.base("gemini-3.5-flash", today=TODAY)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"models":[{"name":"new"}]}', b'{"models":[{"name":"gemini-3.5-flash","prize":1}]}', b'{"a\xff":1}'],
)
def test_a_users_file_that_is_wrong_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        load().merged(body)
    assert caught.value.param == "catalogue"


def test_the_catalogue_survives_its_own_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(load()), type=Catalogue) == load()
