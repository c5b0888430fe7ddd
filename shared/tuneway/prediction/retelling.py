"""Answers as the caller wants them told, whichever dialect they came in: tools as functions, JSON without a fence.

Nearly every call wants neither, and its answers are left as they are.
"""

from collections.abc import Callable
from typing import Protocol

from tuneway.prediction.hub.answer import ChatCompletion, Chunk, Usage
from tuneway.prediction.hub.answer_form import UnfencedChunks, unfenced, wants_object
from tuneway.prediction.hub.older_answers import chunk_in_older_words, in_older_words
from tuneway.prediction.hub.request import ChatRequest, speaks_older
from tuneway.routing.routes import Dialect

# Who has no field for ``json_object`` and is asked in words.
_ASKED_IN_WORDS: frozenset[Dialect] = frozenset({"anthropic", "bedrock"})


class Decoder(Protocol):
    """Events in, chunks out."""

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        ...

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError."""
        ...

    def flush(self) -> list[Chunk]:
        """The chunks that the end brings. Raises UpstreamError when it came too early."""
        ...


class Retold:
    """``Decoder`` whose chunks are told otherwise."""

    def __init__(self, decoder: Decoder, *ways: Callable[[Chunk], Chunk]) -> None:
        self._decoder = decoder
        self._ways = ways

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        return self._decoder.usage

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError."""
        return [self._told(chunk) for chunk in self._decoder.decode(event)]

    def flush(self) -> list[Chunk]:
        """The chunks that the end brings. Raises UpstreamError when it came too early."""
        return [self._told(chunk) for chunk in self._decoder.flush()]

    def _told(self, chunk: Chunk) -> Chunk:
        for way in self._ways:
            chunk = way(chunk)
        return chunk


def answer_retold(answer: ChatCompletion, request: ChatRequest, dialect: Dialect) -> ChatCompletion:
    """A whole answer; one that was retold already stays as it is."""
    if _in_words(request, dialect):
        answer = unfenced(answer)
    return in_older_words(answer) if speaks_older(request) else answer


def stream_retold(decoder: Decoder, request: ChatRequest, dialect: Dialect) -> Decoder:
    """A stream's decoder."""
    ways: list[Callable[[Chunk], Chunk]] = [UnfencedChunks().decode] if _in_words(request, dialect) else []
    if speaks_older(request):
        ways.append(chunk_in_older_words)
    return Retold(decoder, *ways) if ways else decoder


def _in_words(request: ChatRequest, dialect: Dialect) -> bool:
    return dialect in _ASKED_IN_WORDS and wants_object(request)
