"""The fakes of Vertex AI: Gemini by Google's own SDK, the other makers and endpoints by their wire."""

from typing import Any

import httpx
import pytest
from google import genai
from google.cloud.aiplatform_v1beta1.types import GenerateContentRequest
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from tests.vendors import vendors
from tests.vendors.fake import Fake
from tests.vendors.gemini_shapes import BODY, CONFIG
from tests.vendors.script import Call, Error, Manner, Reply, Text, blocked, thinking
from tests.vendors.vertex import Deployed

PLACE = "/v1/projects/acme/locations/us-central1"
HI: Any = {"contents": [{"role": "user", "parts": [{"text": "hi there"}]}]}
RESULT: Any = {"functionResponse": {"name": "w", "response": {}}}
WEATHER = types.FunctionDeclaration(
    name="weather", parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}}
)
KINDS = {
    "1": Deployed("gemini"),
    "2": Deployed("vllm", dedicated=True),
    "3": Deployed("predict"),
    "4": Deployed("raw"),
}


def client(fake: Fake) -> genai.Client:
    options = types.HttpOptions(base_url=fake.url, api_version="v1")
    held = Credentials(fake.key)
    return genai.Client(vertexai=True, project="acme", location="us-central1", credentials=held, http_options=options)


def post(fake: Fake, path: str, body: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {fake.key}"}
    return httpx.post(fake.url + PLACE + path, json=body, headers=headers, trust_env=False, timeout=60)


def test_an_echo_whole_and_streamed() -> None:
    with vendors.vertex() as fake, client(fake) as sdk:
        assert sdk.models.generate_content(model="gemini-3.5-flash", contents="hi there").text == "hi there"
        chunks = list(sdk.models.generate_content_stream(model="gemini-3.5-flash", contents="hi there"))
        assert "".join(chunk.text or "" for chunk in chunks) == "hi there"
        assert chunks[-1].usage_metadata is not None
        assert chunks[-1].usage_metadata.total_token_count == 4


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_thoughts_calls_and_signatures(*, stream: bool) -> None:
    with vendors.vertex() as fake, client(fake) as sdk:
        fake.answers(thinking("hm hm", "so", calls=(Call("weather", {"city": "Oslo"}), Call("weather"))))
        asked: Any = {"model": "gemini-3.5-flash", "contents": "hi"}
        answers = (
            list(sdk.models.generate_content_stream(**asked)) if stream else [sdk.models.generate_content(**asked)]
        )
        parts = [part for answer in answers for part in (answer.parts or [])]
        assert "".join(part.text or "" for part in parts if part.thought) == "hm hm"
        assert [bool(part.thought_signature) for part in parts if part.function_call] == [True, False]


def test_a_tool_loop_needs_its_signatures() -> None:
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[WEATHER])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    with vendors.vertex() as fake, client(fake) as sdk:
        first = sdk.models.generate_content(model="gemini-3.5-flash", contents="hi", config=config)
        said = first.candidates[0].content if first.candidates else None
        assert said is not None
        assert said.parts
        result = types.Part.from_function_response(name="weather", response={"result": "wet"})
        turns: Any = [types.UserContent("hi"), said, types.Content(role="user", parts=[result])]
        assert sdk.models.generate_content(model="gemini-3.5-flash", contents=turns, config=config).text == "wet"
        said.parts[0].thought_signature = None
        with pytest.raises(errors.ClientError, match="thought_signature"):
            sdk.models.generate_content(model="gemini-3.5-flash", contents=turns, config=config)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**HI, "stream": True}, "Unknown name"),
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "user", "parts": [{"text": ""}]}]}, "text parameter"),
        ({"contents": [{"role": "model", "parts": [{"text": "x"}]}]}, "user turn"),
        ({**HI, "generationConfig": {"candidateCount": 2}}, "Multiple candidates"),
        ({"contents": [*HI["contents"], {"role": "user", "parts": [RESULT]}]}, "function response parts"),
    ],
)
def test_what_gemini_refuses_is_refused(body: object, said: str) -> None:
    with vendors.vertex() as fake:
        answer = post(fake, "/publishers/google/models/gemini-3.5-flash:generateContent", body)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert said in answer.json()["error"]["message"]


