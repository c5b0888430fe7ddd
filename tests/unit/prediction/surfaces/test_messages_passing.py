import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from tests.splits import splits
from tuneway.errors import UpstreamError
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.surfaces.messages.passing import PassedEvents, betas, passed_answer, passed_request
from tuneway.routing.routes import Target

CLAUDE = Target(model="claude-opus-5", dialect="anthropic", provider="anthropic")
STREAM = (Path(__file__).parents[3] / "golden/anthropic/tool_loop/stream.sse").read_bytes()


def passed(*pieces: bytes) -> tuple[bytes, PassedEvents]:
    events, framing = PassedEvents(model="house-claude"), SseDecoder()
    out = b"".join(events.decode(event) for piece in pieces for event in framing.decode(piece))
    out += b"".join(events.decode(event) for event in framing.flush())
    return out + events.flush(), events


def data(wire: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in wire.splitlines() if line.startswith(b"data: ")]


def test_a_request_passes_but_for_the_models_name_and_what_the_route_drops() -> None:
    body = b'{"model": "house-claude", "new_field": {"a": 1.50}, "speed": "fast", "max_tokens": 0}'
    target = msgspec.structs.replace(CLAUDE, drop_params=("speed",))
    sent = msgspec.json.encode(passed_request(body, target))
    assert sent == b'{"model":"claude-opus-5","new_field":{"a": 1.50},"max_tokens":0}'


def test_an_answer_passes_under_the_name_the_caller_used() -> None:
    body = {"type": "message", "model": "claude-opus-5", "new": 1, "usage": {"input_tokens": 3, "output_tokens": 2}}
    answer, usage = passed_answer(json.dumps(body).encode(), model="house-claude")
    assert json.loads(answer) == {**body, "model": "house-claude"}
    assert (usage.prompt_tokens, usage.completion_tokens) == (3, 2)
    assert passed_answer(b'{"type": "message"}', model="m")[1].total_tokens == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>", 502),
        (b"{}", 502),
        (b'{"type": "error", "error": {"type": "overloaded_error", "message": "x"}}', 503),
    ],
)
def test_what_is_no_answer_does_not_pass(body: bytes, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        passed_answer(body, model="m")
    assert caught.value.status == status


def test_a_stream_passes_under_the_name_the_caller_used() -> None:
    out, events = passed(STREAM)
    before, after = data(STREAM), data(out)
    assert after[0]["message"].pop("model") == "house-claude"
    before[0]["message"].pop("model")
    assert after == before
    assert out.count(b"event: ") == len(after)
    assert (events.usage.prompt_tokens, events.usage.completion_tokens) == (101, 40)


@given(pieces=splits(STREAM))
@settings(max_examples=30, deadline=None)
def test_any_split_of_a_stream_passes_the_same(pieces: list[bytes]) -> None:
    assert passed(*pieces)[0] == passed(STREAM)[0]


@pytest.mark.parametrize("event", [b'{"type":\n"ping"}', b'{"type": "message_start",\n"message": {"content":\n[]}}'])
def test_an_event_of_several_lines_passes_as_one(event: bytes) -> None:
    told = PassedEvents(model="house-claude").decode(event)
    assert [line.partition(b":")[0] for line in told.splitlines()] == [b"event", b"data", b""]


def test_a_stream_that_is_cut_or_errs_does_not_pass_for_whole() -> None:
    with pytest.raises(UpstreamError, match="broke off"):
        passed(STREAM[: STREAM.index(b"event: message_stop")])
    with pytest.raises(UpstreamError) as caught:
        passed(b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}\n\n')
    assert caught.value.status == 503


@pytest.mark.parametrize(
    ("headers", "value"),
    [({}, None), ({"anthropic-beta": "a-2026, b-2026,,a-2026"}, "a-2026,b-2026"), ({"anthropic-beta": ""}, None)],
)
def test_betas_pass_each_once(headers: dict[str, str], value: str | None) -> None:
    assert betas(headers, CLAUDE) == value
