"""The fake of Anthropic's Messages API, driven by Anthropic's own SDK, and in its clouds' envelopes."""

import base64
import typing
from typing import Any

import anthropic
import httpx
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from tests.vendors import vendors
from tests.vendors.anthropic_shapes import BODY, SAMPLING
from tests.vendors.fake import Fake
from tests.vendors.script import Call, Error, Manner, Reply, Text, Tokens, thinking, tools

HI: Any = [{"role": "user", "content": "hi there"}]
WEATHER: Any = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
USE: Any = {"type": "tool_use", "id": "a", "name": "w", "input": {}}
BASE: Any = {"model": "claude-x", "max_tokens": 50, "messages": HI}


def client(fake: Fake) -> anthropic.Anthropic:
    http = anthropic.DefaultHttpxClient(trust_env=False)
    return anthropic.Anthropic(base_url=fake.url, api_key=fake.key, max_retries=0, http_client=http)


def post(fake: Fake, path: str = "/v1/messages", **body: object) -> httpx.Response:
    headers = {"authorization": f"Bearer {fake.key}", "anthropic-version": "2023-06-01"}
    with httpx.Client(trust_env=False, timeout=60) as http:
        return http.post(fake.url + path, json={**BASE, **body}, headers=headers)


def test_the_fake_knows_the_fields_of_the_sdk() -> None:
    headers = {"workspace_id", "user_profile_id"}
    known = set(typing.get_type_hints(MessageCreateParamsNonStreaming)) - headers
    assert known | {"model"} >= set(BODY["properties"]) - {"stream", *SAMPLING}
    assert known <= set(BODY["properties"]) | {"model"}


def test_an_echo_whole_and_streamed() -> None:
    with vendors.anthropic() as fake, client(fake) as sdk:
        message = sdk.messages.create(**BASE)
        assert (message.content[0].text, message.stop_reason) == ("hi there", "end_turn")
        with sdk.messages.stream(**BASE) as stream:
            assert stream.get_final_text() == "hi there"
        assert "anthropic-version" in fake.requests[0].headers


def test_the_events_of_a_stream_come_in_anthropics_order() -> None:
    with vendors.anthropic() as fake:
        fake.answers(thinking("hm", "so", calls=(Call("weather", {"city": "Oslo"}),)))
        text = post(fake, stream=True).text
    names = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event")]
    assert names[:2] + names[-2:] == ["message_start", "ping", "message_delta", "message_stop"]
    assert names.count("content_block_start") == names.count("content_block_stop") == 3


def test_tools_in_parallel_and_their_results() -> None:
    with vendors.anthropic() as fake, client(fake) as sdk:
        fake.answers(tools(Call("weather", {"city": "Oslo"}), Call("weather", {"city": "Rome"})))
        with sdk.messages.stream(**BASE, tools=[WEATHER]) as stream:
            said = stream.get_final_message()
        assert [block.input for block in said.content if block.type == "tool_use"] == [
            {"city": "Oslo"},
            {"city": "Rome"},
        ]
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "wet"}
            for block in said.content
            if block.type == "tool_use"
        ]
        turns: Any = [*HI, {"role": "assistant", "content": said.content}, {"role": "user", "content": results}]
        last = sdk.messages.create(**{**BASE, "messages": turns}, tools=[WEATHER])
        assert last.content[0].text == "wet; wet"


