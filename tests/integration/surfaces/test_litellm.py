"""Every surface: LiteLLM, unmodified, as a client of the predict function, against every host."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration import litellm_environment
from tests.integration.litellm_environment import Failed, LiteLLM
from tests.integration.surfaces.asking import PIXEL, QUESTION, SCHEMA, TOOL
from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import KEY, Door
from tests.integration.surfaces.hosts import EMBEDDERS, FILLERS, HOSTS, able
from tests.vendors.openai_surfaces import vector
from tests.vendors.script import Call, Error, Manner, Reply, Text, garbage, thinking, tools

pytestmark = pytest.mark.xdist_group("litellm")
every = pytest.mark.parametrize("alias", list(HOSTS))
both = pytest.mark.parametrize("stream", [False, True])
STREAMING = [alias for alias in HOSTS if alias != "container"]
CALLS = (Call("weather", {"city": "Rome"}), Call("weather", {"city": "Oslo"}))


@pytest.fixture(scope="session")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    with litellm_environment.running(tmp_path_factory.mktemp("litellm") / "venv") as client:
        yield client


def chat(door: Door, alias: str, **more: Any) -> dict[str, Any]:
    """The arguments of a chat completion."""
    return {
        "model": f"openai/{alias}",
        "messages": QUESTION,
        "api_base": f"{door.url}/v1",
        "api_key": KEY,
        "max_retries": 0,
        **more,
    }


def text_of(pieces: list[Any]) -> str:
    return "".join(piece["choices"][0]["delta"].get("content") or "" for piece in pieces if piece["choices"])


@every
def test_a_chat_is_answered(litellm: LiteLLM, door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("Fine, thanks."))
    answer = litellm("completion", **chat(door, alias))
    [choice] = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Fine, thanks.", "stop")
    assert answer["usage"]["completion_tokens"] > 0


@every
@pytest.mark.parametrize("call", ["completion", "acompletion"])
def test_a_stream_says_the_same(litellm: LiteLLM, door: Door, behind: Behind, alias: str, call: str) -> None:
    behind(alias).answers(Text("One two three."))
    asked = chat(door, alias, stream=True, stream_options={"include_usage": True})
    pieces = litellm(call, **asked)
    assert text_of(pieces) == "One two three."
    assert [piece["usage"]["completion_tokens"] > 0 for piece in pieces if piece.get("usage")] == [True]


def test_a_wrong_key_is_no_bad_request(litellm: LiteLLM, door: Door) -> None:
    with pytest.raises(Failed, match="AuthenticationError") as refused:
        litellm("completion", **{**chat(door, "openai"), "api_key": "sk-wrong"})
    assert refused.value.status == 401


@both
@pytest.mark.parametrize("alias", able("tools"))
def test_tools_are_called_and_answered(
    litellm: LiteLLM, door: Door, behind: Behind, alias: str, *, stream: bool
) -> None:
    behind(alias).answers(tools(*CALLS), Text("Warm."))
    first = litellm("completion", **chat(door, alias, tools=[TOOL], stream=stream))
    message = litellm("stream_chunk_builder", chunks=first) if stream else first
    calls = message["choices"][0]["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"city": "Rome"}, {"city": "Oslo"}]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "20 degrees"} for call in calls]
    messages = [*QUESTION, message["choices"][0]["message"], *results]
    answer = litellm("completion", **chat(door, alias, tools=[TOOL], messages=messages))
    assert answer["choices"][0]["message"]["content"] == "Warm."


@pytest.mark.parametrize("alias", able("schema"))
def test_an_answer_keeps_to_a_schema(litellm: LiteLLM, door: Door, alias: str) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    answer = litellm("completion", **chat(door, alias, response_format=form))
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"city": "city", "degrees": 1.5}


@pytest.mark.parametrize("alias", able("vision"))
def test_a_picture_arrives(litellm: LiteLLM, door: Door, alias: str) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    answer = litellm("completion", **chat(door, alias, messages=[{"role": "user", "content": parts}]))
    assert "image/png" in answer["choices"][0]["message"]["content"]


@both
@pytest.mark.parametrize("alias", able("reasoning"))
def test_reasoning_is_shown(litellm: LiteLLM, door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(thinking("Let me see.", "Four."))
    asked = chat(door, alias, reasoning_effort="low", allowed_openai_params=["reasoning_effort"], stream=stream)
    answer = litellm("completion", **asked)
    if stream:
        said = [piece["choices"][0]["delta"] for piece in answer if piece["choices"]]
        told = "".join(delta.get("reasoning_content") or "" for delta in said)
    else:
        told = answer["choices"][0]["message"]["reasoning_content"]
    assert told == "Let me see."


@every
@both
def test_a_refusal_keeps_its_kind(litellm: LiteLLM, door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).always(Error(429, retry_after=7))
    with pytest.raises(Failed) as caught:
        litellm("completion", **chat(door, alias, stream=stream))
    assert (caught.value.kind, caught.value.status) == ("RateLimitError", 429)


@every
def test_garbage_is_one_clear_error(litellm: LiteLLM, door: Door, behind: Behind, alias: str) -> None:
    behind(alias).always(garbage())
    with pytest.raises(Failed) as caught:
        litellm("completion", **chat(door, alias))
    assert caught.value.status in {500, 502, 503}


@pytest.mark.parametrize("alias", STREAMING)
def test_a_stream_that_breaks_ends_in_an_error(litellm: LiteLLM, door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Reply("One two three four five six seven eight.", manner=Manner(cut=3)))
    with pytest.raises(Failed):
        litellm("completion", **chat(door, alias, stream=True))


@pytest.mark.parametrize("alias", STREAMING)
def test_a_caller_who_leaves_ends_the_hosts_call(litellm: LiteLLM, door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("word " * 3000, manner=Manner(between=0.02)))
    assert len(litellm("completion", take=2, **chat(door, alias, stream=True))) == 2
    assert behind(alias).requests[-1].left.wait(60)


@pytest.mark.parametrize("alias", list(EMBEDDERS))
def test_texts_are_embedded(litellm: LiteLLM, door: Door, alias: str) -> None:
    texts = ["one", "two words"]
    place: dict[str, Any] = {"api_base": f"{door.url}/v1", "api_key": KEY, "encoding_format": "float"}
    answer = litellm("embedding", model=f"openai/{alias}", input=texts, **place)
    vectors = [one["embedding"] for one in answer["data"]]
    assert vectors == [vector(text, len(vectors[0])) for text in texts]


@both
@pytest.mark.parametrize("alias", list(FILLERS))
def test_the_middle_is_filled_in(litellm: LiteLLM, door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(Text("return a"))
    place: dict[str, Any] = {"api_base": f"{door.url}/v1", "api_key": KEY, "stream": stream}
    asked: dict[str, Any] = {
        "model": f"text-completion-openai/{alias}",
        "prompt": "def f(a):",
        "suffix": "# end",
        "max_tokens": 9,
    }
    answer = litellm("text_completion", **asked, **place)
    parts = answer if stream else [answer]
    assert "".join(choice.get("text") or "" for part in parts for choice in part["choices"]) == "return a"
    assert "# end" in json.dumps(behind(alias).requests[0].body)


@every
def test_anthropics_messages_are_answered(litellm: LiteLLM, door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("Fine, thanks."))
    asked: dict[str, Any] = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hello."}]}
    answer = litellm("anthropic.messages.acreate", model=f"anthropic/{alias}", api_base=door.url, api_key=KEY, **asked)
    assert answer["content"][0]["text"] == "Fine, thanks."


@every
@both
def test_a_chat_may_go_by_anthropics_words(
    litellm: LiteLLM, door: Door, behind: Behind, alias: str, *, stream: bool
) -> None:
    behind(alias).answers(Text("Fine, thanks."))
    place: dict[str, Any] = {"api_base": door.url, "api_key": KEY, "stream": stream}
    answer = litellm("completion", model=f"anthropic/{alias}", messages=QUESTION, **place)
    assert (text_of(answer) if stream else answer["choices"][0]["message"]["content"]) == "Fine, thanks."
