import json
from typing import Any

import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.gemini.stream import StreamDecoder
from tuneway.prediction.hub.answer import Chunk
from tuneway.prediction.hub.messages import ExtraContent, GoogleExtra


def event(*parts: dict[str, Any], **candidate: Any) -> bytes:
    return json.dumps({"candidates": [{"content": {"role": "model", "parts": parts}, **candidate}]}).encode()


def chunks(*events: bytes) -> list[Chunk]:
    decoder = StreamDecoder(exchange())
    return [chunk for one in events for chunk in decoder.decode(one)] + decoder.flush()


def test_a_stream_without_a_finish_is_broken() -> None:
    with pytest.raises(UpstreamError, match="broke off"):
        chunks(event({"text": "x"}))


def test_a_stream_without_anything_is_broken() -> None:
    with pytest.raises(UpstreamError, match="without an answer"):
        chunks(b'{"usageMetadata": {"promptTokenCount": 1}}')


def test_a_repeated_finish_ends_once_and_last() -> None:
    told = chunks(event({"text": "a"}, finishReason="STOP"), event({"text": "b"}, finishReason="STOP"))
    assert [chunk.choices[0].finish_reason for chunk in told] == [None, None, "stop"]


def test_nothing_new_is_no_chunk() -> None:
    told = chunks(event({"text": "a"}), event({"text": ""}), event(finishReason="STOP"))
    assert len(told) == 2


def test_a_signature_is_something_new() -> None:
    told = chunks(event({"text": "", "thoughtSignature": "c2ln"}), event(finishReason="STOP"))
    extra = told[0].choices[0].delta.extra_content
    assert extra == ExtraContent(google=GoogleExtra(thought_signature="c2ln"))


def test_thoughts_after_the_first_delta_are_told() -> None:
    told = chunks(event({"text": "a"}), event({"text": "hm", "thought": True}, finishReason="STOP"))
    assert told[1].choices[0].delta.reasoning_content == "hm"
