import pytest

from tuneway.errors import BadInput
from tuneway.prediction.providers import table
from tuneway.routing.identifiers import Alias, parse
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults, Place, target_of
from tuneway.routing.vendors import VENDORS, Vendor

DEFAULTS = Defaults(
    project="acme",
    location="us-central1",
    places={
        "azure": Place(base_url="acme-ai", api_version="2024-10-21"),
        "bedrock": Place(region="us-east-1"),
        "custom_openai": Place(base_url="http://vllm:8000/v1", secret="env:VLLM"),
    },
)
PLACE = "projects/acme/locations/us-central1"
MISTRAL = f"{PLACE}/publishers/mistralai/models"
COMPATIBLE = sorted(name for name, row in VENDORS.items() if row.provider == "openai")


def target(model: str, defaults: Defaults = DEFAULTS) -> Target:
    identifier = parse(model)
    assert not isinstance(identifier, Alias)
    return target_of(identifier, defaults)


@pytest.mark.parametrize(
    ("model", "provider", "dialect"),
    [
        ("azure/gpt-5", "azure", "openai"),
        ("azure/claude-opus-4-6", "azure", "anthropic"),
        ("bedrock/meta.llama:0", "bedrock", "bedrock"),
        ("anthropic/claude-opus-4-6", "anthropic", "anthropic"),
        ("openai/gpt-5", "openai", "openai"),
        ("custom_openai/org/model", "custom_openai", "openai"),
        ("vertex_ai/gemini-3.5-flash", "vertex", "gemini"),
        ("vertex_ai/claude-sonnet-4-6@default", "vertex", "anthropic"),
        ("vertex_ai/codestral@2405", "vertex", "openai"),
        ("vertex_ai/meta/llama-4-maas", "vertex", "openai"),
        ("vertex_ai/openai/4567", "vertex", "openai"),
        ("vertex_ai/endpoints/4567", "vertex", "gemini"),
        ("4567.us-central1-123.prediction.vertexai.goog", "vertex", "instances"),
    ],
)
def test_a_name_says_provider_and_dialect(model: str, provider: str, dialect: str) -> None:
    found = target(model)
    assert (found.provider, found.dialect) == (provider, dialect)


@pytest.mark.parametrize(
    ("named", "served"),
    [
        ("codestral", "codestral-2"),
        ("mistral-medium", "mistral-medium-3"),
        ("mistral-large", "mistral-large-2411"),
        ("codestral@2405", "codestral@2405"),
        ("codestral-2501", "codestral-2501"),
        ("codestral@latest", "codestral@latest"),
        ("mistral-unheard-of", "mistral-unheard-of"),
    ],
)
def test_a_bare_name_is_served_under_its_newest_version(named: str, served: str) -> None:
    assert target(f"vertex_ai/{named}").resource == f"{MISTRAL}/{served}"
    assert target(f"vertex_ai/mistralai/{named}").resource == f"{MISTRAL}/{served}"


def test_mistrals_own_api_has_its_own_names() -> None:
    assert target("mistral/codestral").model == "codestral-latest"
    assert target("mistral/codestral-2508").model == "codestral-2508"
    assert target("openai/codestral").model == "codestral"


def test_the_place_comes_from_the_defaults() -> None:
    assert target("azure/gpt-5").api_version == "2024-10-21"
    assert target("bedrock/a.b").region == "us-east-1"
    assert target("bedrock/eu-west-1/a.b").region == "eu-west-1"
    assert target("custom_openai/m").secret == "env:VLLM"
    assert target("vertex_ai/codestral@2405").resource == f"{PLACE}/publishers/mistralai/models/codestral@2405"


@pytest.mark.parametrize("model", ["azure/gpt-5", "bedrock/a.b", "custom_openai/m"])
def test_a_name_without_a_place_is_refused(model: str) -> None:
    with pytest.raises(BadInput, match="Use the alias of a route"):
        target(model, Defaults())


@pytest.mark.parametrize("vendor", COMPATIBLE)
def test_every_row_of_an_openai_compatible_vendor_can_be_called(vendor: str) -> None:
    found = target(f"{vendor}/org/model", Defaults())
    assert table.url(found) == f"{VENDORS[vendor].base_url}/chat/completions"
    assert (table.auth(found).kind, table.auth(found).secret) == ("bearer", VENDORS[vendor].secret)
    assert found.model == "org/model"


def test_an_openai_compatible_vendor_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Vendor(base_url="https://api.newcomer.example/v1", key_variable="NEWCOMER_API_KEY")
    monkeypatch.setitem(VENDORS, "newcomer", row)
    found = target("newcomer/model-1", Defaults())
    assert table.url(found, stream=True) == "https://api.newcomer.example/v1/chat/completions"
    assert table.auth(found).secret == "env:NEWCOMER_API_KEY"
    assert table.framing(found) == "sse"


def test_a_caller_never_chooses_the_host_or_the_key() -> None:
    found = target("openai/https://evil.example/v1", Defaults())
    assert table.url(found) == "https://api.openai.com/v1/chat/completions"
