"""Chat completions: the openai SDK, unmodified, against every host."""

import json
from typing import Any

import openai
import pytest

from tests.integration.surfaces.asking import PIXEL, QUESTION, SCHEMA, TOOL, ask
from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import Door
from tests.integration.surfaces.hosts import HOSTS, able
from tests.vendors.script import Call, Error, Manner, Reply, Text, garbage, thinking, tools
from tuneway.routing.routes import Limits

every = pytest.mark.parametrize("alias", list(HOSTS))
CALLS = (Call("weather", {"city": "Rome"}), Call("weather", {"city": "Oslo"}))
STREAMING = [alias for alias in HOSTS if alias != "container"]


@every
def test_a_chat_is_answered(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("Fine, thanks."))
    raw = door.sdk().chat.completions.with_raw_response.create(**ask(alias))
    answer = raw.parse()
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Fine, thanks.", "stop")
    assert answer.model == alias
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert raw.headers["x-tuneway-attempts"] == "1"
    line = door.line(raw.headers["x-request-id"])
    assert (line["gen_ai.operation.name"], line["gen_ai.usage.input_tokens"]) == ("chat", answer.usage.prompt_tokens)


@every
def test_a_stream_says_the_same_and_counts(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("One two three."))
    options: Any = {"include_usage": True}
    with door.sdk().chat.completions.create(**ask(alias), stream=True, stream_options=options) as stream:
        chunks = list(stream)
    said = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in said) == "One two three."
    assert [choice.finish_reason for choice in said if choice.finish_reason] == ["stop"]
    assert (said[0].delta.role, {chunk.model for chunk in chunks}) == ("assistant", {alias})
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.parametrize("alias", ["openai", "vllm", "anthropic", "bedrock", "gemini", "mistral"])
async def test_the_asynchronous_sdk_does_too(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).always(Text("Fine, thanks."))
    async with door.async_sdk() as client:
        whole = await client.chat.completions.create(**ask(alias))
        stream = await client.chat.completions.create(**ask(alias), stream=True)
        said = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert whole.choices[0].message.content == "".join(said) == "Fine, thanks."


@pytest.mark.parametrize("alias", able("tools"))
@pytest.mark.parametrize("stream", [False, True])
def test_parallel_tools_are_called_and_their_results_answered(
    door: Door, behind: Behind, alias: str, *, stream: bool
) -> None:
    behind(alias).answers(tools(*CALLS), tools(Call("weather", {"city": "Bern"})), Text("Warm."))
    client, messages = door.sdk(), list(QUESTION)
    rounds: list[list[dict[str, str]]] = []
    for _ in range(2):
        message = _message(client, alias, messages, stream=stream)
        rounds.append([json.loads(call["function"]["arguments"]) for call in message["tool_calls"]])
        messages.append(message)
        messages += [
            {"role": "tool", "tool_call_id": call["id"], "content": '{"degrees": 20}'} for call in message["tool_calls"]
        ]
    assert rounds == [[{"city": "Rome"}, {"city": "Oslo"}], [{"city": "Bern"}]]
    assert _message(client, alias, messages, stream=stream)["content"] == "Warm."


def _message(client: openai.OpenAI, alias: str, messages: list[Any], *, stream: bool) -> dict[str, Any]:
    """The next message, as a client that keeps a conversation sends it back."""
    if not stream:
        answer = client.chat.completions.create(model=alias, messages=messages, tools=[TOOL])
        return answer.choices[0].message.model_dump(exclude_none=True)
    with client.chat.completions.stream(model=alias, messages=messages, tools=[TOOL]) as events:
        final: dict[str, Any] = events.get_final_completion().choices[0].message.model_dump(exclude_none=True)
    for call in final.get("tool_calls", []):
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    final.pop("parsed", None)
    return final


@pytest.mark.parametrize("host", [alias for alias in able("tools") if alias != "openai"])
def test_a_fallback_goes_on_with_the_calls_of_another_model(door: Door, behind: Behind, fakes: Any, host: str) -> None:
    door.route(f"openai-or-{host}", HOSTS["openai"].at(fakes), fallbacks=(host,))
    behind("openai").answers(tools(Call("weather", {"city": "Rome"}, id="call_8sTmZ1xVbQ")))
    message = _message(door.sdk(), f"openai-or-{host}", QUESTION, stream=False)
    behind("openai").always(Error(503))
    behind(host).answers(Text("Warm."))
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "20 degrees"}
    answer = _message(door.sdk(), f"openai-or-{host}", [*QUESTION, message, result], stream=False)
    assert answer["content"] == "Warm."


@pytest.mark.parametrize("alias", STREAMING)
def test_every_chunk_has_a_choice_where_no_usage_is_asked_for(door: Door, alias: str) -> None:
    with door.sdk().chat.completions.create(**ask(alias), stream=True) as stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "How are you?"


@pytest.mark.parametrize("alias", able("schema"))
def test_an_answer_keeps_to_a_schema(door: Door, alias: str) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    answer = door.sdk().chat.completions.create(**ask(alias), response_format=form)
    assert json.loads(answer.choices[0].message.content or "") == {"city": "city", "degrees": 1.5}


