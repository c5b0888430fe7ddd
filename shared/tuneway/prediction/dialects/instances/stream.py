"""Instances → hub: what a container streams through ``streamRawPredict``, as chunks.

Two kinds of events: OpenAI's chunks (``choices[].delta``), which end with a finish reason or ``[DONE]``, and any shape
of ``predictions.py``, each holding the next piece of its answer, which have no mark for the end but the end itself.
"""

from msgspec import UNSET

from tuneway.prediction.dialects.instances.predictions import Answer, finish_of, is_list, is_number, is_object, usage_in
from tuneway.prediction.dialects.instances.request import prompt_of
from tuneway.prediction.dialects.instances.response import answers_of, estimated, parse
from tuneway.prediction.hub.answer import Chunk, ChunkChoice, Delta, Exchange, FinishReason, Usage
from tuneway.prediction.hub.chunks import ChunkPress
from tuneway.prediction.upstream_errors import broken

_DONE = b"[DONE]"


class StreamDecoder:
    """Events in, chunks out; ``usage`` is what was counted, or estimated of what was said so far."""

    def __init__(self, exchange: Exchange) -> None:
        self._prompt = prompt_of(exchange.request.messages)
        self._press = ChunkPress(exchange)
        self._finishes: dict[int, FinishReason | None] = {}
        self._counted: Usage | None = None
        self._written = 0
        self._ended = True

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        return self._counted or estimated(self._prompt, self._written)

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError when it is an error or of no known shape."""
        if event == _DONE:
            self._ended = True
            return []
        decoded = parse(event)
        self._counted = usage_in(decoded) or self._counted
        if (deltas := _deltas(decoded)) is None:
            return [self._chunk(index, answer) for index, answer in enumerate(answers_of(decoded, self._prompt))]
        self._ended = False
        return [self._chunk(index, answer) for index, answer in deltas if answer.text or answer.finish]

    def flush(self) -> list[Chunk]:
        """The finish of every choice and the usage. Raises UpstreamError when the body ended too early."""
        if not self._finishes:
            raise broken("The model's host closed the stream without an answer. Try again.")
        if not self._ended and None in self._finishes.values():
            raise broken("The model's host broke off in the middle of the answer. Try again.")
        ends = [self._press.finish(index, reason or "stop") for index, reason in self._finishes.items()]
        return ends + self._press.closing(self.usage)

    def _chunk(self, index: int, answer: Answer) -> Chunk:
        opening = index not in self._finishes
        self._finishes[index] = answer.finish or self._finishes.get(index)
        self._written += len(answer.text)
        delta = Delta(role="assistant" if opening else UNSET, content=answer.text)
        return self._press.chunk(ChunkChoice(index=index, delta=delta))


def _deltas(decoded: object) -> list[tuple[int, Answer]] | None:
    """What an OpenAI chunk says of each choice; None when the event is not one."""
    choices = decoded.get("choices") if is_object(decoded) else None
    if not is_list(choices) or any(not is_object(choice) or "delta" not in choice for choice in choices):
        return None
    return [_delta(choice) for choice in choices if is_object(choice)]


def _delta(choice: dict[str, object]) -> tuple[int, Answer]:
    index, delta = choice.get("index"), choice.get("delta")
    text = delta.get("content") if is_object(delta) else None
    return (
        index if is_number(index) else 0,
        Answer(text if isinstance(text, str) else "", finish_of(choice.get("finish_reason"))),
    )
