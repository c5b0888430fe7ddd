"""google-genai generates with base and tuned models of the simulation."""

import json

import pytest
from google import genai
from google.genai import types
from google.genai.errors import ClientError

from tests.integration.vertex.conftest import PARENT, Simulated

# google-genai warns once of its own tuning calls.
pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation")
BASE = "gemini-3.5-flash"


@pytest.fixture
def tuned(genai_client: genai.Client, vertex: Simulated, training_uri: str) -> str:
    job = genai_client.tunings.tune(base_model=BASE, training_dataset=types.TuningDataset(gcs_uri=training_uri))
    vertex.later(3600)
    model = genai_client.tunings.get(name=str(job.name)).tuned_model
    assert model is not None
    return str(model.endpoint)


def test_tuning_changes_the_answer(genai_client: genai.Client, tuned: str) -> None:
    asked = "what is 12 plus one?"
    before = genai_client.models.generate_content(model=BASE, contents=asked)
    after = genai_client.models.generate_content(model=tuned, contents=asked)
    assert "simulated" in str(before.text)
    assert asked in str(before.text)
    assert after.text == "It is 13."
    assert str(after.model_version).startswith("simulated-")


def test_a_tuned_model_answers_a_new_prompt_from_its_nearest_example(genai_client: genai.Client, tuned: str) -> None:
    assert genai_client.models.generate_content(model=tuned, contents="Please: 31 plus one is?").text == "It is 32."


@pytest.mark.parametrize("model", ["base", "tuned"])
def test_a_stream_says_the_same_in_several_chunks(genai_client: genai.Client, tuned: str, model: str) -> None:
    name = tuned if model == "tuned" else BASE
    whole = genai_client.models.generate_content(model=name, contents="What is 5 plus one?")
    chunks = list(genai_client.models.generate_content_stream(model=name, contents="What is 5 plus one?"))
    assert len(chunks) >= (2 if model == "base" else 1)
    assert "".join(str(chunk.text) for chunk in chunks) == whole.text
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates]
    assert reasons == [None] * (len(chunks) - 1) + [types.FinishReason.STOP]
    counts = [chunk.usage_metadata.total_token_count for chunk in chunks if chunk.usage_metadata]
    assert counts == sorted(counts, key=lambda count: count or 0)
    assert whole.usage_metadata is not None
    assert counts[-1] == whole.usage_metadata.total_token_count


def test_the_stream_without_sse_is_one_json_array(vertex: Simulated) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    path = f"{vertex.url}/v1/{PARENT}/publishers/google/models/{BASE}:streamGenerateContent"
    chunks = vertex.http.post(path, json=body).json()
    assert len(chunks) > 1
    assert vertex.http.post(path, json={}).json()[0]["error"]["status"] == "INVALID_ARGUMENT"


def test_limits_and_stops_are_kept(genai_client: genai.Client) -> None:
    short = genai_client.models.generate_content(
        model=BASE, contents="hello", config=types.GenerateContentConfig(max_output_tokens=2, seed=7, temperature=0)
    )
    assert short.candidates is not None
    assert (short.text, short.candidates[0].finish_reason) == ("This is ", types.FinishReason.MAX_TOKENS)
    stopped = genai_client.models.generate_content(
        model=BASE, contents="hello", config=types.GenerateContentConfig(stop_sequences=["simulated"])
    )
    assert stopped.text == "This is a "
    several = genai_client.models.generate_content(
        model=BASE, contents="hello", config=types.GenerateContentConfig(candidate_count=3)
    )
    assert [each.index or 0 for each in several.candidates or []] == [0, 1, 2]


def test_a_forced_function_is_called_with_fitting_arguments(genai_client: genai.Client) -> None:
    schema = types.Schema(
        type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
    )
    declared = [types.FunctionDeclaration(name=name, parameters=schema) for name in ("first", "second")]
    calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["second"])
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=declared)],
        tool_config=types.ToolConfig(function_calling_config=calling),
    )
    answer = genai_client.models.generate_content(model=BASE, contents="weather?", config=config)
    assert answer.function_calls is not None
    assert (answer.function_calls[0].name, answer.function_calls[0].args) == ("second", {"city": ""})


def test_json_is_json(genai_client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json")
    plain = genai_client.models.generate_content(model=BASE, contents="hi", config=config)
    assert "simulated" in json.loads(str(plain.text))["answer"]
    config.response_schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}
    fitted = genai_client.models.generate_content(model=BASE, contents="hi", config=config)
    assert json.loads(str(fitted.text)) == {"n": 0}


def test_thinking_levels_are_accepted(genai_client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.MINIMAL)
    )
    assert genai_client.models.generate_content(model=BASE, contents="hi", config=config).text


def test_tokens_are_counted(genai_client: genai.Client) -> None:
    assert genai_client.models.count_tokens(model=BASE, contents="sixteen letters!").total_tokens == 4


@pytest.mark.parametrize(
    ("model", "config", "code"),
    [
        ("gemini-2.5-flash", {}, 404),
        ("nothing-like-it", {}, 404),
        (f"{PARENT}/endpoints/1", {}, 404),
        (BASE, {"temperature": 3}, 400),
        (BASE, {"max_output_tokens": 0}, 400),
    ],
)
def test_bad_requests_are_refused(genai_client: genai.Client, model: str, config: dict[str, float], code: int) -> None:
    with pytest.raises(ClientError) as caught:
        genai_client.models.generate_content(
            model=model, contents="hi", config=types.GenerateContentConfig.model_validate(config)
        )
    assert caught.value.code == code


def test_a_tuned_model_takes_no_instances(vertex: Simulated, tuned: str) -> None:
    answer = vertex.http.post(f"{vertex.url}/v1/{tuned}:predict", json={"instances": [{}]})
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert answer.headers["x-simulated"] == "vertex-ai"


def test_the_openai_endpoint_answers_and_streams(vertex: Simulated) -> None:
    path = f"{vertex.url}/v1/{PARENT}/endpoints/openapi/chat/completions"
    body = {"model": f"google/{BASE}", "messages": [{"role": "user", "content": "hi there"}]}
    whole = vertex.http.post(path, json=body).json()["choices"][0]["message"]["content"]
    assert "hi there" in whole
    events = vertex.http.post(path, json={**body, "stream": True}).text.split("\n\n")
    assert events[-2] == "data: [DONE]"
    deltas = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in events[:-2]]
    assert "".join(delta.get("content", "") for delta in deltas) == whole
    refused = vertex.http.post(path, json={**body, "model": "google/gemini-2.5-pro"})
    assert (refused.status_code, refused.json()[0]["error"]["status"]) == (404, "NOT_FOUND")
