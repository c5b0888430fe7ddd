"""Streamed answers: chunk by chunk, for ``for`` and for ``async for``; closing one early ends the call."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

import msgspec

from tuneway.api.answers import ModelResponseStream
from tuneway.api.background import background
from tuneway.api.errors import APIError, cut_off, of_event, of_fault
from tuneway.errors import TunewayError
from tuneway.prediction.events import Pieces
from tuneway.prediction.framing.sse import SseDecoder

DONE = b"[DONE]"
ENDED = b""  # the end of the body, where DONE should have come before


class Reading:
    """A stream as it is read on the background loop; ``first`` is what has arrived of it already."""

    def __init__(self, first: bytes, pieces: Pieces) -> None:
        self._first: bytes | None = first
        self._pieces = pieces
        self._framing = SseDecoder()
        self._turn = asyncio.Lock()
        self._over = False
        self._fault: APIError | None = None

    async def more(self) -> list[ModelResponseStream]:
        """The next chunks; none at the end. Raises APIError."""
        async with self._turn:
            while not self._over:
                if chunks := self._chunks(await self._events()):
                    return chunks
            await self._pieces.aclose()
            if self._fault is not None:
                fault, self._fault = self._fault, None
                raise fault
            return []

    async def close(self) -> None:
        """End the call, if it is not over."""
        async with self._turn:
            self._over = True
            await self._pieces.aclose()

    async def _events(self) -> list[bytes]:
        if self._first is not None:
            piece, self._first = self._first, None
            return self._framing.decode(piece)
        try:
            return self._framing.decode(await anext(self._pieces))
        except StopAsyncIteration:
            return [*self._framing.flush(), ENDED]
        except TunewayError as fault:
            self._fault = of_fault(fault)
            return [DONE]

    def _chunks(self, events: list[bytes]) -> list[ModelResponseStream]:
        """The chunks up to the end or to a fault, which is told after them."""
        chunks: list[ModelResponseStream] = []
        for event in events:
            if event == DONE:
                self._over = True
                break
            try:
                chunks.append(_chunk(event))
            except APIError as fault:
                self._over, self._fault = True, fault
                break
        return chunks


class CompletionStream:
    """The chunks of an answer. ``close`` (``aclose``) ends the call; so does leaving a ``with`` block."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._waiting: deque[ModelResponseStream] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ModelResponseStream:
        """The next chunk. Raises APIError, also in the middle."""
        if not self._waiting:
            self._waiting.extend(background.run(self._reading.more()))
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ModelResponseStream:
        """The next chunk. Raises APIError, also in the middle."""
        if not self._waiting:
            self._waiting.extend(await background.wait(self._reading.more()))
        if not self._waiting:
            raise StopAsyncIteration
        return self._waiting.popleft()

    def close(self) -> None:
        """End the call; closing twice changes nothing."""
        self._waiting.clear()
        background.run(self._reading.close())

    async def aclose(self) -> None:
        """The same for a caller with a loop of its own."""
        self._waiting.clear()
        await background.wait(self._reading.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        """A stream that nobody reads any more ends its call."""
        background.begin(self._reading.close)


def _chunk(event: bytes) -> ModelResponseStream:
    error = of_event(event)
    if error is not None:
        raise error
    try:
        return ModelResponseStream.from_json(event)
    except msgspec.DecodeError as exc:
        raise cut_off() from exc
