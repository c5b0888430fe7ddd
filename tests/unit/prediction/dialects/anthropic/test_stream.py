import json
from typing import Any

import pytest
from msgspec import UNSET

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.anthropic.stream import StreamDecoder
from tuneway.prediction.hub.answer import Chunk, Delta
from tuneway.prediction.hub.answer_form import ANSWER_TOOL

START = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}
END: list[dict[str, Any]] = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}


def block(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": fields}


def piece(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def told(*events: dict[str, Any]) -> tuple[list[Chunk], StreamDecoder]:
    decoder = StreamDecoder(exchange())
    chunks = [chunk for event in events for chunk in decoder.decode(json.dumps(event).encode())]
    return chunks + decoder.flush(), decoder


def deltas(*events: dict[str, Any]) -> list[Delta]:
    return [chunk.choices[0].delta for chunk in told(START, *events, *END)[0][1:-1]]


def test_a_stream_without_an_end_is_broken() -> None:
    with pytest.raises(UpstreamError, match="broke off"):
        told(START, TEXT, piece(0, type="text_delta", text="a"))
    with pytest.raises(UpstreamError, match="broke off"):
        told(START, {"type": "message_stop"})


def test_a_stream_without_anything_is_broken() -> None:
    with pytest.raises(UpstreamError, match="without an answer"):
        told({"type": "ping"})


def test_what_is_no_event_is_a_bad_gateway() -> None:
    for event in (b"", b"{}", b"[1]", b'{"type": 5}'):
        with pytest.raises(UpstreamError) as caught:
            StreamDecoder(exchange()).decode(event)
        assert caught.value.status == 502


def test_a_later_count_goes_over_an_earlier_one() -> None:
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}
    _, decoder = told(START, stop, END[1])
    assert (decoder.usage.prompt_tokens, decoder.usage.completion_tokens) == (3, 9)


def test_tokens_are_counted_while_it_goes_on() -> None:
    decoder = StreamDecoder(exchange())
    decoder.decode(json.dumps(START).encode())
    assert decoder.usage.total_tokens == 4


def test_a_block_may_open_with_words() -> None:
    assert [delta.content for delta in deltas(block(0, type="text", text="Hi"))] == ["Hi"]


def test_news_of_no_open_block_say_nothing() -> None:
    assert deltas(piece(7, type="text_delta", text="a"), {"type": "content_block_stop", "index": 7}) == []


def test_events_and_blocks_of_tomorrow_say_nothing() -> None:
    stop = {"type": "content_block_stop", "index": 0}
    tomorrow = [block(0, type="hologram"), piece(0, type="hologram_delta", light=1), stop, {"type": "applause"}]
    assert deltas(*tomorrow, {"type": "message_delta"}) == []


def test_a_servers_own_tool_is_not_told() -> None:
    tool = block(0, type="server_tool_use", id="s", name="web_search", input={})
    assert deltas(tool, piece(0, type="input_json_delta", partial_json="{}")) == []


@pytest.mark.parametrize(
    ("given", "pieces", "text"),
    [({}, (), "{}"), ({"a": 1}, (), '{"a": 1}'), ({}, ('{"a"', ": 1}"), '{"a": 1}')],
)
def test_the_tool_that_takes_the_answer_is_the_answer(given: Any, pieces: tuple[str, ...], text: str) -> None:
    opened = block(0, type="tool_use", id="t", name=ANSWER_TOOL, input=given)
    news = [piece(0, type="input_json_delta", partial_json=one) for one in ("", *pieces)]
    said = deltas(opened, *news, {"type": "content_block_stop", "index": 0})
    assert "".join(str(delta.content) for delta in said) == text
    assert all(delta.tool_calls is UNSET for delta in said)


def test_a_block_may_open_with_a_thought() -> None:
    opened = block(0, type="thinking", thinking="Hm", signature="")
    more = piece(0, type="thinking_delta", thinking="m."), piece(0, type="signature_delta", signature="s")
    *said, whole = deltas(opened, *more, {"type": "content_block_stop", "index": 0})
    assert [delta.reasoning_content for delta in said] == ["Hm", "m."]
    assert whole.extra_content is not UNSET
    assert whole.extra_content.anthropic is not None
    assert [(one.thinking, one.index) for one in whole.extra_content.anthropic.thinking_blocks or ()] == [("Hmm.", 0)]


def test_a_thought_without_a_signature_is_told_but_need_not_come_back() -> None:
    stop = {"type": "content_block_stop", "index": 0}
    said = deltas(block(0, type="thinking", thinking=""), piece(0, type="thinking_delta", thinking="Hm."), stop)
    assert [(delta.reasoning_content, delta.extra_content) for delta in said] == [("Hm.", UNSET)]
