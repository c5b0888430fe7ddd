"""Messages: the anthropic SDK, unmodified, against every host, Claude's and others'."""

import json
from typing import Any

import anthropic
import pytest
from anthropic.types import Message

from tests.integration.surfaces.asking import CITY, PIXEL_DATA, SCHEMA
from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import KEY, Door
from tests.integration.surfaces.hosts import HOSTS, able
from tests.vendors.script import Call, Error, Manner, Reply, Text, garbage, thinking, tools
from tuneway.access.keys import Grant, Scope
from tuneway.routing.routes import Limits

every = pytest.mark.parametrize("alias", list(HOSTS))
CLAUDES = ["anthropic", "foundry", "bedrock-claude", "claude-vertex"]
STREAMING = [alias for alias in HOSTS if alias != "container"]
CALLS = (Call("weather", {"city": "Rome"}), Call("weather", {"city": "Oslo"}))
TOOL: Any = {"name": "weather", "description": "The weather.", "input_schema": CITY}
QUESTION: list[Any] = [{"role": "user", "content": "How are you?"}]


def ask(model: str, **more: Any) -> dict[str, Any]:
    """The arguments of a message."""
    return {"model": model, "max_tokens": 1000, "system": "Be brief.", "messages": QUESTION, **more}


def said(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@every
def test_a_message_is_answered(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("Fine, thanks."))
    raw = door.claude().messages.with_raw_response.create(**ask(alias))
    message = raw.parse()
    assert (said(message), message.stop_reason, message.model) == ("Fine, thanks.", "end_turn", alias)
    assert (message.type, message.role, message.id[:4]) == ("message", "assistant", "msg_")
    assert min(message.usage.input_tokens, message.usage.output_tokens) > 0
    assert raw.headers["request-id"] == raw.headers["x-request-id"]
    line = door.line(raw.headers["request-id"])
    assert (line["gen_ai.operation.name"], line["gen_ai.usage.output_tokens"]) == ("chat", message.usage.output_tokens)


@every
def test_a_stream_has_anthropics_own_events(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("One two three."))
    with door.claude().messages.stream(**ask(alias)) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_message()
        request_id = stream.response.headers["request-id"]
    assert said(message) == "One two three."
    assert (message.stop_reason, message.model, kinds[0], kinds[-1]) == (
        "end_turn",
        alias,
        "message_start",
        "message_stop",
    )
    assert min(message.usage.input_tokens, message.usage.output_tokens) > 0
    assert "error.type" not in door.line(request_id)


@pytest.mark.parametrize("alias", ["openai", "anthropic", "bedrock", "bedrock-claude", "gemini", "mistral"])
async def test_the_asynchronous_sdk_does_too(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).always(Text("Fine, thanks."))
    async with door.async_claude() as client:
        whole = await client.messages.create(**ask(alias))
        async with client.messages.stream(**ask(alias)) as stream:
            text = "".join([piece async for piece in stream.text_stream])
    assert said(whole) == text == "Fine, thanks."


@pytest.mark.parametrize("alias", able("tools"))
@pytest.mark.parametrize("stream", [False, True])
def test_parallel_tools_are_used_and_their_results_answered(
    door: Door, behind: Behind, alias: str, *, stream: bool
) -> None:
    behind(alias).answers(tools(*CALLS), tools(Call("weather", {"city": "Bern"})), Text("Warm."))
    messages, rounds = list(QUESTION), []
    for _ in range(2):
        message = _message(door, alias, messages, stream=stream)
        assert message.stop_reason == "tool_use"
        used = [block for block in message.content if block.type == "tool_use"]
        rounds.append([block.input for block in used])
        results = [{"type": "tool_result", "tool_use_id": block.id, "content": "20 degrees"} for block in used]
        messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    assert rounds == [[{"city": "Rome"}, {"city": "Oslo"}], [{"city": "Bern"}]]
    assert said(_message(door, alias, messages, stream=stream)) == "Warm."


def _message(door: Door, alias: str, messages: list[Any], *, stream: bool) -> Message:
    asked = ask(alias, messages=messages, tools=[TOOL])
    if not stream:
        answer: Message = door.claude().messages.create(**asked)
        return answer
    with door.claude().messages.stream(**asked) as events:
        return events.get_final_message()


@anthropic.beta_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"20 degrees in {city}"


@pytest.mark.parametrize("alias", able("tools"))
@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_runs_tools_by_itself(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(tools(*CALLS), Text("Warm."))
    last = door.claude().beta.messages.tool_runner(**ask(alias), tools=[weather], stream=stream).until_done()
    assert [block.text for block in last.content if block.type == "text"] == ["Warm."]
    assert "20 degrees in Rome" in behind(alias).requests[-1].raw.decode()


@pytest.mark.parametrize("alias", able("schema"))
def test_an_answer_keeps_to_a_schema(door: Door, alias: str) -> None:
    form: Any = {"format": {"type": "json_schema", "schema": SCHEMA}}
    message = door.claude().messages.create(**ask(alias, output_config=form))
    assert json.loads(said(message)) == {"city": "city", "degrees": 1.5}


@pytest.mark.parametrize("alias", able("vision"))
def test_a_picture_arrives(door: Door, alias: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL_DATA}
    blocks: Any = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    message = door.claude().messages.create(**ask(alias, messages=[{"role": "user", "content": blocks}]))
    assert "image/png" in said(message)


@pytest.mark.parametrize("alias", able("reasoning"))
@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_are_shown_and_may_come_back(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).answers(thinking("Let me see.", "Four."), Text("Yes."))
    asked = ask(alias, max_tokens=4000, thinking={"type": "enabled", "budget_tokens": 2000})
    if stream:
        with door.claude().messages.stream(**asked) as events:
            message = events.get_final_message()
    else:
        message = door.claude().messages.create(**asked)
    assert [block.thinking for block in message.content if block.type == "thinking"] == ["Let me see."]
    assert said(message) == "Four."
    asked["messages"] = [
        *QUESTION,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "Sure?"},
    ]
    assert said(door.claude().messages.create(**asked)) == "Yes."


@every
@pytest.mark.parametrize("stream", [False, True])
def test_too_many_requests_is_told_with_the_wait(door: Door, behind: Behind, alias: str, *, stream: bool) -> None:
    behind(alias).always(Error(429, retry_after=7))
    with pytest.raises(anthropic.RateLimitError) as caught:
        door.claude().messages.create(**ask(alias), stream=stream)
    assert caught.value.response.headers["retry-after"] == "7"
    assert kind(caught.value) == "rate_limit_error"


def kind(fault: anthropic.APIStatusError) -> str:
    """The error's type, out of a body that has Anthropic's shape."""
    body: Any = fault.body
    assert (body["type"], set(body["error"]), body["request_id"]) == ("error", {"type", "message"}, fault.request_id)
    return str(body["error"]["type"])


@every
def test_a_hosts_own_failure_is_one_clear_error(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Error(500), garbage())
    for _ in range(2):
        with pytest.raises(anthropic.InternalServerError) as caught:
            door.claude().messages.create(**ask(alias))
        assert kind(caught.value) == "api_error"


@pytest.mark.parametrize("alias", STREAMING)
@pytest.mark.parametrize("manner", [Manner(cut=4), Manner(reset=4), Manner(broken=4)])
def test_a_stream_that_breaks_ends_in_an_error_event(door: Door, behind: Behind, alias: str, manner: Manner) -> None:
    behind(alias).answers(Reply("One two three four five six seven eight.", manner=manner))
    with pytest.raises(anthropic.APIStatusError), door.claude().messages.stream(**ask(alias)) as stream:
        stream.until_done()


def test_a_host_that_hangs_costs_no_more_than_the_route_allows(door: Door, behind: Behind, fakes: Any) -> None:
    behind("gemini").answers(Text("late", manner=Manner(hang=-1)))
    door.route("quick", HOSTS["gemini"].at(fakes), timeouts=Limits(total=1.0))
    with pytest.raises(anthropic.APIStatusError) as caught:
        door.claude().messages.create(**ask("quick"))
    assert (caught.value.status_code, kind(caught.value)) == (504, "timeout_error")


@pytest.mark.parametrize("alias", STREAMING)
def test_a_caller_who_leaves_ends_the_hosts_call(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).answers(Text("word " * 3000, manner=Manner(between=0.02)))
    with door.claude().messages.create(**ask(alias), stream=True) as stream:
        next(iter(stream))
    assert behind(alias).requests[-1].left.wait(60)


@pytest.mark.parametrize("how", [{"api_key": KEY}, {"api_key": None, "auth_token": KEY}])
def test_the_key_may_stand_in_either_header(door: Door, how: dict[str, Any]) -> None:
    assert said(door.claude(**how).messages.create(**ask("anthropic"))) == "How are you?"
    headers = {"x-api-key": KEY, "authorization": "Bearer of something else"}
    assert said(door.claude(default_headers=headers).messages.create(**ask("anthropic"))) == "How are you?"


@pytest.mark.parametrize(
    ("key", "asked", "status", "told"),
    [
        ("unknown", {}, 401, "authentication_error"),
        ("tuner", {}, 403, "permission_error"),
        (KEY, {"model": "nosuch"}, 404, "not_found_error"),
        (KEY, {"max_tokens": -1}, 400, "invalid_request_error"),
        (KEY, {"messages": [{"role": "user", "content": [{"type": "nosuch"}]}]}, 400, "invalid_request_error"),
        (KEY, {"system": "x" * 1_000_001}, 413, "request_too_large"),
    ],
)
def test_what_is_refused_here_has_anthropics_shape(
    door: Door, key: str, asked: dict[str, Any], *, status: int, told: str
) -> None:
    door.change(keys={"tuner": Grant(owner="acme", scopes=(Scope.TUNE,), created_at=1.0)})
    with pytest.raises(anthropic.APIStatusError) as caught:
        door.claude(api_key=key).messages.create(**{**ask("gemini"), **asked})
    assert (caught.value.status_code, kind(caught.value)) == (status, told)


def test_a_path_below_that_is_not_there_has_anthropics_shape(door: Door) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        door.claude().messages.batches.list()
    assert kind(caught.value) == "not_found_error"


@pytest.mark.parametrize("alias", CLAUDES)
def test_betas_and_versions_reach_claude(door: Door, behind: Behind, alias: str) -> None:
    headers = {"anthropic-beta": "context-1m-2025-08-07", "anthropic-version": "2023-06-01"}
    sampling = {"temperature": 0.5}  # which today's SDK no longer names, and the older version still takes
    door.claude().messages.create(**ask(alias), extra_headers=headers, extra_body=sampling)
    [asked] = behind(alias).requests
    told = [asked.headers.get("anthropic-beta"), *asked.body.get("anthropic_beta", [])]
    assert [beta for beta in told if beta] == ["context-1m-2025-08-07"]
    versions = {asked.headers.get("anthropic-version"), asked.body.get("anthropic_version")} - {None}
    assert versions in ({"2023-06-01"}, {"vertex-2023-10-16"}, {"bedrock-2023-05-31"})


@pytest.mark.parametrize("alias", ["anthropic", "gemini"])
def test_the_sdks_betas_are_served_too(door: Door, behind: Behind, alias: str) -> None:
    message = door.claude().beta.messages.create(**ask(alias), betas=["context-1m-2025-08-07"])
    assert [block.text for block in message.content if block.type == "text"] == ["How are you?"]
    [asked] = behind(alias).requests
    assert ("anthropic-beta" in asked.headers) is (alias in CLAUDES)


@pytest.mark.parametrize("alias", CLAUDES)
def test_what_nobody_here_knows_passes_on_to_claude(door: Door, behind: Behind, alias: str) -> None:
    hint = {"type": "ephemeral", "ttl": "1h"}
    blocks: Any = [{"type": "text", "text": "How are you?", "cache_control": hint}]
    door.claude().messages.create(**ask(alias, messages=[{"role": "user", "content": blocks}]))
    assert behind(alias).requests[0].body["messages"][0]["content"][0]["cache_control"] == hint
