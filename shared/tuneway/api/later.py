"""The asynchronous twin of a call that waits: made from it, not written again."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def twin(call: Callable[P, T]) -> Callable[P, Coroutine[object, object, T]]:
    """``acall`` of ``call``: the same arguments, answer and errors; it waits in a thread, so the loop goes on.

    A caller who leaves is not waited for; what was asked of the other side happens all the same.
    """

    @wraps(call)
    async def later(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(call, *args, **kwargs)

    name = f"a{call.__name__}"
    later.__name__ = later.__qualname__ = name
    later.__doc__ = f"``{call.__name__}`` for coroutines.\n\n    {call.__doc__}"
    return later
