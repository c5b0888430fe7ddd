"""Where a stream goes once nobody takes it piece by piece: straight on, from within the reading of what arrives.

A task that wakes for each arrival costs more than reading, translating and sending it together; with a thousand
streams in one process that is what decides how late a token is. So only the first piece is waited for as usual.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import aclosing
from functools import partial

from typing_extensions import override

from tuneway.errors import UpstreamError
from tuneway.ports import Take

News = tuple[bytes, UpstreamError | None]


class Held(Awaitable[object]):
    """What a ``Take`` gives to wait for, begun when it is: who is cancelled before that leaves no coroutine behind."""

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Awaitable[object]]) -> None:
        self._begin = begin

    @override
    def __await__(self) -> Generator[object, None, object]:
        return self._begin().__await__()


class Outlet:
    """Closed until ``give`` is set; what ``give`` returns is to be waited for before it is called again."""

    def __init__(self) -> None:
        self.give: Take | None = None

    def fed_by(self, cut: Callable[[bytes], Iterable[bytes]], told: Callable[[Iterable[bytes]], News]) -> Take | None:
        """What takes the arrivals of a body: gives on what they come to, and raises the error among it after that."""
        give = self.give
        if give is None:
            return None

        def take(data: bytes) -> Awaitable[object] | None:
            news, error = told(cut(data))
            held = give(news) if news else None
            if error is None:
                return held
            if held is None:
                raise error
            return Held(partial(_first, held, error))

        return take


# The pieces of an answer, of which some may be empty: taken one by one while the outlet is closed, given to it later.
Source = Callable[[Outlet], AsyncGenerator[bytes, None]]


async def poured(source: Source, take: Take) -> None:
    """All pieces of a source to ``take``, the first among them. Raises as the source does."""
    outlet = Outlet()
    outlet.give = take
    async with aclosing(source(outlet)) as pieces:
        async for piece in pieces:
            if piece and (held := take(piece)) is not None:
                await held


async def _first(held: Awaitable[object], error: UpstreamError) -> None:
    await held
    raise error
