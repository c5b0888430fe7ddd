"""To wait until something is true, and no longer."""

import time
from collections.abc import Callable

PATIENCE = 300.0  # seconds; how long a busy machine may take is no matter of a test's


def wait_until(true: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """What never becomes true has been waited for in vain."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
