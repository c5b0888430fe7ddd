"""What becomes of the values of a LiteLLM configuration, one at a time; whole files are in ``tests/golden``."""

from importlib import import_module
from typing import Any

import pytest

from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.servers import SERVERS
from tuneway.routing.litellm.parameters import DROPPED
from tuneway.routing.litellm.providers import PREFIXES
from tuneway.routing.litellm.report import Fate, shown
from tuneway.routing.litellm_config import Import, imported, variables_in
from tuneway.routing.targets import Defaults, Place
from tuneway.routing.vendors import VENDORS

DEFAULTS = Defaults(project="p", location="us-central1")
KEYED = {"model": "openai/gpt-5", "api_key": "os.environ/OPENAI_API_KEY"}


def read(*entries: dict[str, Any], defaults: Defaults = DEFAULTS, **more: Any) -> Import:
    rows = [{"model_name": "m", "litellm_params": entry} for entry in entries]
    return imported({"model_list": rows, **more}, defaults=defaults)


def fate(found: Import, path: str) -> Fate:
    (line,) = [line for line in found.lines if line.path.endswith(path)]
    return line.fate


@pytest.mark.parametrize("config", [None, [], "model_list", 3])
def test_what_is_no_configuration_is_refused(config: object) -> None:
    with pytest.raises(BadInput):
        imported(config, defaults=DEFAULTS)


@pytest.mark.parametrize("config", [{}, {"model_list": []}, {"model_list": None}])
def test_no_models_are_no_routes(config: object) -> None:
    assert imported(config, defaults=DEFAULTS).routes == ()


@pytest.mark.parametrize("key", ["sk-live-abc", "abc", 5, ["os.environ/A"], "os.environ/", "os.environ/A B"])
def test_a_key_in_the_file_is_refused_and_not_shown(key: object) -> None:
    found = read({"model": "openai/gpt-5", "api_key": key})
    assert found.routes == ()
    assert fate(found, "api_key") is Fate.REFUSED
    assert "abc" not in str(found.lines)


def test_a_refused_entry_leaves_the_others() -> None:
    found = read(KEYED, {**KEYED, "temperature": 1})
    assert [len(route.targets) for route in found.routes] == [1]
    assert fate(found, "temperature") is Fate.REFUSED


def test_an_installations_own_key_does_not_go_to_another_address() -> None:
    defaults = Defaults(places={"azure": Place(base_url="https://own.example", secret="env:OWN")})
    (route,) = read({"model": "azure/gpt-5", "api_base": "https://else.example"}, defaults=defaults).routes
    assert route.targets[0].secret is None
    (route,) = read({"model": "azure/gpt-5"}, defaults=defaults).routes
    assert route.targets[0].secret == "env:OWN"


def test_the_weight_is_the_first_measure_that_anybody_gives() -> None:
    found = read({**KEYED, "tpm": 5, "rpm": 30}, {**KEYED, "rpm": 60, "tpm": 900})
    assert [target.weight for target in found.routes[0].targets] == [0.5, 1.0]


def test_an_entry_without_the_others_measure_stands_in_for_them() -> None:
    found = read({**KEYED, "weight": 2}, KEYED)
    assert [target.weight for target in found.routes[0].targets] == [2.0, 0.002]


def test_what_an_entry_says_stands_before_what_all_are_told() -> None:
    found = read({**KEYED, "timeout": 5, "max_retries": 0}, router_settings={"timeout": 90, "num_retries": 3})
    assert (found.routes[0].timeouts.total, found.routes[0].retries) == (5, 0)


def test_fallbacks_in_a_ring_stand_behind_each_other_and_none_leads_back() -> None:
    rows = [{"model_name": name, "litellm_params": {**KEYED, "model": f"openai/{name}"}} for name in "abc"]
    links = [{"a": ["b"]}, {"b": ["c"]}, {"c": ["a"]}]
    found = imported({"model_list": rows, "router_settings": {"fallbacks": links}}, defaults=DEFAULTS)
    assert found.refused == ()
    assert [route.fallbacks for route in found.routes] == [("b",), ("c",), ()]
    assert [(target.model, target.order) for target in found.routes[2].targets] == [("c", 0), ("a", 1)]


def test_a_fallback_may_be_a_route_that_is_there_already() -> None:
    config = {
        "model_list": [{"model_name": "m", "litellm_params": KEYED}],
        "litellm_settings": {"fallbacks": [{"m": ["old"]}]},
    }
    assert imported(config, defaults=DEFAULTS).refused
    assert imported(config, defaults=DEFAULTS, known=["old"]).routes[0].fallbacks == ("old",)


@pytest.mark.parametrize(
    "own",
    [
        "text",
        {"target": {"weight": "heavy"}},
        {"target": {"nonsense": 1}},
        {"target": {"secret": "sk-live"}},
        {"route": {"retries": "many"}},
        {"other": {}},
    ],
)
def test_an_export_that_was_spoilt_is_refused(own: object) -> None:
    row = {"model_name": "m", "litellm_params": KEYED, "model_info": {"tuneway": own}}
    found = imported({"model_list": [row]}, defaults=DEFAULTS)
    assert (found.routes, len(found.refused)) == ((), 1)
    assert "sk-live" not in str(found.routes)


def test_the_variables_of_a_file_are_found_wherever_they_stand() -> None:
    assert variables_in({"a": ["os.environ/ONE", {"b": "os.environ/TWO"}], "c": "x"}) == {"ONE", "TWO"}


@pytest.mark.parametrize("dialect", ["anthropic", "bedrock", "gemini", "instances"])
def test_drop_params_names_what_the_dialect_does_not_have(dialect: Any) -> None:
    unsupported = import_module(f"tuneway.prediction.dialects.{dialect}.request").UNSUPPORTED
    assert set(DROPPED[dialect]) == set(unsupported)


@pytest.mark.parametrize("name", sorted(PREFIXES))
def test_every_provider_is_one_that_is_known_here(name: str) -> None:
    row = PREFIXES[name]
    assert row.vendor in {*VENDORS, "vertex_ai"}
    assert row.profile is None or row.profile in SERVERS


@pytest.mark.parametrize(
    ("path", "value", "seen"),
    [
        ("a.api_key", "secret", "***"),
        ("a.api_key", "os.environ/A", "os.environ/A"),
        ("a.redis_url", "redis://:pw@host", "***"),
        ("a.max_tokens", 500, 500),
        ("a.password", 12345, "***"),
        ("a", {"token": "t", "list": [{"client_secret": "s"}]}, {"token": "***", "list": [{"client_secret": "***"}]}),
        ("a.note", "x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_report_shows_values_but_no_secrets(path: str, value: object, seen: object) -> None:
    assert shown(path, value) == seen


@pytest.mark.parametrize("address", ["https://h/v1?key=k3y", "https://h/v1#k3y", "https://me:k3y@h/v1"])
@pytest.mark.parametrize("referred", [False, True])
def test_an_address_with_a_key_in_it_is_refused_and_not_shown(address: str, *, referred: bool) -> None:
    entry = {"model": "custom_openai/m", "api_base": "os.environ/BASE" if referred else address}
    config = {"model_list": [{"model_name": "m", "litellm_params": entry}]}
    found = imported(config, defaults=DEFAULTS, environment={"BASE": address})
    assert (found.routes, Fate.REFUSED in {line.fate for line in found.lines}) == ((), True)
    assert "k3y" not in str(found.lines)
