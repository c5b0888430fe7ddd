from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.ports import Method, TuningRequest
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.catalogue import load
from tuneway.tuning.hyperparameters import (
    GENERAL,
    Hyperparameters,
    method_of,
    mode_of,
    rendered,
    requested,
    teacher_of,
)

TODAY = date(2026, 11, 21)
BASE = load().base("gemini-3.5-flash", today=TODAY)
OPEN = load().base("meta/llama3_1@llama-3.1-8b", today=TODAY)
FULL = load().base("google/gemma3@gemma-3-4b-it", today=TODAY)
CUSTOM = load().base("mistral-7b-instruct", today=TODAY)
NOVA = load().base("nova-lite", today=TODAY)
HAIKU = load().base("claude-3-haiku", today=date(2026, 9, 1))
LLAMA = load().base("bedrock/llama-3.3-70b-instruct", today=TODAY)
PRO = load().base("gemini-2.5-pro", today=date(2026, 1, 1))


def supervised(**hyperparameters: object) -> dict[str, object]:
    return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}


def dpo(**hyperparameters: object) -> dict[str, object]:
    return {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}


def refused(hyperparameters: object, method: object = None, *, base: BaseModel = BASE) -> BadInput:
    with pytest.raises(BadInput) as caught:
        requested(hyperparameters, method, base=base)
    return caught.value


@pytest.mark.parametrize(
    "given_",
    [None, {}, {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto", "adapter_size": "auto"}],
)
def test_what_is_not_chosen_is_left_to_the_provider(given_: object) -> None:
    assert requested(given_, None, base=BASE) == Hyperparameters()
    assert requested(None, {"type": "supervised"}, base=BASE) == Hyperparameters()


def test_values_come_from_either_place() -> None:
    values = {"n_epochs": 3, "learning_rate_multiplier": 2, "adapter_size": 8}
    expected = Hyperparameters(epochs=3, learning_rate_multiplier=2.0, adapter_size=8)
    assert requested(values, None, base=BASE) == expected
    assert requested(None, supervised(**values), base=BASE) == expected
    assert requested(values, supervised(epoch_count=3), base=BASE) == expected


@pytest.mark.parametrize(
    ("name", "size"), [("small", 1), ("medium", 4), ("large", 16), (2, 2), ("ADAPTER_SIZE_FOUR", 4)]
)
def test_adapter_sizes_have_names(name: object, size: int) -> None:
    assert requested({"adapter_size": name}, None, base=BASE).adapter_size == size


def test_adapter_sizes_are_those_of_the_base() -> None:
    assert requested({"adapter_size": "large"}, None, base=PRO).adapter_size == 8
    with pytest.raises(BadInput, match="1, 2, 4, 8, 'small'"):
        requested({"adapter_size": 16}, None, base=PRO)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_epochs", 0),
        ("n_epochs", 11),
        ("n_epochs", 2.0),
        ("n_epochs", "3"),
        ("epoch_count", True),
        ("learning_rate_multiplier", 0),
        ("learning_rate_multiplier", 10.5),
        ("learning_rate_multiplier", float("nan")),
        ("learning_rate_multiplier", False),
        ("learning_rate_multiplier", [1]),
        ("adapter_size", 3),
        ("adapter_size", 32),
        ("adapter_size", True),
        ("adapter_size", 4.0),
        ("adapter_size", "huge"),
        ("batch_size", 8),
        ("n_epoch", 3),
    ],
)
def test_a_bad_value_is_refused_by_its_name(name: str, value: object) -> None:
    assert refused({name: value}).param == f"hyperparameters.{name}"
    assert refused(None, supervised(**{name: value})).param == f"method.supervised.hyperparameters.{name}"


def test_an_unknown_name_lists_the_known_ones() -> None:
    error = refused({"epochs": 3})
    assert error.code == "unknown_parameter"
    assert "n_epochs, epoch_count, learning_rate_multiplier, adapter_size, batch_size, warmup_steps" in error.message


def test_one_hyperparameter_is_not_given_twice() -> None:
    assert refused({"n_epochs": 2, "epoch_count": 2}).param == "hyperparameters.epoch_count"
    error = refused({"n_epochs": 2}, supervised(n_epochs="auto"))
    assert error.param == "hyperparameters"
    assert "2 and auto" in error.message


@pytest.mark.parametrize("given_", [[], "auto", 3, True, {"n_epochs": {}}])
def test_hyperparameters_are_an_object_of_values(given_: object) -> None:
    assert (refused(given_).param or "").startswith("hyperparameters")


