"""Completions: the openai SDK, unmodified, against servers of completions, of code, and of chats."""

from typing import Any

import openai
import pytest

from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import Door
from tests.integration.surfaces.hosts import FILLERS, HOSTS
from tests.vendors.script import Error, Manner, Reply, Text

CHATS = ["anthropic", "bedrock", "bedrock-claude", "gemini", "claude-vertex", "maas", "vllm-endpoint", "mistral"]
COMPLETING = ["openai", "azure", "azure-dated", "vllm", "ollama", "llamacpp", *CHATS]
every = pytest.mark.parametrize("alias", COMPLETING)


@every
def test_a_prompt_is_completed(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("there was a fox"))
    raw = door.sdk().completions.with_raw_response.create(model=alias, prompt="Once", max_tokens=20)
    answer = raw.parse()
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("there was a fox", "stop")
    assert (answer.model, answer.object) == (alias, "text_completion")
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    line = door.line(raw.headers["x-request-id"])
    assert (line["gen_ai.operation.name"], line["gen_ai.usage.output_tokens"]) == (
        "text_completion",
        answer.usage.completion_tokens,
    )


@every
def test_a_stream_of_it_says_the_same_and_counts(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("there was a fox"))
    options: Any = {"include_usage": True}
    with door.sdk().completions.create(model=alias, prompt="Once", stream=True, stream_options=options) as stream:
        chunks = list(stream)
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.text for choice in choices) == "there was a fox"
    assert choices[-1].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.parametrize("alias", CHATS)
@pytest.mark.parametrize("stream", [False, True])
def test_several_prompts_are_as_many_chats_in_their_places(door: Door, alias: str, *, stream: bool) -> None:
    prompts = [f"say {word}" for word in ("one", "two", "three")]
    answer: Any = door.sdk().completions.create(model=alias, prompt=prompts, stream=stream)
    said = ["", "", ""]
    for part in answer if stream else [answer]:
        for choice in part.choices:
            said[choice.index] += choice.text
    assert said == prompts


async def test_the_asynchronous_sdk_completes_too(door: Door, behind: Behind) -> None:
    behind("gemini").always(Text("a fox"))
    async with door.async_sdk() as client:
        whole = await client.completions.create(model="gemini", prompt="Once")
        stream = await client.completions.create(model="gemini", prompt="Once", stream=True)
        said = [chunk.choices[0].text async for chunk in stream if chunk.choices]
    assert whole.choices[0].text == "".join(said) == "a fox"


@pytest.mark.parametrize("alias", list(FILLERS))
@pytest.mark.parametrize("stream", [False, True])
def test_the_middle_is_filled_in(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(Text("return a"))
    options: Any = {"model": alias, "prompt": "def f(a):", "suffix": "# end", "max_tokens": 30, "stream": stream}
    answer: Any = door.sdk().completions.create(**options)
    parts = list(answer) if stream else [answer]
    assert "".join(choice.text for part in parts for choice in part.choices) == "return a"
    [asked] = behind(alias).requests
    assert "def f(a):" in asked.body["prompt"]
    assert "# end" in f"{asked.body.get('suffix')} {asked.body['prompt']}"


def test_a_chat_cannot_fill_in_the_middle(door: Door) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        door.sdk().completions.create(model="gemini", prompt="a", suffix="b")
    assert caught.value.param == "suffix"


@pytest.mark.parametrize("alias", ["openai", "gemini", "anthropic", "bedrock", "codestral"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_told_with_its_wait(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).always(Error(429, retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        door.sdk().completions.create(model=alias, prompt="a", stream=stream)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("alias", ["openai", "gemini", "anthropic", "bedrock", "codestral"])
def test_a_stream_that_breaks_ends_in_an_error(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).always(Reply("one two three four five six", manner=Manner(cut=3)))
    with (
        pytest.raises(openai.APIError),
        door.sdk().completions.create(model=alias, prompt=["a"], stream=True) as stream,
    ):
        list(stream)


@pytest.mark.parametrize("alias", ["openai", "gemini", "codestral"])
def test_a_caller_who_leaves_ends_every_call(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).always(Text("word " * 3000, manner=Manner(between=0.02)))
    prompts: Any = ["a", "b"] if alias in HOSTS and alias != "openai" else "a"
    with door.sdk().completions.create(model=alias, prompt=prompts, stream=True) as stream:
        next(iter(stream))
    assert all(asked.left.wait(60) for asked in behind(alias).requests)
