"""The fakes of OpenAI, Azure and self-hosted servers, driven by OpenAI's own SDK."""

import base64
import typing

import httpx
import openai
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.completion_create_params import CompletionCreateParamsNonStreaming as CompletionParams
from openai.types.embedding_create_params import EmbeddingCreateParams

from tests.contracts.openapi import departures
from tests.vendors import vendors
from tests.vendors.fake import Fake
from tests.vendors.openai_shapes import CHAT, COMPLETION, EMBEDDING
from tests.vendors.script import Call, Error, Manner, Reply, Text, Tokens, blocked, thinking, tools

WEATHER: typing.Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG1234").decode()
HI: typing.Any = [{"role": "user", "content": "hi there"}]


def client(fake: Fake, path: str = "/v1", key: str | None = None) -> openai.OpenAI:
    http = openai.DefaultHttpxClient(trust_env=False)
    return openai.OpenAI(base_url=fake.url + path, api_key=key or fake.key or "any", max_retries=0, http_client=http)


@pytest.mark.parametrize(
    ("params", "shape"),
    [(CompletionCreateParamsNonStreaming, CHAT), (CompletionParams, COMPLETION), (EmbeddingCreateParams, EMBEDDING)],
    ids=["chat", "completion", "embedding"],
)
def test_the_fake_knows_exactly_the_fields_of_the_sdk(params: typing.Any, shape: typing.Any) -> None:
    assert set(shape["properties"]) - {"stream"} == set(typing.get_type_hints(params)) - {"stream"}


def test_an_echo_says_what_arrived() -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        said = sdk.chat.completions.create(model="gpt-4.1", messages=HI)
        assert said.choices[0].message.content == "hi there"
        assert (fake.requests[0].path, fake.bodies[0]["messages"]) == ("/v1/chat/completions", HI)


def test_a_stream_says_the_same_and_counts_when_asked() -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        options: typing.Any = {"include_usage": True}
        chunks = list(
            sdk.chat.completions.create(model="gpt-4.1", messages=HI, stream=True, stream_options=options, n=2)
        )
        texts = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices if choice.index == 1]
        assert "".join(texts) == "hi there"
        assert chunks[-1].usage is not None
        assert not chunks[-1].choices