@pytest.mark.parametrize(
    ("method", "param"),
    [
        ({"type": "distillation"}, "method.type"),
        ({"type": "reinforcement"}, "method.type"),
        ({"type": "magic"}, "method.type"),
        ({"type": []}, "method.type"),
        ({}, "method.type"),
        ("supervised", "method"),
        ({"type": "supervised", "dpo": {}}, "method.dpo"),
        ({"type": "supervised", "supervised": 0}, "method.supervised"),
        ({"type": "supervised", "supervised": {"beta": 1}}, "method.supervised.beta"),
        ({"type": "dpo", "dpo": []}, "method.dpo"),
        ({"type": "dpo", "dpo": {"teacher": "x"}}, "method.dpo.teacher"),
    ],
)
def test_a_method_the_base_lacks_is_refused(method: object, param: str) -> None:
    error = refused(None, method)
    assert error.param == param
    assert param != "method.type" or "Use supervised, dpo" in error.message


def test_openai_sees_auto_where_the_provider_chooses() -> None:
    shown = msgspec.to_builtins(rendered(Hyperparameters(epochs=3)))
    assert shown.pop("n_epochs") == 3
    assert set(shown.values()) == {"auto"}
    assert {"batch_size", "learning_rate_multiplier", "adapter_size", "beta"} <= set(shown)


@given(
    st.builds(
        Hyperparameters,
        epochs=st.none() | st.integers(1, 10),
        learning_rate_multiplier=st.none() | st.floats(0.1, 10),
        adapter_size=st.none() | st.sampled_from([1, 2, 4, 8, 16]),
    )
)
def test_what_is_shown_can_be_requested_again(chosen: Hyperparameters) -> None:
    assert requested(msgspec.to_builtins(rendered(chosen)), None, base=BASE) == chosen


@given(
    st.builds(
        Hyperparameters,
        epochs=st.none() | st.integers(1, 10),
        adapter_size=st.none() | st.sampled_from([1, 2, 4, 8, 16, 32]),
        batch_size=st.none() | st.integers(1, 64),
        warmup_steps=st.none() | st.integers(0, 1000),
        weight_decay=st.none() | st.floats(0, 0.1),
        learning_rate=st.none() | st.floats(1e-6, 1e-3),
    )
)
def test_all_that_a_container_takes_is_shown_and_can_be_requested_again(chosen: Hyperparameters) -> None:
    assert requested(msgspec.to_builtins(rendered(chosen)), None, base=CUSTOM) == chosen


@pytest.mark.parametrize(
    ("base", "values"),
    [
        (OPEN, {"batch_size": 8, "learning_rate": 2e-4, "adapter_size": 32, "n_epochs": 3}),
        (OPEN, {"learning_rate_multiplier": 0.5}),
        (CUSTOM, {"warmup_steps": 0, "weight_decay": 0.1, "batch_size": 64}),
        (NOVA, {"n_epochs": 5, "learning_rate": 1e-5, "warmup_steps": 100}),
        (HAIKU, {"batch_size": 4, "learning_rate_multiplier": 2}),
        (LLAMA, {"batch_size": 1, "learning_rate": 0.0001}),
    ],
)
def test_each_backend_takes_what_it_takes(base: BaseModel, values: dict[str, float]) -> None:
    chosen = msgspec.to_builtins(requested(values, None, base=base))
    assert {name: chosen[name.replace("n_epochs", "epochs")] for name in values} == values


@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        (BASE, "batch_size", 8),
        (BASE, "warmup_steps", 10),
        (BASE, "weight_decay", 0.01),
        (BASE, "learning_rate", 1e-4),
        (OPEN, "warmup_steps", 10),
        (FULL, "adapter_size", 8),
        (NOVA, "batch_size", 1),
        (NOVA, "learning_rate_multiplier", 1),
        (LLAMA, "adapter_size", "small"),
        (HAIKU, "learning_rate", 1e-4),
        (CUSTOM, "learning_rate_multiplier", 2),
    ],
)
def test_what_a_base_cannot_take_is_refused_with_its_name_and_what_it_takes(
    base: BaseModel, name: str, value: object
) -> None:
    error = refused({name: value}, base=base)
    assert (error.param, error.code) == (f"hyperparameters.{name}", "unsupported_parameter")
    assert base.name in error.message
    assert base.backend in error.message
    assert "leave it out; it takes n_epochs" in error.message


@pytest.mark.parametrize(("method", "offered"), [(None, False), ({"type": "dpo"}, True)])
def test_beta_is_offered_to_its_own_method_alone(method: object, *, offered: bool) -> None:
    with pytest.raises(BadInput, match="it takes") as refused_:
        requested({"batch_size": 8}, method, base=BASE)
    assert ("beta" in refused_.value.message) is offered


@pytest.mark.parametrize("name", sorted({"epochs", *GENERAL} - {"epochs"}))
def test_auto_is_welcome_where_nobody_can_choose(name: str) -> None:
    assert requested({name: "auto"}, None, base=NOVA) == Hyperparameters()