def test_the_fake_knows_the_fields_of_the_proto() -> None:
    proto = GenerateContentRequest.pb().DESCRIPTOR
    config = proto.fields_by_name["generation_config"].message_type
    assert {field.json_name for field in proto.fields} - {"model"} <= set(BODY["properties"])
    assert set(CONFIG["properties"]) - {"imageConfig"} <= {field.json_name for field in config.fields}


def test_blocked_filtered_and_refused_for_load() -> None:
    with vendors.vertex() as fake, client(fake) as sdk:
        fake.answers(blocked(), Text("x", finish="content_filter"), Error(429, retry_after=4))
        first = sdk.models.generate_content(model="gemini-3.5-flash", contents="hi")
        assert (first.candidates, bool(first.prompt_feedback)) == (None, True)
        second = sdk.models.generate_content(model="gemini-3.5-flash", contents="hi")
        assert second.candidates
        assert second.candidates[0].finish_reason == types.FinishReason.SAFETY
        with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
            sdk.models.generate_content(model="gemini-3.5-flash", contents="hi")


def test_an_error_within_a_stream_and_a_stream_that_is_an_array() -> None:
    path = "/publishers/google/models/gemini-3.5-flash:streamGenerateContent"
    with vendors.vertex() as fake:
        fake.answers(Text("a b c", manner=Manner(broken=1)))
        assert '"status":"UNAVAILABLE"' in post(fake, f"{path}?alt=sse", HI).text
        array = post(fake, path, HI).json()
    assert [part["candidates"][0]["content"]["parts"][0]["text"] for part in array] == ["hi", " there", ""]


def test_a_stream_with_crlf_is_still_one() -> None:
    with vendors.vertex() as fake, client(fake) as sdk:
        fake.answers(Text("good morning", manner=Manner(crlf=True)))
        chunks = list(sdk.models.generate_content_stream(model="gemini-3.5-flash", contents="hi"))
        assert "".join(chunk.text or "" for chunk in chunks) == "good morning"


def test_images_and_schemas() -> None:
    with vendors.vertex() as fake, client(fake) as sdk:
        image = types.Part.from_bytes(data=b"12345", mime_type="image/png")
        seen = sdk.models.generate_content(model="gemini-3.5-flash", contents=["see", image])
        config = types.GenerateContentConfig(
            response_mime_type="application/json",
            response_json_schema={"type": "object", "properties": {"n": {"type": "integer"}}},
        )
        formed = sdk.models.generate_content(model="gemini-3.5-flash", contents="hi", config=config)
        assert (seen.text, formed.text) == ("see [image/png, 5 bytes]", '{"n": 1}')


def test_mistral_chat_and_fim() -> None:
    place = "/publishers/mistralai/models/codestral@2405"
    chat = {"model": "codestral", "messages": [{"role": "user", "content": "hi there"}]}
    with vendors.vertex() as fake:
        whole = post(fake, f"{place}:rawPredict", chat).json()
        streamed = post(fake, f"{place}:streamRawPredict", {**chat, "stream": True}).text
        fim = post(fake, f"{place}:rawPredict", {"model": "codestral", "prompt": "a", "suffix": "b"}).json()
        seeded = post(fake, f"{place}:rawPredict", {**chat, "seed": 1})
        other = post(fake, f"{place}:rawPredict", {**chat, "model": "other"})
    assert (whole["choices"][0]["message"]["content"], fim["choices"][0]["message"]["content"]) == ("hi there", "a|b")
    assert '"usage":{' in streamed
    assert streamed.endswith("data: [DONE]\n\n")
    assert (seeded.status_code, other.status_code) == (422, 400)


