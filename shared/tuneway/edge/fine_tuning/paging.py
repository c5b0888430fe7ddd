"""Where a list goes on: ``after`` names the last row of the page before."""

from collections.abc import Callable
from typing import TypeVar

from tuneway.edge.door import Call
from tuneway.errors import NotFound

R = TypeVar("R")


def after_of(call: Call) -> str | None:
    """The row to go on after; an empty one is how some clients write none."""
    return call.query.get("after") or None


def going_on(call: Call, rows: Callable[[str | None], R]) -> R:
    """The rows behind ``after``. Raises NotFound that names ``after`` when there is no such row."""
    after = after_of(call)
    try:
        return rows(after)
    except NotFound as fault:
        raise NotFound(f"{fault.message} So there is nothing to go on after.", param="after") from fault
