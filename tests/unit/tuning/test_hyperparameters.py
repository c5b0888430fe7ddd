from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput
from tuneway.tuning.catalogue import load
from tuneway.tuning.hyperparameters import Hyperparameters, rendered, requested

BASE = load().base("gemini-3.5-flash", today=date(2026, 11, 21))
PRO = load().base("gemini-2.5-pro", today=date(2026, 1, 1))


def supervised(**hyperparameters: object) -> dict[str, object]:
    return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}


def refused(hyperparameters: object, method: object = None) -> BadInput:
    with pytest.raises(BadInput) as caught:
        requested(hyperparameters, method, base=BASE)
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


@pytest.mark.parametrize(("name", "size"), [("small", 1), ("medium", 4), ("large", 16), (2, 2)])
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
    assert "n_epochs, epoch_count, learning_rate_multiplier, adapter_size, batch_size" in error.message


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
        ({"type": "dpo"}, "method.type"),
        ({"type": "reinforcement"}, "method.type"),
        ({"type": "magic"}, "method.type"),
        ({"type": []}, "method.type"),
        ({}, "method.type"),
        ("supervised", "method"),
        ({"type": "supervised", "dpo": {}}, "method.dpo"),
        ({"type": "supervised", "supervised": 0}, "method.supervised"),
        ({"type": "supervised", "supervised": {"beta": 1}}, "method.supervised.beta"),
    ],
)
def test_a_method_the_base_lacks_is_refused(method: object, param: str) -> None:
    error = refused(None, method)
    assert error.param == param
    assert param != "method.type" or "Use supervised" in error.message


def test_openai_sees_auto_where_the_provider_chooses() -> None:
    shown = msgspec.to_builtins(rendered(Hyperparameters(epochs=3)))
    assert shown == {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": "auto", "adapter_size": "auto"}


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
