import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.instances.stream import StreamDecoder
from tuneway.prediction.hub.answer import Chunk

WORD = b'{"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": null}]}'
ODD = b'{"choices": [{"index": "?", "delta": null, "finish_reason": "stop"}]}'


def chunks(*events: bytes) -> list[Chunk]:
    decoder = StreamDecoder(exchange())
    return [chunk for event in events for chunk in decoder.decode(event)] + decoder.flush()


def test_done_ends_what_has_no_finish() -> None:
    assert chunks(WORD, b"[DONE]")[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("events", [(), (WORD,), (b"[DONE]",), (b'{"choices": [], "usage": {}}',)])
def test_a_stream_that_ends_early_is_broken(events: tuple[bytes, ...]) -> None:
    with pytest.raises(UpstreamError):
        chunks(*events)


@pytest.mark.parametrize("event", [b"<html>", b'{"error": {"message": "x"}}', b'{"scores": [1]}', b"5"])
def test_an_event_that_is_no_answer_is_an_error(event: bytes) -> None:
    with pytest.raises(UpstreamError):
        chunks(event)


def test_a_finish_alone_is_an_answer() -> None:
    assert [chunk.choices[0].delta.content for chunk in chunks(WORD, ODD)][:1] == ["x"]


def test_a_whole_answer_in_one_event_is_told() -> None:
    told = chunks(b'{"choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason": "length"}]}')
    assert [chunk.choices[0].finish_reason for chunk in told] == [None, "length"]


def test_what_is_no_number_is_no_choices() -> None:
    told = chunks(b'{"choices": [{"index": true, "delta": {"content": "x"}, "finish_reason": "stop"}]}')
    assert [chunk.choices[0].index for chunk in told] == [0, 0]