def test_thinking_must_come_back_signed() -> None:
    with vendors.anthropic() as fake, client(fake) as sdk:
        fake.answers(thinking("hm", "so"))
        said = sdk.messages.create(**BASE)
        assert said.content[0].type == "thinking"
        block = {"type": "thinking", "thinking": "hm", "signature": "forged"}
        turns: Any = [*HI, {"role": "assistant", "content": [block, {"type": "text", "text": "so"}]}, *HI]
        with pytest.raises(anthropic.BadRequestError, match="signature"):
            sdk.messages.create(**{**BASE, "messages": turns})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"seed": 1}, "seed: Extra inputs"),
        ({"temperature": 1.5}, "temperature"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"metadata": {"user_id": "me@here.org"}}, "metadata"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "budget_tokens"),
        ({"messages": [*HI, {"role": "assistant", "content": [USE]}, *HI]}, "tool_use"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}]}, "tool_result"),
    ],
)
def test_what_anthropic_refuses_is_refused(body: Any, said: str) -> None:
    with vendors.anthropic() as fake:
        answer = post(fake, **body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert said in answer.json()["error"]["message"]


def test_the_version_decides_about_sampling() -> None:
    with vendors.anthropic(without_sampling=["claude-new"]) as fake:
        assert post(fake, temperature=1).status_code == 200
        assert post(fake, temperature=1, model="claude-new").status_code == 400
        headers = {"x-api-key": fake.key, "anthropic-version": "2026-10-21"}
        newer = httpx.post(
            f"{fake.url}/v1/messages", json={**BASE, "temperature": 1}, headers=headers, trust_env=False, timeout=60
        )
        without = httpx.post(
            f"{fake.url}/v1/messages", json=BASE, headers={"x-api-key": fake.key}, trust_env=False, timeout=60
        )
        assert (newer.status_code, without.status_code) == (400, 400)


def test_images_schemas_and_limits() -> None:
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(b"1234").decode()},
    }
    form = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {"city": {"type": "string"}}}}}
    with vendors.anthropic() as fake:
        seen = post(fake, messages=[{"role": "user", "content": [image]}]).json()
        formed = post(fake, output_config=form).json()
        short = post(fake, max_tokens=1).json()
    assert seen["content"][0]["text"] == "[image/png, 4 bytes]"
    assert formed["content"][0]["text"] == '{"city": "city"}'
    assert (short["content"][0]["text"], short["stop_reason"]) == ("hi", "max_tokens")


def test_errors_are_the_sdks_own_also_within_a_stream() -> None:
    with vendors.anthropic() as fake, client(fake) as sdk:
        fake.answers(Error(429, retry_after=3), Error(529), Text("a b c", manner=Manner(broken=3)))
        with pytest.raises(anthropic.RateLimitError) as refused:
            sdk.messages.create(**BASE)
        assert refused.value.response.headers["retry-after"] == "3"
        with pytest.raises(anthropic.APIStatusError):
            sdk.messages.create(**BASE)
        with pytest.raises(anthropic.APIStatusError, match="overloaded"):
            list(sdk.messages.create(**BASE, stream=True))


def test_usage_counts_cached_tokens_apart() -> None:
    with vendors.anthropic() as fake, client(fake) as sdk:
        fake.answers(Reply("x", tokens=Tokens(prompt=4, completion=2, cached=9, cache_written=1), finish="pause_turn"))
        said = sdk.messages.create(**BASE)
        assert (said.usage.input_tokens, said.usage.cache_read_input_tokens, said.stop_reason) == (4, 9, "pause_turn")


def test_claude_on_vertex_is_the_same_body_in_another_envelope() -> None:
    place = "/v1/projects/acme/locations/global/publishers/anthropic/models/claude-x"
    body = {"messages": HI, "max_tokens": 9, "anthropic_version": "vertex-2023-10-16"}
    with (
        vendors.vertex() as fake,
        httpx.Client(headers={"authorization": f"Bearer {fake.key}"}, trust_env=False, timeout=60) as http,
    ):
        whole = http.post(f"{fake.url}{place}:rawPredict", json=body)
        streamed = http.post(f"{fake.url}{place}:streamRawPredict", json={**body, "stream": True})
        named = http.post(f"{fake.url}{place}:rawPredict", json={**body, "model": "claude-x"})
        plain = http.post(f"{fake.url}{place}:rawPredict", json={"messages": HI, "max_tokens": 9})
    assert (whole.json()["content"][0]["text"], whole.json()["model"]) == ("hi there", "claude-x")
    assert "event: message_stop" in streamed.text
    assert [named.status_code, plain.status_code] == [400, 400]


def test_claude_in_foundry_takes_azures_keys() -> None:
    headers = {"api-key": "test-key", "anthropic-version": "2023-06-01"}
    with vendors.azure() as fake:
        answer = httpx.post(
            f"{fake.url}/anthropic/v1/messages", json=BASE, headers=headers, trust_env=False, timeout=60
        )
    assert answer.json()["content"][0]["text"] == "hi there"
