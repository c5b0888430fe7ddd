"""One event loop for the process, in a thread of its own: calls work in notebooks, in other loops and in threads.

It holds the connections to models' hosts, so that all callers share them.
"""

import asyncio
import atexit
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")
ENDING_SECONDS = 2.0


class Background:
    """The loop; started at the first call, and anew in a process that was forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closers: list[Callable[[], Awaitable[None]]] = []

    def run(self, work: Coroutine[object, object, T]) -> T:
        """What ``work`` comes to; the calling thread waits. Interrupting it ends the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def wait(self, work: Coroutine[object, object, T]) -> T:
        """The same for a caller with a loop of its own; cancelling it ends the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running()))

    def begin(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start the work without waiting for it; nothing happens once the loop has ended."""
        loop = self._loop
        if loop is not None and self._thread is not None and self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(work(), loop)

    def at_end(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call this, on the loop, before the process ends."""
        self._closers.append(close)

    def end(self) -> None:
        """Close what is open, and the loop."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._ended(), loop)
        thread.join(ENDING_SECONDS)
        self._thread = self._loop = None

    async def _ended(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ENDING_SECONDS / 2):
                others = asyncio.all_tasks() - {asyncio.current_task()}
                for task in others:
                    task.cancel()
                await asyncio.gather(*others, return_exceptions=True)
                await asyncio.gather(*(close() for close in self._closers), return_exceptions=True)
        except TimeoutError:
            pass  # a host that does not let go of a connection does not hold up the end of the process
        finally:
            self._closers.clear()
            loop.stop()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._closers.clear()  # a forked process does not close what its parent uses
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_kept_running, args=(self._loop,), name="tuneway", daemon=True)
                self._thread.start()
            return self._loop


def _kept_running(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


background = Background()
atexit.register(background.end)
