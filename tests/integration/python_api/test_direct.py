"""The Python API on its own: each vendor called from this computer, at servers that speak each vendor's wire."""

import asyncio
import gc
import json
import threading
from typing import Any

import pytest

import tuneway
from tests.vendors import vendors
from tests.vendors.fake import Fake
from tests.vendors.script import Call, Error, Manner, Reply
from tests.vendors.vertex import Deployed
from tests.waiting import wait_until

HELLO = [{"role": "user", "content": "Hello there"}]
LEFT_SECONDS = 60.0
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def at(fake: Fake) -> dict[str, Any]:
    return {"api_base": f"{fake.url}/v1", "api_key": fake.key}


def on_vertex(fake: Fake) -> dict[str, Any]:
    place: dict[str, Any] = {"vertex_project": "shop", "vertex_location": "europe-west4"}
    return {"api_base": fake.url, "api_key": fake.key, **place}


def test_an_openai_model_answers() -> None:
    with vendors.openai() as fake:
        answer = tuneway.completion("openai/gpt-5", HELLO, seed=7, extra_body={"store": True}, **at(fake))
    assert answer.choices[0].message.content == answer["choices"][0]["message"]["content"] == "Hello there"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.id
    assert (fake.bodies[0]["seed"], fake.bodies[0]["store"], fake.bodies[0]["model"]) == (7, True, "gpt-5")


@pytest.mark.parametrize("model", ["gemini-3.5-flash", "claude-sonnet-5", "codestral@2501", "meta/llama-4-maas"])
@pytest.mark.parametrize("stream", [False, True])
def test_every_publisher_on_vertex_ai_answers_under_litellms_arguments(model: str, *, stream: bool) -> None:
    with vendors.vertex() as fake:
        said = tuneway.completion(
            model, HELLO, stream=stream, custom_llm_provider="vertex_ai", max_tokens=50, **on_vertex(fake)
        )
        assert _text(said) == "Hello there"
    assert "/projects/shop/locations/europe-west4/" in fake.requests[-1].path


def test_an_endpoint_is_asked_what_it_speaks_once() -> None:
    with vendors.vertex(endpoints={"4567": Deployed("vllm")}) as fake:
        asked = []
        for _ in range(2):
            said = tuneway.completion("vertex_ai/endpoints/4567", HELLO, **on_vertex(fake))
            assert _text(said) == "Hello there"
            asked.append(len(fake.requests))
    assert asked[1] == asked[0] + 1


def test_claude_bedrock_azure_and_a_server_of_ones_own_answer() -> None:
    with vendors.anthropic() as fake:
        said = tuneway.completion("anthropic/claude-sonnet-5", HELLO, api_base=fake.url, api_key=fake.key)
        assert _text(said) == "Hello there"
    with vendors.bedrock() as fake:
        place: dict[str, Any] = {"api_base": fake.url, "api_key": fake.key, "aws_region_name": "us-east-1"}
        assert _text(tuneway.completion("bedrock/amazon.nova-lite-v1:0", HELLO, stream=True, **place)) == "Hello there"
    with vendors.azure() as fake:
        said = tuneway.completion("azure/gpt-5", HELLO, api_base=fake.url, api_key=fake.key)
        assert _text(said) == "Hello there"
    with vendors.vllm() as fake:
        assert _text(tuneway.completion("hosted_vllm/shop", HELLO, api_base=f"{fake.url}/v1")) == "Hello there"


def test_keys_of_aws_sign_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with vendors.bedrock(key="") as fake:
        account = fake.facts["account"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account.secret_key)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        said = tuneway.completion(
            "bedrock/amazon.nova-lite-v1:0", HELLO, api_base=fake.url, aws_region_name="us-east-1"
        )
    assert _text(said) == "Hello there"
    assert fake.requests[-1].headers["authorization"].startswith("AWS4-HMAC-SHA256")


def test_an_answer_goes_back_into_the_conversation() -> None:
    with vendors.openai() as fake:
        fake.answers(Reply(calls=(Call("look", {}, "call_1"),)))
        message = tuneway.completion("openai/gpt-5", HELLO, tools=[TOOL], **at(fake)).choices[0].message
        assert message.tool_calls
        assert message.tool_calls[0].function.name == "look"
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "A red shoe."}
        said = tuneway.completion("openai/gpt-5", [*HELLO, message, result], tools=[TOOL], **at(fake))
    assert _text(said) == "A red shoe."


def test_a_key_comes_from_the_vendors_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with vendors.openai(key="from-the-environment") as fake:
        monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{fake.url}/v1")
        assert _text(tuneway.completion("openai/gpt-5", HELLO)) == "Hello there"


def test_a_missing_key_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(tuneway.AuthenticationError, match="OPENAI_API_KEY") as fault:
        tuneway.completion("openai/gpt-5", HELLO)
    assert fault.value.status_code == 401