@pytest.mark.parametrize("alias", able("choices"))
@pytest.mark.parametrize("stream", [False, True])
def test_several_choices_are_given_also_by_hosts_that_give_one(door: Door, alias: str, *, stream: bool) -> None:
    answer: Any = door.sdk().chat.completions.create(**ask(alias), n=2, stream=stream)
    ends = [choice for part in (answer if stream else [answer]) for choice in part.choices if choice.finish_reason]
    assert sorted(choice.index for choice in ends) == [0, 1]


@every
def test_a_developers_word_is_heard(door: Door, alias: str) -> None:
    messages: Any = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "How are you?"}]
    answer = door.sdk().chat.completions.create(model=alias, messages=messages)
    assert "How are you?" in (answer.choices[0].message.content or "")


@pytest.mark.parametrize("alias", STREAMING)
def test_limits_are_kept_and_told(door: Door, alias: str) -> None:
    short = door.sdk().chat.completions.create(**ask(alias), max_completion_tokens=2).choices[0]
    stopped = door.sdk().chat.completions.create(**ask(alias), stop=["you"]).choices[0]
    assert (short.message.content, short.finish_reason) == ("How are", "length")
    assert (stopped.message.content, stopped.finish_reason) == ("How are ", "stop")


@pytest.mark.parametrize("alias", able("vision"))
def test_a_picture_arrives(door: Door, alias: str) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    answer = door.sdk().chat.completions.create(**{**ask(alias), "messages": [{"role": "user", "content": parts}]})
    assert "image/png" in (answer.choices[0].message.content or "")


@pytest.mark.parametrize("alias", able("reasoning"))
@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_shown(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(thinking("Let me see.", "Four."))
    asked = {**ask(alias), "reasoning_effort": "low"}
    if stream:
        with door.sdk().chat.completions.create(**asked, stream=True) as chunks:
            said = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        told = "".join((delta.model_extra or {}).get("reasoning_content") or "" for delta in said)
        text = "".join(delta.content or "" for delta in said)
    else:
        message = door.sdk().chat.completions.create(**asked).choices[0].message
        told, text = (message.model_extra or {})["reasoning_content"], message.content or ""
    assert (told, text) == ("Let me see.", "Four.")


@every
@pytest.mark.parametrize("stream", [False, True])
def test_too_many_requests_is_told_with_the_wait(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).always(Error(429, retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        door.sdk().chat.completions.create(**ask(alias), stream=stream)
    assert caught.value.response.headers["retry-after"] == "7"


@every
def test_a_hosts_own_failure_is_one_clear_error(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Error(500), garbage())
    for _ in range(2):
        with pytest.raises(openai.InternalServerError) as caught:
            door.sdk().chat.completions.create(**ask(alias))
        assert caught.value.type == "server_error"


@pytest.mark.parametrize("alias", STREAMING)
@pytest.mark.parametrize("manner", [Manner(cut=3), Manner(reset=3), Manner(broken=3)])
def test_a_stream_that_breaks_ends_in_an_error(door: Door, behind: Behind, alias: str, manner: Manner) -> None:
    behind(alias).answers(Reply("One two three four five six seven eight.", manner=manner))
    said: list[str] = []
    with pytest.raises(openai.APIError), door.sdk().chat.completions.create(**ask(alias), stream=True) as stream:
        said.extend(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert not said or "eight" not in "".join(said)


@every
def test_a_host_that_hangs_costs_no_more_than_the_route_allows(
    door: Door, behind: Behind, alias: str, fakes: Any
) -> None:
    behind(alias).answers(Text("late", manner=Manner(hang=-1)))
    door.route(f"{alias}-quick", HOSTS[alias].at(fakes), timeouts=Limits(total=1.0))
    with pytest.raises(openai.InternalServerError) as caught:
        door.sdk().chat.completions.create(**ask(f"{alias}-quick"))
    assert (caught.value.status_code, caught.value.code) == (504, "timeout")
    assert all(asked.left.wait(60) for asked in behind(alias).requests)


@pytest.mark.parametrize("alias", STREAMING)
def test_a_caller_who_leaves_ends_the_hosts_call(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("word " * 3000, manner=Manner(between=0.02)))
    with door.sdk().chat.completions.create(**ask(alias), stream=True) as stream:
        next(iter(stream))
    assert behind(alias).requests[-1].left.wait(60)


def test_another_target_answers_for_one_that_fails(door: Door, behind: Behind, fakes: Any) -> None:
    behind("anthropic").always(Error(529))
    behind("gemini").answers(Text("Here."))
    door.route("both", HOSTS["anthropic"].at(fakes), fallbacks=("gemini",))
    raw = door.sdk().chat.completions.with_raw_response.create(**ask("both"))
    assert raw.parse().choices[0].message.content == "Here."
    assert (raw.headers["x-tuneway-attempts"], raw.headers["x-tuneway-target"][:7]) == ("2", "vertex/")
