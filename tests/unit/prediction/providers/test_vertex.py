import msgspec
import pytest

from tests.unit.prediction.asking import CONTAINER, GEMINI, RAW
from tuneway.errors import BadInput
from tuneway.prediction.providers import vertex
from tuneway.routing.routes import Target

PATH = "/v1/projects/p/locations/us-central1/endpoints/1"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_the_host_follows_the_location(location: str, host: str) -> None:
    target = Target(resource=f"projects/p/locations/{location}/endpoints/1")
    assert vertex.url(target, stream=False) == f"https://{host}/v1/{target.resource}:generateContent"


@pytest.mark.parametrize(
    ("target", "stream", "verb"),
    [
        (GEMINI, False, "generateContent"),
        (GEMINI, True, "streamGenerateContent?alt=sse"),
        (CONTAINER, False, "predict"),
        (CONTAINER, True, "predict"),
        (RAW, False, "rawPredict"),
        (RAW, True, "streamRawPredict"),
    ],
)
def test_the_verb_follows_the_dialect(target: Target, *, stream: bool, verb: str) -> None:
    assert vertex.url(target, stream=stream) == f"https://us-central1-aiplatform.googleapis.com{PATH}:{verb}"


def test_only_predict_cannot_stream() -> None:
    assert [vertex.streams(target) for target in (GEMINI, CONTAINER, RAW)] == [True, False, True]


def test_a_publishers_model_has_its_own_path() -> None:
    target = Target(resource="projects/example.com:p/locations/global/publishers/mistralai/models/codestral@2405")
    assert vertex.url(target, stream=False).endswith("/publishers/mistralai/models/codestral@2405:generateContent")


def test_a_dedicated_endpoint_keeps_its_name() -> None:
    host = "1.us-central1-123.prediction.vertexai.goog"
    assert vertex.url(msgspec.structs.replace(CONTAINER, host=host), stream=False) == f"https://{host}{PATH}:predict"


def test_a_base_url_replaces_scheme_and_host_only() -> None:
    url = vertex.url(GEMINI, stream=False, base_url="http://127.0.0.1:9/")
    assert url == f"http://127.0.0.1:9{PATH}:generateContent"


@pytest.mark.parametrize("location", ["evil.com", "us-central1.evil.com", "US-CENTRAL1", "", "a@b", "a:b", "a#", "1a"])
def test_what_is_no_location_gets_no_host(location: str) -> None:
    with pytest.raises(BadInput, match="no location"):
        vertex.url(Target(resource=f"projects/p/locations/{location}/endpoints/1"), stream=False)


@pytest.mark.parametrize(
    "resource", ["", "endpoints/1", "projects/p/locations/us/endpoints/1/../2", "projects/p/locations/us/endpoints/1?x"]
)
def test_what_is_no_resource_gets_no_url(resource: str) -> None:
    with pytest.raises(BadInput, match="no resource name"):
        vertex.url(Target(resource=resource), stream=False)


@pytest.mark.parametrize("host", ["evil.com", "1.us-central1-1.prediction.vertexai.goog.evil.com", "evil.com/x.goog"])
def test_a_token_goes_to_no_other_host(host: str) -> None:
    with pytest.raises(BadInput, match="no dedicated endpoint"):
        vertex.url(msgspec.structs.replace(GEMINI, host=host), stream=False)