def test_a_refused_key_is_the_callers_own() -> None:
    with vendors.openai() as fake, pytest.raises(tuneway.AuthenticationError, match="refused the credentials"):
        tuneway.completion("openai/gpt-5", HELLO, api_base=f"{fake.url}/v1", api_key="wrong")


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (Error(429, retry_after=7), tuneway.RateLimitError, 429),
        (Error(400, "No."), tuneway.BadRequestError, 400),
        (Error(503), tuneway.ServiceUnavailableError, 503),
        (Error(500), tuneway.InternalServerError, 500),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_told_by_class_and_status(
    error: Error, kind: type[tuneway.APIError], status: int, *, stream: bool
) -> None:
    with vendors.openai() as fake:
        fake.answers(error)
        with pytest.raises(kind) as fault:
            tuneway.completion("openai/gpt-5", HELLO, stream=stream, **at(fake))
    assert (fault.value.status_code, fault.value.retry_after) == (status, error.retry_after)


def test_a_host_that_is_not_there_is_a_connection_error() -> None:
    with pytest.raises(tuneway.APIConnectionError):
        tuneway.completion("openai/gpt-5", HELLO, api_base="http://127.0.0.1:9/v1", api_key="any")


def test_a_host_that_hangs_is_a_timeout() -> None:
    with vendors.openai() as fake:
        fake.answers(Reply("late", manner=Manner(hang=-1)))
        with pytest.raises(tuneway.Timeout):
            tuneway.completion("openai/gpt-5", HELLO, timeout=0.3, **at(fake))


def test_a_passing_fault_is_tried_again_when_wanted() -> None:
    with vendors.openai() as fake:
        fake.answers(Error(503))
        assert _text(tuneway.completion("openai/gpt-5", HELLO, num_retries=1, **at(fake))) == "Hello there"
    assert len(fake.requests) == 2


def test_another_model_stands_in_with_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with vendors.openai(key="ours") as first, vendors.anthropic(key="theirs") as second:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{first.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "ours")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", second.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "theirs")
        first.answers(Error(503))
        said = tuneway.completion("gpt-5", HELLO, custom_llm_provider="openai", fallbacks=["anthropic/claude-sonnet-5"])
        assert _text(said) == "Hello there"
        assert second.requests[-1].headers["x-api-key"] == "theirs"


def test_a_key_for_one_host_is_never_sent_to_another() -> None:
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.completion("openai/gpt-5", HELLO, api_key="ours", fallbacks=["anthropic/claude-sonnet-5"])
    assert fault.value.param == "fallbacks"


def test_an_access_token_does_not_say_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TUNEWAY_PROJECT", "TUNEWAY_VERTEX_URL", "VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(tuneway.BadRequestError, match="project"):
        tuneway.completion("vertex_ai/gemini-3.5-flash", HELLO, api_key="token")


def test_what_a_model_cannot_take_is_named_or_dropped() -> None:
    with vendors.anthropic() as fake:
        place: dict[str, Any] = {"api_base": fake.url, "api_key": fake.key}
        with pytest.raises(tuneway.BadRequestError) as fault:
            tuneway.completion("anthropic/claude-sonnet-5", HELLO, seed=1, **place)
        said = tuneway.completion("anthropic/claude-sonnet-5", HELLO, seed=1, drop_params=True, **place)
    assert fault.value.param == "seed"
    assert _text(said) == "Hello there"


def test_a_stream_tells_its_chunks_before_its_fault() -> None:
    heard: list[str | None] = []
    with vendors.openai() as fake:
        fake.answers(Reply("one two three four", manner=Manner(broken=3)))
        stream = tuneway.completion("openai/gpt-5", HELLO, stream=True, **at(fake))
        with pytest.raises(tuneway.APIError):
            heard.extend(chunk.choices[0].delta.content for chunk in stream)
        assert list(stream) == []
    assert "".join(text or "" for text in heard).startswith("one")


@pytest.mark.parametrize("how", ["close", "leave", "forget"])
def test_a_stream_that_is_left_ends_the_call(how: str) -> None:
    with vendors.openai() as fake:
        fake.answers(Reply("one two three four", manner=Manner(hang=3)))
        stream = tuneway.completion("openai/gpt-5", HELLO, stream=True, **at(fake))
        next(stream)
        match how:
            case "close":
                stream.close()
                stream.close()
                assert list(stream) == []
            case "leave":
                with stream:
                    next(stream)
            case _:
                del stream
                gc.collect()
        assert fake.requests[-1].left.wait(LEFT_SECONDS)


async def test_a_cancelled_coroutine_ends_the_call() -> None:
    with vendors.openai() as fake:
        fake.answers(Reply("never", manner=Manner(hang=-1)))
        call = asyncio.ensure_future(tuneway.acompletion("openai/gpt-5", HELLO, **at(fake)))
        await asyncio.to_thread(wait_until, lambda: bool(fake.requests))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await asyncio.to_thread(fake.requests[-1].left.wait, LEFT_SECONDS)