def test_mistrals_tool_calls_have_ids_of_nine() -> None:
    place = "/publishers/mistralai/models/mistral-medium-3"
    tool = {"type": "function", "function": {"name": "w", "parameters": {"type": "object", "properties": {}}}}
    user = {"role": "user", "content": "hi"}
    with vendors.vertex() as fake:
        first = post(
            fake, f"{place}:rawPredict", {"model": "mistral-medium-3", "messages": [user], "tools": [tool]}
        ).json()
        call = first["choices"][0]["message"]["tool_calls"][0]
        result = {"role": "tool", "tool_call_id": call["id"], "content": "wet"}
        said = {"role": "assistant", "content": "", "tool_calls": [{"id": call["id"], "function": call["function"]}]}
        turns = {"model": "mistral-medium-3", "messages": [user, said, result]}
        last = post(fake, f"{place}:rawPredict", turns).json()
        said["tool_calls"] = [{"id": "call_too_long", "function": call["function"]}]
        assert post(fake, f"{place}:rawPredict", turns).status_code == 422
    assert last["choices"][0]["message"]["content"] == "wet"


def test_the_openapi_endpoint_wants_the_makers_name_and_errs_in_a_list() -> None:
    body = {"model": "meta/llama-4-maas", "messages": [{"role": "user", "content": "hi"}]}
    with vendors.vertex() as fake:
        whole = post(fake, "/endpoints/openapi/chat/completions", body).json()
        fake.answers(Error(429))
        limited = post(fake, "/endpoints/openapi/chat/completions", body).json()
    assert whole["choices"][0]["message"]["content"] == "hi"
    assert limited[0]["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_text_embeddings() -> None:
    body = {"instances": [{"content": "a"}, {"content": "b"}], "parameters": {"outputDimensionality": 4}}
    with vendors.vertex() as fake:
        found = post(fake, "/publishers/google/models/text-embedding-005:predict", body).json()["predictions"]
        single = post(fake, "/publishers/google/models/gemini-embedding-001:predict", body)
    assert [len(one["embeddings"]["values"]) for one in found] == [4, 4]
    assert single.status_code == 400


@pytest.mark.parametrize(
    ("endpoint", "statuses"),
    [
        ("1", (200, 501, 400, 400)),
        ("2", (400, 200, 200, 200)),
        ("3", (400, 404, 200, 200)),
        ("4", (400, 404, 501, 200)),
    ],
)
def test_each_kind_of_endpoint_speaks_its_own_protocol(endpoint: str, statuses: tuple[int, ...]) -> None:
    chat = {"model": "", "messages": [{"role": "user", "content": "hi"}]}
    place = f"/endpoints/{endpoint}"
    with vendors.vertex(endpoints=KINDS) as fake:
        found = (
            post(fake, f"{place}:generateContent", HI),
            post(fake, f"{place}/chat/completions", chat),
            post(fake, f"{place}:predict", {"instances": [{"prompt": "hi"}]}),
            post(fake, f"{place}:rawPredict", {"prompt": "hi"}),
        )
    assert tuple(answer.status_code for answer in found) == statuses


def test_endpoints_and_models_are_described() -> None:
    with vendors.vertex(endpoints=KINDS) as fake, httpx.Client(trust_env=False, timeout=60) as http:
        http.headers["authorization"] = f"Bearer {fake.key}"
        tuned, vllm, gone = (http.get(f"{fake.url}{PLACE}/endpoints/{name}") for name in ("1", "2", "9"))
        model = http.get(f"{fake.url}/v1/{vllm.json()['deployedModels'][0]['model']}").json()
    assert "dedicatedResources" not in tuned.json()["deployedModels"][0]
    assert vllm.json()["dedicatedEndpointDns"] == "2.us-central1-123.prediction.vertexai.goog"
    assert gone.status_code == 404
    assert "vllm" in model["containerSpec"]["imageUri"]


def test_a_call_without_the_token_is_refused() -> None:
    with vendors.vertex() as fake:
        url = f"{fake.url}{PLACE}/publishers/google/models/gemini-3.5-flash:generateContent"
        answer = httpx.post(url, json=HI, trust_env=False, timeout=60)
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


def test_what_is_told_is_what_a_container_predicts() -> None:
    with vendors.vertex(endpoints=KINDS) as fake:
        fake.answers(Reply("forty-two"))
        assert post(fake, "/endpoints/3:predict", {"instances": [{"prompt": "x"}]}).json()["predictions"] == [
            "forty-two"
        ]
        assert post(fake, "/endpoints/3:predict", {"instances": [{"prompt": "x"}]}).json()["predictions"] == ["x"]
