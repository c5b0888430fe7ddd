import json
from typing import Any

import pytest
from msgspec import UNSET

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.openai.stream import StreamDecoder
from tuneway.prediction.hub.answer import Chunk


def event(finish: str | None = None, **delta: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode()


def chunks(*events: bytes) -> list[Chunk]:
    decoder = StreamDecoder(exchange())
    return [chunk for one in events for chunk in decoder.decode(one)] + decoder.flush()


def test_tool_calls_stay_the_pieces_they_came_in() -> None:
    first = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    pieces = chunks(
        event(tool_calls=[first]),
        event(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
        event("tool_calls"),
    )
    assert [bool(piece.choices[0].delta.tool_calls) for piece in pieces] == [True, True, False]


def test_the_end_gives_what_has_no_finish_one() -> None:
    assert chunks(event(content="x"), b"[DONE]")[-1].choices[0].finish_reason == "stop"


def test_a_finish_is_an_end() -> None:
    assert len(chunks(event(content="x"), event("length"))) == 2


@pytest.mark.parametrize("events", [(), (event(content="x"),), (b"[DONE]",)])
def test_a_stream_that_ends_early_is_broken(events: tuple[bytes, ...]) -> None:
    with pytest.raises(UpstreamError):
        chunks(*events)


@pytest.mark.parametrize("body", [b"<html>", b'{"error": {"message": "x"}}', event(tool_calls=[{"custom": {}}])])
def test_an_event_that_is_no_chunk_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        chunks(body)


def test_a_refusal_stays_one() -> None:
    delta = chunks(event("stop", refusal="No."))[0].choices[0].delta
    assert (delta.refusal, delta.content) == ("No.", UNSET)


def test_a_full_window_keeps_its_name() -> None:
    [told] = chunks(event("model_length", content="Hm"))[0].choices
    assert (told.finish_reason, told.native_finish_reason) == ("length", "model_context_window_exceeded")


def test_tokens_nobody_counted_are_estimated() -> None:
    decoder = StreamDecoder(exchange())
    decoder.decode(event("stop", content="12345"))
    assert (decoder.usage.completion_tokens, decoder.usage.estimated) == (2, True)