async def test_an_asynchronous_stream_is_left_early() -> None:
    with vendors.openai() as fake:
        fake.answers(Reply("one two three four", manner=Manner(hang=3)))
        async with await tuneway.acompletion("openai/gpt-5", HELLO, stream=True, **at(fake)) as stream:
            assert (await anext(stream)).choices
        assert await asyncio.to_thread(fake.requests[-1].left.wait, LEFT_SECONDS)


def test_threads_share_the_connections() -> None:
    with vendors.openai() as fake:
        answers = tuneway.batch_completion("openai/gpt-5", [HELLO] * 40, max_workers=4, **at(fake))
        assert [_text(answer) for answer in answers] == ["Hello there"] * 40
        assert fake.connections.total <= 4
    assert len([thread for thread in threading.enumerate() if thread.name == "tuneway"]) == 1


def _text(said: object) -> str:
    if isinstance(said, tuneway.ModelResponse):
        return said.choices[0].message.content or ""
    assert isinstance(said, tuneway.CompletionStream), said
    return "".join(chunk.choices[0].delta.content or "" for chunk in said if chunk.choices)


@pytest.mark.parametrize("stream", [False, True])
def test_headers_of_the_callers_own_reach_the_host_beside_the_proof(*, stream: bool) -> None:
    with vendors.openai() as fake:
        mine = {"X-Team": "sums", "Authorization": "Bearer of somebody else"}
        assert _text(tuneway.completion("openai/gpt-5", HELLO, stream=stream, extra_headers=mine, **at(fake)))
        assert _text(tuneway.completion("openai/gpt-5", HELLO, stream=stream, **at(fake)))
    first, second = fake.requests
    assert (first.headers["x-team"], first.headers["authorization"]) == ("sums", f"Bearer {fake.key}")
    assert "x-team" not in second.headers


def test_a_header_of_the_callers_own_does_not_break_awss_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    with vendors.bedrock(key="") as fake:
        account = fake.facts["account"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account.secret_key)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        place: dict[str, Any] = {"api_base": fake.url, "aws_region_name": "us-east-1"}
        said = tuneway.completion("bedrock/amazon.nova-lite-v1:0", HELLO, extra_headers={"X-Team": "sums"}, **place)
    assert _text(said) == "Hello there"
    assert fake.requests[-1].headers["x-team"] == "sums"


def test_headers_for_one_host_are_never_sent_to_another() -> None:
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.completion("openai/gpt-5", HELLO, extra_headers={"a": "b"}, fallbacks=["anthropic/claude-sonnet-5"])
    assert fault.value.param == "fallbacks"


def test_the_installations_vendors_are_honoured_and_arguments_go_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with vendors.openai(key="settled") as settled, vendors.openai(key="given") as given:
        places = {"openai": {"base_url": f"{settled.url}/v1", "secret": "env:SHOP_KEY"}}
        monkeypatch.setenv("TUNEWAY_VENDORS", json.dumps(places))
        monkeypatch.setenv("SHOP_KEY", "settled")
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        assert _text(tuneway.completion("openai/gpt-5", HELLO)) == "Hello there"
        assert _text(tuneway.completion("openai/gpt-5", HELLO, **at(given))) == "Hello there"
        assert (len(settled.requests), len(given.requests)) == (1, 1)
        monkeypatch.setenv("TUNEWAY_VENDORS", "no JSON")
        with pytest.raises(tuneway.BadRequestError, match="TUNEWAY_VENDORS"):
            tuneway.completion("openai/gpt-5", HELLO)


def test_texts_become_vectors_in_their_order() -> None:
    with vendors.openai() as fake:
        said = tuneway.embedding("openai/text-embedding-3-small", ["red shoes", "rain"], dimensions=4, **at(fake))
    assert [each.index for each in said.data] == [0, 1]
    assert said.data[0].embedding == said.data[0]["embedding"]
    assert len(said.data[0].embedding) == 4
    assert said.usage.total_tokens == said.usage.prompt_tokens > 0
    assert fake.bodies[-1]["input"] == ["red shoes", "rain"]


def test_texts_become_vectors_on_vertex_ai() -> None:
    with vendors.vertex() as fake:
        said = tuneway.embedding(
            "vertex_ai/gemini-embedding-001", "rain", task_type="RETRIEVAL_QUERY", **on_vertex(fake)
        )
    assert (len(said.data), said.data[0].object) == (1, "embedding")
    assert said.data[0].embedding


async def test_vectors_come_to_coroutines_and_faults_by_their_field() -> None:
    with vendors.openai() as fake:
        said = await tuneway.aembedding("text-embedding-3-small", "rain", custom_llm_provider="openai", **at(fake))
        assert said.data[0].embedding
        with pytest.raises(tuneway.BadRequestError) as fault:
            await tuneway.aembedding("openai/text-embedding-3-small", [], **at(fake))
    assert fault.value.param == "input"
