import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

import tuneway.tuning
from tuneway.adapters import plugs
from tuneway.errors import BadInput
from tuneway.ports import Method
from tuneway.settings import Settings
from tuneway.tuning.bases import BaseModel, Standing, Untunable
from tuneway.tuning.catalogue import FAMILIES, Catalogue, load

TODAY = date(2026, 11, 21)
ASKED_FOR = [
    *("gemini-1.0-pro", "gemini-1.5-pro", "gemini-1.5-flash", "gemini-2.0-flash", "gemini-2.0-flash-lite"),
    *("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-3.5-flash", "gemini-3.1-flash-lite"),
    *("claude-3-opus", "claude-3-sonnet", "claude-3-haiku", "claude-3-5-sonnet", "claude-3-5-haiku"),
    *("llama-2-7b-chat", "llama-2-13b-chat", "llama-3-8b", "llama-3.1-8b", "llama-3.2-1b", "llama-3.3-70b"),
    *("llama-4-scout", "mistral-7b-instruct", "mistral-large", "gemma-3-27b-it", "gemma-4-31b-it"),
    *("medgemma-1.5-4b-it", "qwen3-32b", "qwen3.5-9b", "qwen3.6-27b", "glm-4.7-flash", "nova-lite"),
]


def refused(
    name: str, *, today: date = TODAY, catalogue: Catalogue | None = None, owner: str | None = None
) -> BadInput:
    with pytest.raises(BadInput) as caught:
        (catalogue or load()).base(name, today=today, owner=owner)
    return caught.value


def base(name: str) -> BaseModel:
    return load().base(name, today=TODAY)


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("gemini-3.5-flash", "gemini-3.5-flash"),
        ("Gemini-3.5-Flash", "gemini-3.5-flash"),
        ("vertex_ai/gemini-3.5-flash", "gemini-3.5-flash"),
        ("publishers/google/models/gemini-3.5-flash", "gemini-3.5-flash"),
        ("projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash", "gemini-3.5-flash"),
        ("vertex_ai/meta/llama3_1@llama-3.1-8b", "meta/llama3_1@llama-3.1-8b"),
        ("publishers/meta/models/llama3_1@llama-3.1-8b", "meta/llama3_1@llama-3.1-8b"),
        ("llama-2-7b-chat", "meta-llama/Llama-2-7b-chat-hf"),
        ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0:300k"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0:300k", "amazon.nova-pro-v1:0:300k"),
    ],
)
def test_a_base_is_found_under_each_of_its_names(name: str, id_: str) -> None:
    assert base(name).name == id_


@pytest.mark.parametrize("name", ASKED_FOR)
def test_every_family_that_was_asked_for_is_known(name: str) -> None:
    assert load().named(name, today=TODAY).standing(TODAY) in set(Standing)


def test_a_cloud_before_the_name_chooses_among_those_that_share_it() -> None:
    assert base("llama-3.1-8b-instruct").backend == "vertex_open"
    assert base("bedrock/llama-3.1-8b-instruct").backend == "bedrock"
    assert base("vertex_ai/llama-3.1-8b-instruct").backend == "vertex_open"
    assert refused("bedrock/gemini-3.5-flash").code == "model_not_found"


def test_a_shared_name_means_the_one_that_can_be_tuned_today() -> None:
    assert base("llama-3.1-70b-instruct").backend == "bedrock"
    assert base("llama-3.2-1b-instruct").backend == "vertex_open"
    haiku = load().base("claude-3-haiku", today=date(2026, 9, 1))
    assert (haiku.backend, haiku.tuning_locations) == ("bedrock", ("us-west-2",))


def test_a_retired_base_names_its_day_and_its_successor() -> None:
    error = refused("vertex_ai/gemini-2.5-flash", today=date(2026, 10, 20))
    assert "2026-10-20" in error.message
    assert "Use gemini-3.5-flash." in error.message
    assert (error.param, error.code) == ("model", "model_retired")


def test_new_tuning_ends_before_the_model_does() -> None:
    assert load().base("gemini-2.5-flash", today=date(2026, 9, 19)).standing(date(2026, 9, 19)) is Standing.TUNABLE
    error = refused("gemini-2.5-flash", today=date(2026, 9, 20))
    assert error.code == "model_retired"
    assert "no new tuning jobs since 2026-09-20; it retires on 2026-10-20" in error.message


