"""Where a stream goes once nobody takes it piece by piece: straight on, from within the reading of what arrives.

A task that wakes for each arrival costs more than reading, translating and sending it together; with a thousand
streams in one process that is what decides how late a token is. So only the first piece is waited for as usual.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from tuneway.errors import UpstreamError
from tuneway.ports import Take

T = TypeVar("T")
Give = Callable[[T], Awaitable[object] | None]
News = tuple[T, UpstreamError | None]


class Outlet(Generic[T]):
    """Closed until ``give`` is set; what ``give`` returns is to be waited for before it is called again."""

    def __init__(self) -> None:
        self.give: Give[T] | None = None

    def fed_by(
        self, cut: Callable[[bytes], Iterable[bytes]], told: Callable[[Iterable[bytes]], News[T]]
    ) -> Take | None:
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
            return _first(held, error)

        return take


async def _first(held: Awaitable[object], error: UpstreamError) -> None:
    await held
    raise error
