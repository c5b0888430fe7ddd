"""Gemini → hub: ``streamGenerateContent`` events as chunks.

Each event is a whole answer that holds only what is new; usage is cumulative, so the last one counts. A finish reason
is kept until the body ends, because hosts have been seen to repeat it: what was said never waits for it. Neither does
the signature of a text go out before: of several the last one is to come back, and clients would join them.
"""

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.dialects.gemini.response import (
    Candidate,
    Said,
    UsageMetadata,
    blocked,
    finish_reason,
    logprobs_of,
    parse,
    said,
    usage_of,
)
from tuneway.prediction.hub.answer import AnswerImage, Chunk, ChunkChoice, Delta, Exchange, FinishReason, Usage
from tuneway.prediction.hub.chunks import ChunkPress, call_deltas
from tuneway.prediction.hub.messages import ExtraContent
from tuneway.prediction.upstream_errors import broken


class _Turn:
    """What is known of one choice so far."""

    __slots__ = ("calls", "drawn", "extra", "finish", "opened")

    def __init__(self) -> None:
        self.opened = False
        self.calls = 0
        self.drawn = 0
        self.extra: ExtraContent | UnsetType = UNSET
        self.finish: FinishReason | None = None


class StreamDecoder:
    """Events in, chunks out; ``usage`` is what was counted so far."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._press = ChunkPress(exchange)
        self._turns: dict[int, _Turn] = {}
        self._counts = UsageMetadata()

    @property
    def usage(self) -> Usage:
        """The tokens counted so far."""
        return usage_of(self._counts)

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError when it is an error or no answer."""
        response = parse(event)
        if response.usage_metadata is not None:
            self._counts = response.usage_metadata
        if not response.candidates and blocked(response):
            return self._blocked()
        return [chunk for candidate in response.candidates if (chunk := self._chunk(candidate)) is not None]

    def flush(self) -> list[Chunk]:
        """The finish of every choice and the usage. Raises UpstreamError when the body ended before a finish."""
        ends: list[Chunk] = []
        for index, turn in self._turns.items():
            if turn.finish is None:
                raise broken("The model's host broke off in the middle of the answer. Try again.")
            if turn.extra is not UNSET:
                ends.append(self._press.chunk(ChunkChoice(index=index, delta=Delta(extra_content=turn.extra))))
            ends.append(self._press.finish(index, turn.finish))
        if not ends:
            raise broken("The model's host closed the stream without an answer. Try again.")
        return ends + self._press.closing(self.usage)

    def _blocked(self) -> list[Chunk]:
        """The prompt may be found bad when the answer has begun; then there is only the end to tell."""
        turn = self._turns.setdefault(0, _Turn())
        opened, turn.opened, turn.finish = turn.opened, True, "content_filter"
        if opened:
            return []
        return [self._press.chunk(ChunkChoice(index=0, delta=Delta(role="assistant", content="")))]

    def _chunk(self, candidate: Candidate) -> Chunk | None:
        """What is new of a candidate, or None when only its end is."""
        turn = self._turns.get(candidate.index)
        if turn is None:
            turn = self._turns[candidate.index] = _Turn()
        heard = said(candidate, self._exchange, choice=candidate.index, calls_before=turn.calls)
        delta = _delta(heard, turn)
        turn.calls += len(heard.calls)
        turn.drawn += len(heard.images or ())
        turn.extra = turn.extra if heard.extra is UNSET else heard.extra
        if candidate.finish_reason is not None:
            turn.finish = finish_reason(candidate, called=turn.calls > 0)
        if delta is None:
            return None
        logprobs = logprobs_of(candidate.logprobs_result)
        return self._press.chunk(ChunkChoice(index=candidate.index, delta=delta, logprobs=logprobs))


def _numbered(images: list[AnswerImage] | UnsetType, start: int) -> list[AnswerImage] | UnsetType:
    """Pictures, numbered on from those before."""
    if images is UNSET:
        return UNSET
    return [msgspec.structs.replace(image, index=start + image.index) for image in images]


def _delta(heard: Said, turn: _Turn) -> Delta | None:
    """The first delta of a choice bears the role, whatever it says; later ones only what is new."""
    calls = call_deltas(heard.calls, start=turn.calls) if heard.calls else UNSET
    if not turn.opened:
        turn.opened = True
        return Delta(
            role="assistant",
            content="" if heard.text is None and not heard.calls else heard.text,
            reasoning_content=heard.thoughts,
            tool_calls=calls,
            images=_numbered(heard.images, turn.drawn),
        )
    if not heard.text and all(news is UNSET for news in (heard.thoughts, calls, heard.images)):
        return None
    return Delta(
        content=heard.text or UNSET,
        reasoning_content=heard.thoughts,
        tool_calls=calls,
        images=_numbered(heard.images, turn.drawn),
    )
