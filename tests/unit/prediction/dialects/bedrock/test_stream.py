import json
from typing import Any

import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.bedrock.response import EXCEPTIONS
from tuneway.prediction.dialects.bedrock.stream import StreamDecoder
from tuneway.prediction.hub.answer import Chunk
from tuneway.prediction.hub.answer_form import ANSWER_TOOL

START = {"messageStart": {"role": "assistant"}}
STOP = {"messageStop": {"stopReason": "end_turn"}}


def delta(index: int, **told: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": told}}


def chunks(*events: dict[str, Any]) -> list[Chunk]:
    decoder = StreamDecoder(exchange())
    return [chunk for event in events for chunk in decoder.decode(json.dumps(event).encode())] + decoder.flush()


def said(*events: dict[str, Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks(*events))


@pytest.mark.parametrize(("name", "status"), EXCEPTIONS.items())
def test_an_exception_ends_the_stream_with_its_status(name: str, status: int) -> None:
    decoder = StreamDecoder(exchange())
    with pytest.raises(UpstreamError) as caught:
        decoder.decode(json.dumps({name: {"message": "no"}}).encode())
    assert caught.value.status == (502 if status == 403 else status)


@pytest.mark.parametrize("event", [{"strangeException": {"message": "no"}}, {"error": {"code": "x", "message": "no"}}])
def test_an_exception_nobody_knows_is_a_bad_gateway(event: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError) as caught:
        chunks(event)
    assert caught.value.status == 502


@pytest.mark.parametrize("event", [b"", b"[]", b"x", b"\xff", b'{"metadata": 1}'])
def test_what_is_no_event_is_an_error(event: bytes) -> None:
    with pytest.raises(UpstreamError):
        StreamDecoder(exchange()).decode(event)


def test_an_event_nobody_knows_is_passed_over() -> None:
    assert (
        said(START, {"weather": {"sky": "blue"}}, delta(0, text="Hi"), delta(0, citation={"title": "t"}), STOP) == "Hi"
    )


def test_a_stream_without_a_stop_reason_broke_off() -> None:
    with pytest.raises(UpstreamError, match="broke off"):
        chunks(START, delta(0, text="Hi"))


def test_a_botched_answer_is_a_bad_gateway() -> None:
    with pytest.raises(UpstreamError) as caught:
        chunks(START, {"messageStop": {"stopReason": "malformed_tool_use"}})
    assert caught.value.status == 502


def test_a_tool_of_awss_own_says_nothing() -> None:
    start = {
        "start": {"toolUse": {"toolUseId": "t", "name": "search", "type": "server_tool_use"}},
        "contentBlockIndex": 0,
    }
    pieces = (
        {"contentBlockStart": start},
        delta(0, toolUse={"input": "{}"}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
    )
    ends = chunks(START, *pieces, delta(1, text="Hi"), STOP)
    assert [chunk.choices[0].delta.tool_calls for chunk in ends].count(ends[-1].choices[0].delta.tool_calls) == len(
        ends
    )
    assert ends[-1].choices[0].finish_reason == "stop"


def test_an_unsigned_thought_is_told_but_not_kept() -> None:
    stop = {"contentBlockStop": {"contentBlockIndex": 0}}
    assert len(chunks(START, delta(0, reasoningContent={"text": "Hm."}), stop, delta(1, text="Hi"), stop, STOP)) == 3


def test_tokens_are_known_before_the_end() -> None:
    decoder = StreamDecoder(exchange())
    decoder.decode(json.dumps({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4}}}).encode())
    assert decoder.usage.total_tokens == 7


@pytest.mark.parametrize(("pieces", "text"), [((), "{}"), (('{"a"', ": 1}"), '{"a": 1}')])
def test_the_tool_that_takes_the_answer_is_the_answer(pieces: tuple[str, ...], text: str) -> None:
    opened: dict[str, Any] = {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": ANSWER_TOOL}}}
    told = [delta(0, toolUse={"input": piece}) for piece in pieces]
    ended: list[dict[str, Any]] = [
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "tool_use"}},
    ]
    events: tuple[dict[str, Any], ...] = (START, {"contentBlockStart": opened}, *told, *ended)
    assert said(*events) == text
    assert chunks(*events)[-1].choices[0].finish_reason == "stop"
