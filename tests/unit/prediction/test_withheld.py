"""Filters that speak themselves before they end an answer: who else is asked, and who is not."""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from tests.unit.prediction.scripted import route
from tuneway.prediction.events import Events, LiveEvents, opened
from tuneway.prediction.journey import Journey
from tuneway.prediction.withheld import Withheld, guarded
from tuneway.routing.routes import Target

BEDROCK = Target(provider="bedrock", dialect="bedrock", model="amazon.nova-lite-v1:0", region="eu-west-1")
GEMINI = Target(resource="projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash")
SORRY = "Sorry, the model cannot answer this question."


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}, separators=(",", ":")).encode()


def said(*fields: dict[str, Any]) -> list[bytes]:
    return [b"data: %b\n\n" % json.dumps(one, separators=(",", ":")).encode() for one in fields]


DONE = b"data: [DONE]\n\n"
FIRST = chunk({"role": "assistant", "content": SORRY})
FILTERED = chunk({}, "content_filter")
OPENAIS = [FIRST, FILTERED + DONE]
ANTHROPICS = said(
    {"type": "message_start", "message": {"content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SORRY}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "refusal"}},
    {"type": "message_stop"},
)


class Told:
    """A question whose answer is known, piece by piece."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces
        self.closed = False

    async def whole(self, target: Target) -> bytes:
        raise NotImplementedError(target)

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        assert target.model or target.resource
        return await opened(LiveEvents(lambda _: self._events()))

    async def _events(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self.pieces:
                yield piece
        finally:
            self.closed = True


async def heard(pieces: Sequence[bytes], target: Target, **others: Any) -> bytes:
    """All that the caller gets."""
    journey = Journey(route("shop", **(others or {"content_fallbacks": ("mild",)})), stream=True)
    first, rest = await guarded(Told(pieces), journey).opened(target)
    return first + b"".join([piece async for piece in rest])


@pytest.mark.parametrize("pieces", [OPENAIS, [b"".join(OPENAIS)], ANTHROPICS, [b"".join(ANTHROPICS)]])
async def test_a_guardrails_own_words_are_no_answer(pieces: list[bytes]) -> None:
    with pytest.raises(Withheld) as caught:
        await heard(pieces, BEDROCK)
    assert (caught.value.code, caught.value.body) == ("content_filter", b"".join(pieces))


@pytest.mark.parametrize("pieces", [OPENAIS, ANTHROPICS])
async def test_without_other_models_they_are_told(pieces: list[bytes]) -> None:
    assert await heard(pieces, BEDROCK, retries=0) == b"".join(pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        [FIRST, chunk({"content": "But"}), FILTERED + DONE],
        [FIRST, chunk({}, "stop") + DONE],
        [FIRST, chunk({}, "length") + DONE],
    ],
)
async def test_a_model_that_goes_on_or_ends_by_itself_has_answered(pieces: list[bytes]) -> None:
    assert await heard(pieces, BEDROCK) == b"".join(pieces)


async def test_a_full_window_after_one_word_is_an_answer() -> None:
    choice = {
        "index": 0,
        "delta": {},
        "finish_reason": "length",
        "native_finish_reason": "model_context_window_exceeded",
    }
    pieces = [FIRST, *said({"choices": [choice]}), DONE]
    assert await heard(pieces, BEDROCK, context_fallbacks=("long",)) == b"".join(pieces)
    with pytest.raises(Withheld, match="no room"):
        await heard(pieces[1:], BEDROCK, context_fallbacks=("long",))


async def test_other_hosts_first_word_is_the_answer() -> None:
    assert await heard(OPENAIS, GEMINI) == b"".join(OPENAIS)


async def test_an_error_after_the_first_word_is_the_callers_to_see() -> None:
    pieces = [FIRST, *said({"error": {"message": "It broke."}})]
    assert await heard(pieces, BEDROCK) == b"".join(pieces)
