"""One request that is several calls: made side by side, told in order or as they come.

What fails in one ends the others, and nobody is left behind when the caller leaves.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")
_WAITING = 64  # pieces that may wait for a slow reader


async def in_order(calls: Sequence[Callable[[], Coroutine[object, object, T]]], *, at_once: int) -> list[T]:
    """The results in the order of the calls, of which so many are under way at a time. Raises the first fault."""
    free = asyncio.Semaphore(at_once)

    async def made(call: Callable[[], Coroutine[object, object, T]]) -> T:
        async with free:
            return await call()

    tasks = [asyncio.create_task(made(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _ended(tasks)


async def as_they_come(streams: Sequence[AsyncGenerator[T, None]]) -> AsyncGenerator[tuple[int, T], None]:
    """The pieces of several streams, each with the number of its stream. Raises the first fault."""
    waiting: asyncio.Queue[tuple[int, T] | Exception | None] = asyncio.Queue(_WAITING)
    tasks = [asyncio.create_task(_forward(stream, number, waiting)) for number, stream in enumerate(streams)]
    left = len(tasks)
    try:
        while left:
            piece = await waiting.get()
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                left -= 1
            else:
                yield piece
    finally:
        await _ended(tasks)


async def _forward(
    stream: AsyncGenerator[T, None], number: int, waiting: "asyncio.Queue[tuple[int, T] | Exception | None]"
) -> None:
    """One stream's pieces into the queue; then None for its end, or its fault."""
    try:
        async with aclosing(stream):
            async for piece in stream:
                await waiting.put((number, piece))
    except Exception as fault:  # noqa: BLE001  (raised again by the reader, in its own task)
        await waiting.put(fault)
    else:
        await waiting.put(None)


async def _ended(tasks: Sequence[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