@pytest.mark.parametrize(
    ("base", "name", "value", "said"),
    [
        (NOVA, "n_epochs", 6, "of 'amazon.nova-lite-v1:0:300k' is 6. Use 1 to 5"),
        (NOVA, "warmup_steps", 101, "Use 0 to 100"),
        (NOVA, "warmup_steps", 1001, "Use 0 to 1000"),
        (HAIKU, "batch_size", 2, "Use 4 to 64"),
        (HAIKU, "learning_rate_multiplier", 3, "Use 0.1 to 2"),
        (LLAMA, "batch_size", 2, "Use 1, or"),
        (OPEN, "batch_size", 65, "Use 1 to 64"),
        (OPEN, "batch_size", 4.0, "a whole number"),
        (CUSTOM, "weight_decay", 0.2, "Use 0 to 0.1"),
        (CUSTOM, "weight_decay", -0.1, "Use 0 to 0.1"),
        (CUSTOM, "learning_rate", 0.5, "Use 1e-07 to 0.01"),
        (CUSTOM, "learning_rate", float("inf"), "Use 1e-09 to 1"),
        (CUSTOM, "warmup_steps", True, "a whole number"),
    ],
)
def test_the_general_range_comes_before_the_bases_own(base: BaseModel, name: str, value: object, said: str) -> None:
    error = refused({name: value}, base=base)
    assert error.param == f"hyperparameters.{name}"
    assert said in error.message


def test_a_learning_rate_is_set_one_way() -> None:
    both = {"learning_rate": 1e-4, "learning_rate_multiplier": 2}
    assert refused(both, base=OPEN).param == "hyperparameters.learning_rate"
    apart = refused({"learning_rate": 1e-4}, supervised(learning_rate_multiplier=2), base=OPEN)
    assert "both set the learning rate" in apart.message
    assert requested({"learning_rate": 1e-4, "learning_rate_multiplier": "auto"}, None, base=OPEN).learning_rate == 1e-4


class TestMethod:
    """Which method, and what belongs to it."""

    def test_there_is_one_even_when_none_is_named(self) -> None:
        assert method_of(None, base=BASE) is Method.SUPERVISED
        assert method_of({"type": "dpo"}, base=BASE) is Method.PREFERENCE

    def test_preference_tuning_takes_beta(self) -> None:
        chosen = requested(None, dpo(beta=0.1, n_epochs=2), base=BASE)
        assert chosen == Hyperparameters(beta=0.1, epochs=2)
        assert requested({"beta": 0.1}, {"type": "dpo"}, base=BASE).beta == 0.1

    @pytest.mark.parametrize("beta", [0, -1, 11, "x", True])
    def test_beta_has_its_bounds(self, beta: object) -> None:
        assert refused(None, dpo(beta=beta)).param == "method.dpo.hyperparameters.beta"

    def test_beta_belongs_to_preference_tuning_alone(self) -> None:
        error = refused({"beta": 0.1})
        assert (error.param, error.code) == ("hyperparameters.beta", "unsupported_parameter")
        assert "'dpo'" in error.message

    def test_a_base_without_the_method_says_which_it_has(self) -> None:
        error = refused(None, dpo(), base=NOVA)
        assert (error.param, error.code) == ("method.type", "unsupported_method")
        assert "amazon.nova-lite-v1:0:300k" in error.message
        assert "Use supervised." in error.message

    @pytest.mark.parametrize("teacher", [None, "", " ", 3])
    def test_a_distillation_names_its_teacher(self, teacher: object) -> None:
        asked = {"type": "distillation", "distillation": {"teacher": teacher}}
        with pytest.raises(BadInput) as caught:
            teacher_of(asked, base=FULL)
        assert caught.value.param == "method.distillation.teacher"

    def test_a_teacher_is_the_distillations_alone(self) -> None:
        asked = {"type": "distillation", "distillation": {"teacher": "qwen3-235b", "hyperparameters": {"n_epochs": 2}}}
        assert teacher_of(asked, base=FULL) == "qwen3-235b"
        assert requested(None, asked, base=FULL).epochs == 2
        assert teacher_of({"type": "supervised"}, base=FULL) is None


class TestMode:
    """Adapter or the whole model."""

    def test_the_bases_own_mode_stands_where_none_is_asked_for(self) -> None:
        modes = [mode_of(asked, base=OPEN, chosen=Hyperparameters()) for asked in (None, "auto", "full", "adapter")]
        assert modes == ["adapter", "adapter", "full", "adapter"]
        assert mode_of(None, base=FULL, chosen=Hyperparameters()) == "full"
        assert mode_of(None, base=BASE, chosen=Hyperparameters()) is None

    @pytest.mark.parametrize("asked", ["full", "magic", ""])
    def test_a_mode_the_base_lacks_is_refused(self, asked: str) -> None:
        with pytest.raises(BadInput, match="'adapter'") as caught:
            mode_of(asked, base=BASE, chosen=Hyperparameters())
        assert caught.value.param == "tuning_mode"

    def test_full_tuning_has_no_adapter(self) -> None:
        with pytest.raises(BadInput) as caught:
            mode_of("full", base=OPEN, chosen=Hyperparameters(adapter_size=8))
        assert caught.value.param == "hyperparameters.adapter_size"


def test_every_hyperparameter_is_a_field_of_the_providers_request() -> None:
    assert set(Hyperparameters.__struct_fields__) <= set(TuningRequest.__struct_fields__)
