"""Bad requests: each has the right status, OpenAI's four error fields, and a message with a remedy."""

import httpx
import openai
import pytest

from tests.integration.stack.refusals import BAD, Refusal, assert_refused
from tests.integration.stack.running import BASE, Stack, asked

JOBS = "/v1/fine_tuning/jobs"
CHAT = "/v1/chat/completions"
FILES = "/v1/files"


@pytest.fixture(scope="module")
def predict_only(http: httpx.Client) -> str:
    made = http.post("/v1/registry/keys", json={"owner": "shop", "scopes": ["predict"]})
    return str(made.json()["key"])


@pytest.fixture(scope="module")
def tune_only(http: httpx.Client) -> str:
    made = http.post("/v1/registry/keys", json={"owner": "shop", "scopes": ["tune"]})
    return str(made.json()["key"])


@pytest.mark.parametrize("path", [JOBS, FILES, "/v1/models", "/v1/registry/models"])
def test_no_key(stack: Stack, path: str) -> None:
    with stack.caller(None) as nobody:
        answer = nobody.get(path)
    assert_refused(answer, Refusal(status=401, code="missing_api_key", says="Authorization: Bearer"))
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", [JOBS, FILES, "/v1/models", "/v1/registry/models"])
def test_a_wrong_key(stack: Stack, path: str) -> None:
    with stack.caller("tw-wrong") as stranger:
        answer = stranger.get(path)
    assert_refused(answer, Refusal(status=401, code="invalid_api_key", says="tuneway keys create"))


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("predict_only", JOBS),
        ("predict_only", FILES),
        ("predict_only", "/v1/registry/models"),
        ("tune_only", "/v1/models"),
        ("tune_only", "/v1/registry/keys"),
        ("tune_only", "/v1/registry/routes"),
    ],
)
def test_a_key_without_the_scope(stack: Stack, request: pytest.FixtureRequest, scope: str, path: str) -> None:
    with stack.caller(request.getfixturevalue(scope)) as caller:
        answer = caller.get(path)
    expected = Refusal(status=403, type="permission_error", code="insufficient_scope", says="Use a key that has it")
    assert_refused(answer, expected)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("no-such-alias", Refusal(status=404, param="model", code="model_not_found", says="GET /v1/models")),
        ("ft:nobody:else", Refusal(status=404, param="model", code="model_not_found", says="GET /v1/models")),
        (
            "vertex_ai/endpoints/404404",
            Refusal(status=404, param="model", code="model_not_found", says="GET /v1/models"),
        ),
        ("vertex_ai/", Refusal(param="model", code="invalid_model_identifier", says="vertex_ai/endpoints/{id}")),
        ("vertex_ai/a/b/c/d/e", Refusal(param="model", code="invalid_model_identifier", says="wrong parts")),
        ("nobody/model", Refusal(param="model", code="invalid_model_identifier", says="'nobody' is no provider")),
        ("vertex_ai/endpoints/1%2F2", Refusal(param="model", code="invalid_model_identifier", says="endpoint id")),
        ("a\nb", Refusal(param="model", code="invalid_model_identifier", says="alias")),
        ("", Refusal(param="model", code="invalid_value", says="'model'")),
    ],
)
def test_a_model_that_cannot_be_called(http: httpx.Client, model: str, expected: Refusal) -> None:
    assert_refused(http.post(CHAT, json=asked(model)), expected)


@pytest.mark.parametrize(
    "location",
    ["evil.com", "us-central1.evil.com", "evil.com:443", "us-central1@evil.com", "evil.com#", "evil.com?", "..", "US"],
)
@pytest.mark.parametrize(
    "form", ["vertex_ai/p1234567/{}/endpoints/1", "vertex_ai/projects/p1234567/locations/{}/endpoints/1"]
)
def test_a_location_that_is_no_location(http: httpx.Client, form: str, location: str) -> None:
    answer = http.post(CHAT, json=asked(form.format(location)))
    assert_refused(answer, Refusal(param="model", code="invalid_model_identifier", says=f"'{location}' is no location"))


@pytest.mark.parametrize(
    "model",
    [
        "vertex_ai/p/evil.com/endpoints/1",
        "vertex_ai/p/us-central1.evil.com/endpoints/1",
        "vertex_ai/p1234567/evil.com//endpoints/1",
        "evil.com/endpoints/1",
        "vertex_ai/1.us-central1-2.evil.com",
    ],
)
def test_a_host_of_somebody_elses_is_never_asked(http: httpx.Client, model: str) -> None:
    answer = http.post(CHAT, json=asked(model))
    assert_refused(answer, Refusal(param="model", code="invalid_model_identifier", says="cannot be read"))


@pytest.mark.parametrize("path", [CHAT, JOBS, "/v1/registry/keys"])
@pytest.mark.parametrize("body", [b"{", b"", b'{"model', b"\xff", b"model=x"])
def test_broken_json(http: httpx.Client, path: str, body: bytes) -> None:
    answer = http.post(path, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (400, BAD, "invalid_json")


@pytest.mark.parametrize("path", [CHAT, JOBS, "/v1/registry/keys"])
@pytest.mark.parametrize("start", [b"", b'{"messages":', b'{"model":"m","training_file":"f","method":', b'{"a":{"b":'])
def test_json_nested_without_end(http: httpx.Client, path: str, start: bytes) -> None:
    answer = http.post(path, content=start + b"[" * 99_999)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, BAD)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": 5, "messages": []}, "model"),
        ({**asked(BASE), "temperature": "hot"}, "temperature"),
        ({"model": BASE, "messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"model": BASE, "messages": "hi"}, "messages"),
        ({**asked(BASE), "max_tokens": -1}, "max_tokens"),
    ],
)
def test_a_chat_with_wrong_types_names_the_field(http: httpx.Client, body: dict[str, object], param: str) -> None:
    answer = http.post(CHAT, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, BAD)
    assert error["param"].replace("[", ".").replace("]", "") == param, error


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/models", "/v1/fine_tuning", f"{FILES}/a/b/c", f"{CHAT}/x", "/v1/registry", "/_events/x"]
)
def test_an_unknown_path(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (404, BAD, "unknown_url")


@pytest.mark.parametrize("path", ["/tick", "/_events/create_job", "/_events/dead_letter"])
def test_what_only_the_platform_may_call_is_not_there_for_others(http: httpx.Client, path: str) -> None:
    assert http.post(path, json={}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/v1/models/x", "GET"),
        ("PUT", JOBS, "GET, POST"),
        ("GET", f"{JOBS}/x/cancel", "POST"),
        ("PATCH", f"{FILES}/x", "DELETE, GET"),
        ("PUT", "/v1/registry/models", "GET, POST"),
    ],
)
def test_a_method_the_path_does_not_take(http: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = http.request(method, path)
    assert_refused(answer, Refusal(status=405, code="method_not_allowed", says=f"Use {allowed}"))
    assert answer.headers["allow"] == allowed


def test_the_sdk_raises_its_own_classes(stack: Stack, predict_only: str) -> None:
    with stack.sdk("tw-wrong") as client, pytest.raises(openai.AuthenticationError):
        client.files.list()
    with stack.sdk(predict_only) as client, pytest.raises(openai.PermissionDeniedError):
        client.fine_tuning.jobs.list()
    with stack.sdk() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            client.fine_tuning.jobs.create(model="gemini-2.0-flash", training_file="file-none")
        assert (refused.value.param, refused.value.code) == ("model", "model_retired")
        with pytest.raises(openai.NotFoundError):
            client.fine_tuning.jobs.retrieve("ftjob-none")
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("none")
        assert unknown.value.code == "model_not_found"