REPLIES = {
    "text": Text("a b c"),
    "tools": tools(Call("weather", {"city": "Oslo"}), Call("weather")),
    "refusal": Reply(refusal="I will not"),
    "length": Text("x", finish="length"),
    "filtered": Text("x", finish="content_filter"),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_every_kind_of_answer_is_in_openais_document(reply: Reply, *, stream: bool) -> None:
    asked = {"model": "gpt-4.1", "messages": HI, "stream": stream, "logprobs": True, "top_logprobs": 2}
    with vendors.openai() as fake, httpx.Client(trust_env=False, timeout=60) as http:
        fake.answers(reply)
        headers = {"authorization": f"Bearer {fake.key}"}
        answer = http.post(f"{fake.url}/v1/chat/completions", json=asked, headers=headers)
    kind = answer.headers["content-type"]
    assert not departures("post", "/v1/chat/completions", status=200, kind=kind, body=answer.content)


def test_tools_are_called_and_their_results_told() -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        first = sdk.chat.completions.create(model="gpt-4.1", messages=HI, tools=[WEATHER]).choices[0]
        assert first.finish_reason == "tool_calls"
        assert first.message.tool_calls is not None
        call: typing.Any = first.message.tool_calls[0]
        assert call.function.arguments == '{"city": "city", "days": 1}'
        turn: typing.Any = [*HI, first.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
        last = sdk.chat.completions.create(model="gpt-4.1", messages=turn, tools=[WEATHER])
        assert last.choices[0].message.content == "rain"


def test_a_result_of_no_call_is_refused() -> None:
    turn: typing.Any = [*HI, {"role": "tool", "tool_call_id": "x", "content": "rain"}]
    with vendors.openai() as fake, client(fake) as sdk, pytest.raises(openai.BadRequestError, match="preceding"):
        sdk.chat.completions.create(model="gpt-4.1", messages=turn)


def test_an_image_is_told_of_by_type_and_size() -> None:
    part: typing.Any = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    with vendors.openai() as fake, client(fake) as sdk:
        said = sdk.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": part}])
        assert said.choices[0].message.content == "see [image/png, 8 bytes]"


@pytest.mark.parametrize(
    ("more", "param"),
    [({"top_k": 3}, "top_k"), ({"temperature": 3}, "temperature"), ({"stream_options": {}}, None)],
)
def test_what_openai_refuses_is_refused(more: dict[str, object], param: str | None) -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        if param is None:
            assert sdk.chat.completions.create(model="gpt-4.1", messages=HI, extra_body=more).choices
            return
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.chat.completions.create(model="gpt-4.1", messages=HI, extra_body=more)
        assert refused.value.param == param


def test_reasoning_models_have_their_own_limit() -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
            sdk.chat.completions.create(model="gpt-5", messages=HI, max_tokens=5)
        assert (
            sdk.chat.completions.create(model="gpt-5", messages=HI, max_completion_tokens=1).choices[0].finish_reason
            == "length"
        )


def test_errors_are_the_sdks_own() -> None:
    kinds = {401: openai.AuthenticationError, 429: openai.RateLimitError, 500: openai.InternalServerError}
    with vendors.openai() as fake, client(fake) as sdk:
        for status, kind in kinds.items():
            fake.answers(Error(status, retry_after=7))
            with pytest.raises(kind) as refused:
                sdk.chat.completions.create(model="gpt-4.1", messages=HI)
            assert refused.value.response.headers["retry-after"] == "7"


def test_usage_is_what_was_told() -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        fake.answers(Text("x", tokens=Tokens(prompt=11, completion=7, cached=5)))
        used = sdk.chat.completions.create(model="gpt-4.1", messages=HI).usage
        assert used is not None
        assert used.prompt_tokens_details is not None
        assert (used.total_tokens, used.prompt_tokens_details.cached_tokens) == (18, 5)


def test_completions_embeddings_and_models() -> None:
    with vendors.openai(models=["gpt-4.1"]) as fake, client(fake) as sdk:
        filled = sdk.completions.create(model="code", prompt="def f():", suffix="return 1")
        assert filled.choices[0].text == "def f():|return 1"
        streamed = sdk.completions.create(model="code", prompt="one two", stream=True)
        assert "".join(chunk.choices[0].text for chunk in streamed) == "one two"
        plain = sdk.embeddings.create(model="embed", input=["a", "b"], encoding_format="float")
        packed = sdk.embeddings.create(model="embed", input=["a", "b"])
        assert [one.embedding for one in plain.data] == [one.embedding for one in packed.data]
        assert [model.id for model in sdk.models.list()] == ["gpt-4.1"]


def test_azure_knows_its_three_paths() -> None:
    with vendors.azure() as fake:
        for path, query in (("/openai/v1", {}), ("/models", {"api-version": "2024-05-01-preview"})):
            with client(fake, path) as sdk:
                said = sdk.chat.completions.create(model="shop", messages=HI, extra_query=query)
                assert said.choices[0].message.content == "hi there"
        http = openai.DefaultHttpxClient(trust_env=False)
        with openai.AzureOpenAI(
            azure_endpoint=fake.url, api_key=fake.key, api_version="2024-10-21", http_client=http
        ) as azure:
            assert azure.chat.completions.create(model="shop", messages=HI).model == "shop"
        assert fake.requests[-1].headers["api-key"] == fake.key


def test_azure_wants_a_known_version_and_a_credential() -> None:
    with vendors.azure(token="from-entra") as fake:
        with client(fake, "/models") as sdk, pytest.raises(openai.NotFoundError):
            sdk.chat.completions.create(model="shop", messages=HI)
        with client(fake, "/openai/v1", key="wrong") as sdk, pytest.raises(openai.AuthenticationError):
            sdk.chat.completions.create(model="shop", messages=HI)
        with client(fake, "/openai/v1", key="from-entra") as sdk:
            assert sdk.chat.completions.create(model="shop", messages=HI).choices


def test_azure_begins_a_stream_with_no_choice_and_filters() -> None:
    with vendors.azure() as fake, client(fake, "/openai/v1") as sdk:
        chunks = list(sdk.chat.completions.create(model="shop", messages=HI, stream=True))
        assert not chunks[0].choices
        fake.answers(blocked())
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.chat.completions.create(model="shop", messages=HI)
        body: typing.Any = refused.value.body
        assert (refused.value.code, body["innererror"]["code"]) == ("content_filter", "ResponsibleAIPolicyViolation")


def test_vllm_reasons_in_its_field_and_refuses_other_names() -> None:
    with vendors.vllm(models=["qwen"]) as fake, client(fake) as sdk:
        fake.answers(thinking("because", "so"))
        message: typing.Any = sdk.chat.completions.create(model="qwen", messages=HI).choices[0].message
        assert (message.reasoning, message.content) == ("because", "so")
        with pytest.raises(openai.NotFoundError):
            sdk.chat.completions.create(model="other", messages=HI)


def test_tgi_refuses_flatly() -> None:
    with vendors.tgi() as fake, client(fake) as sdk, pytest.raises(openai.UnprocessableEntityError) as refused:
        sdk.chat.completions.create(model="tgi", messages=HI, n=2)
    assert refused.value.response.json()["error_type"] == "validation"


def test_ollama_shows_what_would_be_lost() -> None:
    with vendors.ollama() as fake, client(fake) as sdk, pytest.raises(openai.BadRequestError, match="tool_choice"):
        sdk.chat.completions.create(model="llama", messages=HI, tools=[WEATHER], tool_choice="required")


def test_llamacpp_may_call_tools_oddly() -> None:
    with vendors.llamacpp(odd_tools=True) as fake, client(fake) as sdk:
        made: typing.Any = sdk.chat.completions.create(model="m", messages=HI, tools=[WEATHER]).choices[0].message
        assert (made.tool_calls[0].id, made.tool_calls[0].function.arguments) == (None, {"city": "city", "days": 1})


@pytest.mark.parametrize(
    "manner", [Manner(crlf=True), Manner(comments=True), Manner(pieces=3), Manner(done=False), Manner(between=0.001)]
)
def test_the_sdk_reads_a_stream_in_every_lawful_manner(manner: Manner) -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        fake.answers(Text("good morning", manner=manner))
        chunks = list(sdk.chat.completions.create(model="gpt-4.1", messages=HI, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "good morning"


def test_an_error_in_a_stream_is_raised() -> None:
    with vendors.openai() as fake, client(fake) as sdk:
        fake.answers(Text("good morning", manner=Manner(broken=2)))
        with pytest.raises(openai.APIError):
            list(sdk.chat.completions.create(model="gpt-4.1", messages=HI, stream=True))