def test_a_promised_day_keeps_nobody_out() -> None:
    later = date(2028, 1, 1)
    assert load().base("gemini-3.5-flash", today=later).retires_not_before == date(2027, 5, 19)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("mistral-large", "mistralai/Mistral-7B-Instruct-v0.3"),
        ("vertex_ai/codestral@2405", "mistralai/Mistral-7B-Instruct-v0.3"),
        ("gemini-3.8-flash", "gemini-3.5-flash"),
        ("claude-haiku-4-5", "amazon.nova-lite-v1:0:300k"),
        ("llama-3.1-405b", "meta/llama3-3@llama-3.3-70b-instruct"),
    ],
)
def test_what_nobody_can_tune_says_why_and_what_to_use(name: str, instead: str) -> None:
    error = refused(name)
    assert (error.param, error.code) == ("model", "model_not_tunable")
    assert f"Use {instead}." in error.message


def test_a_model_that_is_gone_and_never_was_tunable_says_both() -> None:
    error = refused("claude-3-opus")
    assert error.code == "model_retired"
    assert "2025-08-01" in error.message
    assert "no Claude model can be tuned on Vertex AI" in error.message


def test_an_old_version_is_known_by_its_number() -> None:
    assert "gemini-1.5-pro" in refused("gemini-1.5-pro-002").message


@pytest.mark.parametrize("name", ["gpt-4o", "", "vertex_ai/", "gemini 3", "azure/gpt-4o", "x" * 10_000])
def test_an_unknown_base_offers_some_that_can_be_tuned(name: str) -> None:
    error = refused(name)
    assert (error.param, error.code) == ("model", "model_not_found")
    assert "gemini-3.5-flash, gemini-3.5-flash-lite, gemini-3.1-flash-lite and" in error.message
    assert len(error.message) < 300


def test_a_slip_of_the_pen_gets_what_was_meant() -> None:
    assert "Use one of: qwen/qwen3@qwen3-14b" in refused("qwen3-14").message
    assert "gemini-3.5-flash" in refused("gemini-3.5-flahs").message


class TestAllowance:
    """Who may try what is retired."""

    @pytest.mark.parametrize("owners", ["*", '["shop"]', '["other", "shop"]'])
    def test_an_owner_on_the_list_is_let_through_with_a_warning(self, owners: str) -> None:
        found = load().allowing(owners).base("gemini-2.5-flash", today=TODAY, owner="shop")
        (warning,) = found.warnings(TODAY)
        assert "was retired on 2026-10-20" in warning
        assert "allowance" in warning

    @pytest.mark.parametrize("owners", ["[]", '["other"]'])
    def test_an_owner_who_is_not_is_refused(self, owners: str) -> None:
        assert refused("gemini-2.5-flash", catalogue=load().allowing(owners), owner="shop").code == "model_retired"

    def test_nobody_is_let_through_to_what_cannot_be_tuned(self) -> None:
        everybody = load().allowing("*")
        assert refused("mistral-large", catalogue=everybody, owner="shop").code == "model_not_tunable"
        assert refused("claude-3-opus", catalogue=everybody, owner="shop").code == "model_not_tunable"

    @pytest.mark.parametrize("owners", ["", "shop", "[1]", "{}", '"*"'])
    def test_a_setting_that_is_no_list_is_refused(self, owners: str) -> None:
        with pytest.raises(BadInput) as caught:
            load().allowing(owners)
        assert caught.value.param == "TUNEWAY_ALLOW_RETIRED"

    def test_it_comes_from_the_settings_and_survives_a_users_file(self, tmp_path: Path) -> None:
        own = tmp_path / "catalogue.json"
        own.write_text('{"models": []}')
        catalogue = plugs.catalogue(Settings(catalogue_file=own, allow_retired='["shop"]'))
        assert catalogue.allow_retired == ("shop",)
        assert catalogue.merged("{}").allow_retired == ("shop",)


def test_a_base_that_retires_soon_warns_before() -> None:
    llama = base("bedrock/llama-3.3-70b-instruct")
    assert llama.warnings(TODAY) == ()
    (warning,) = llama.warnings(date(2027, 2, 1))
    assert "2027-03-30" in warning


