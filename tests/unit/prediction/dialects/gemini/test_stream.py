import json
from typing import Any

import pytest
from msgspec import UNSET

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


def test_of_several_signatures_the_last_is_told_once_and_before_the_end() -> None:
    signed = [event({"text": text, "thoughtSignature": sign}) for text, sign in (("a", "c2ln"), ("", "c2lnMg=="))]
    told = [chunk.choices[0].delta.extra_content for chunk in chunks(*signed, event(finishReason="STOP"))]
    assert told == [UNSET, ExtraContent(google=GoogleExtra(thought_signature="c2lnMg==")), UNSET]


def test_thoughts_after_the_first_delta_are_told() -> None:
    told = chunks(event({"text": "a"}), event({"text": "hm", "thought": True}, finishReason="STOP"))
    assert told[1].choices[0].delta.reasoning_content == "hm"


def test_an_answer_that_is_blocked_when_it_has_begun_ends_there() -> None:
    told = chunks(event({"text": "a"}), b'{"promptFeedback": {"blockReason": "SAFETY"}}')
    assert [chunk.choices[0].delta.role for chunk in told] == ["assistant", UNSET]
    assert told[-1].choices[0].finish_reason == "content_filter"
