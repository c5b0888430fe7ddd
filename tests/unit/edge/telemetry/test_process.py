"""What a process is, by Cloud Run's variables and OpenTelemetry's."""

from pathlib import Path

import pytest

from tuneway.edge.telemetry.process import Process, process
from tuneway.errors import BadInput
from tuneway.settings import Settings

SETTINGS = Settings(project="shop")
BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
OWN = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"


def test_without_variables_nothing_is_exported() -> None:
    assert process(SETTINGS, {}) == Process(project="shop")


def test_cloud_run_names_the_service_and_its_revision() -> None:
    found = process(SETTINGS, {"K_SERVICE": "tuneway-predict", "K_REVISION": "tuneway-predict-00003"})
    assert (found.service, found.revision) == ("tuneway-predict", "tuneway-predict-00003")


def test_a_service_is_named_by_opentelemetry_then_cloud_run_then_the_function() -> None:
    told = {"OTEL_SERVICE_NAME": "own", "K_SERVICE": "run", "FUNCTION_TARGET": "predict"}
    assert process(SETTINGS, told).service == "own"
    assert process(SETTINGS, {"FUNCTION_TARGET": "predict"}).service == "predict"


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ({BASE: "http://collector:4318"}, "http://collector:4318/v1/traces"),
        ({BASE: "https://otlp.example/otlp/"}, "https://otlp.example/otlp/v1/traces"),
        ({OWN: "https://otlp.example/here"}, "https://otlp.example/here"),
        ({BASE: "http://one:1", OWN: "http://two:2/x"}, "http://two:2/x"),
        ({BASE: "http://one:1", OWN: ""}, "http://one:1/v1/traces"),
        ({BASE: ""}, None),
        ({BASE: "  "}, None),
    ],
)
def test_the_general_address_is_a_beginning_and_that_for_traces_is_whole(told: dict[str, str], url: str | None) -> None:
    assert process(SETTINGS, told).spans_url == url


@pytest.mark.parametrize("name", [BASE, OWN])
@pytest.mark.parametrize("url", ["collector:4317", "grpc://collector:4317", "https://", "/v1/traces"])
def test_what_is_no_address_is_named(name: str, url: str) -> None:
    with pytest.raises(BadInput, match=name) as caught:
        process(SETTINGS, {name: url})
    assert caught.value.param == name


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("api-key=s3cret", {"api-key": "s3cret"}),
        (" Authorization = Basic%20QTpC= , x=1", {"authorization": "Basic QTpC=", "x": "1"}),
        ("a=,", {"a": ""}),
        ("", {}),
    ],
)
def test_headers_are_pairs_and_their_values_may_be_escaped(text: str, headers: dict[str, str]) -> None:
    assert process(SETTINGS, {HEADERS: text}).spans_headers == headers


@pytest.mark.parametrize("text", ["s3cret", "=s3cret", "a=1,s3cret"])
def test_headers_that_are_none_are_named_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInput, match=HEADERS) as caught:
        process(SETTINGS, {HEADERS: text})
    assert "s3cret" not in caught.value.message


def test_a_sampler_that_there_is_not_is_named() -> None:
    assert process(SETTINGS, {"OTEL_TRACES_SAMPLER": "parentbased_always_on"}).sampler == "parentbased_always_on"
    with pytest.raises(BadInput, match="traceidratio"):
        process(SETTINGS, {"OTEL_TRACES_SAMPLER": "traceidratio"})


def test_the_environments_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "tuneway-tick")
    assert process(Settings(log_file=Path("x"))).service == "tuneway-tick"