class TestData:
    """The rows themselves."""

    def test_every_file_beside_the_module_is_read(self) -> None:
        folder = Path(tuneway.tuning.__path__[0])
        assert {path.name for path in folder.glob("catalogue.*.json")} == {
            f"catalogue.{each}.json" for each in FAMILIES
        }

    def test_no_name_means_two_rows_of_one_cloud(self) -> None:
        ids = [model.name for model in load().models]
        assert len(ids) == len(set(ids))
        names = [(model.cloud, name) for model in load().models for name in model.names]
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("model", load().models, ids=lambda model: model.name)
    def test_a_row_holds_together(self, model: BaseModel) -> None:
        assert model.source
        assert model.backend in {"vertex_ai", "vertex_open", "vertex_custom", "bedrock"}
        assert model.price is None or model.price.model == model.name
        assert model.stand_in is None or (model.stand_in.model != model.name and model.price is None)
        dated = model.retired_on or model.tuning_ends_on or model.retires_not_before
        assert (dated is None) == (model.retired_source is None)
        assert model.tuning_ends_on is None or model.retired_on is None or model.tuning_ends_on <= model.retired_on
        assert model.default_mode is None or model.default_mode in model.tuning_modes
        assert ":" not in model.short
        assert "/" not in model.short

    @pytest.mark.parametrize("model", load().models, ids=lambda model: model.name)
    def test_a_row_can_be_tuned_or_says_why_not(self, model: BaseModel) -> None:
        if model.untunable is None:
            assert model.methods
            assert model.tuning_locations
        else:
            assert isinstance(model.untunable, Untunable)
            assert not model.methods
        if model.standing(TODAY) is not Standing.TUNABLE:
            assert model.successor in {each.name for each in load().tunable(TODAY)}

    @pytest.mark.parametrize("model", load().models, ids=lambda model: model.name)
    def test_figures_without_a_proof_say_so(self, model: BaseModel) -> None:
        for price in (model.price, model.stand_in):
            assert price is None or price.verified or "unverified" in price.source
        assert model.ranges.source
        assert model.ranges.auto_epochs <= model.ranges.epochs.high

    def test_a_container_has_a_place_for_everything_its_base_takes(self) -> None:
        custom = [model for model in load().models if model.backend == "vertex_custom" and model.methods]
        assert custom
        for model in custom:
            assert model.container is not None
            places = "".join(model.container.arguments)
            ranges = msgspec.to_builtins(model.ranges)
            wanted = [name for name in ("epochs", "learning_rate", "batch_size", "warmup_steps") if ranges[name]]
            assert all(f"{{{name}}}" in places for name in (*wanted, "adapter_size", "training_uri", "output_uri"))

    def test_only_text_goes_into_preference_tuning(self) -> None:
        flash = base("gemini-3.5-flash")
        assert flash.limits_of(Method.PREFERENCE).modalities == ("text",)
        assert "image" in flash.limits_of(Method.SUPERVISED).modalities


class TestOwnFile:
    """A user's file over the catalogue."""

    def test_it_goes_over_a_row_field_by_field(self) -> None:
        before = base("gemini-3.5-flash")
        price = {
            "usd_per_million_tokens": 7,
            "model": "gemini-3.5-flash",
            "source": "our contract",
            "as_of": "2026-11-01",
            "verified": True,
        }
        change = {"name": "gemini-3.5-flash", "price": price, "limits": {"rows": 5}}
        after = load().merged(json.dumps({"models": [change]})).base("gemini-3.5-flash", today=TODAY)
        assert after.price is not None
        assert after.price.usd_per_million_tokens == 7
        assert (after.limits.rows, after.limits.bytes) == (5, before.limits.bytes)
        assert after.ranges == before.ranges

    def test_it_can_add_a_base_and_retire_one(self) -> None:
        new = {**msgspec.to_builtins(load().models[0]), "name": "own-model", "backend": "elsewhere"}
        old = {"name": "gemini-3.5-flash", "retired_on": "2026-11-20", "successor": "own-model"}
        catalogue = load().merged(msgspec.json.encode({"models": [new, old]}))
        assert catalogue.base("own-model", today=TODAY).backend == "elsewhere"
        assert "Use own-model." in refused("gemini-3.5-flash", catalogue=catalogue).message

    def test_it_can_open_what_the_catalogue_keeps_shut(self) -> None:
        change = {"name": "gemini-3.8-flash", "untunable": None, "methods": ["supervised"]}
        catalogue = load().merged(json.dumps({"models": [change]}))
        assert catalogue.base("gemini-3.8-flash", today=TODAY).methods == (Method.SUPERVISED,)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b'{"models":[{"name":"new"}]}',
            b'{"models":[{"name":"gemini-3.5-flash","prize":1}]}',
            b'{"models":[{"name":"gemini-3.5-flash","methods":["magic"]}]}',
            b'{"a\xff":1}',
        ],
    )
    def test_one_that_is_wrong_is_refused(self, body: bytes) -> None:
        with pytest.raises(BadInput) as caught:
            load().merged(body)
        assert caught.value.param == "catalogue"


def test_the_catalogue_survives_its_own_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(load()), type=Catalogue) == load()
