"""What to do after a fault: one table from its code, else its status, to the next move.

Faults of the caller's own (a bad request, a body too large) would come back from every target alike: they are told at
once. What is about one target (its name, our credentials there, a parameter it cannot express) sends the call on.
"""

from collections.abc import Callable
from enum import StrEnum

from tuneway.errors import BadInput, TunewayError, UpstreamError

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
LONGEST_WAIT = 20.0  # a host that asks for more is not waited for: the caller is told when to come back


class Move(StrEnum):
    """What comes after a fault."""

    RETRY = "retry"  # another target, or the same one after a pause
    NEXT = "next"  # another target; this one would say the same again
    CONTEXT = "context"  # a target that reads longer prompts
    CONTENT = "content"  # a target with another filter
    GIVE_UP = "give_up"


BY_CODE: dict[str, Move] = {
    "content_filter": Move.CONTENT,
    "content_policy_violation": Move.CONTENT,
    "context_length_exceeded": Move.CONTEXT,
    "insufficient_quota": Move.NEXT,
    "model_not_found": Move.NEXT,
    "no_upstream_credentials": Move.NEXT,
    "no_upstream_token": Move.NEXT,
    "unknown_parameter": Move.NEXT,
    "unsupported_operation": Move.NEXT,
    "unsupported_parameter": Move.NEXT,
    "upstream_authentication_failed": Move.NEXT,
    "upstream_billing": Move.NEXT,
    "upstream_permission_denied": Move.NEXT,
}
BY_STATUS: dict[int, Move] = {
    400: Move.GIVE_UP,
    401: Move.GIVE_UP,
    403: Move.GIVE_UP,
    404: Move.GIVE_UP,
    409: Move.RETRY,
    413: Move.GIVE_UP,
    429: Move.RETRY,
    500: Move.RETRY,
    502: Move.RETRY,
    503: Move.RETRY,
    504: Move.RETRY,
}


def move_after(fault: TunewayError) -> Move:
    """The next move. Only what a target or its host said can be mended elsewhere."""
    if fault.code in BY_CODE and isinstance(fault, UpstreamError | BadInput):
        return BY_CODE[fault.code]
    return BY_STATUS.get(fault.status, Move.GIVE_UP) if isinstance(fault, UpstreamError) else Move.GIVE_UP


def pause(failures: int, *, asked: float | None, draw: Callable[[], float]) -> float | None:
    """Seconds before the next round after so many; None when the host ``asked`` for longer than anyone should wait.

    Half of it is luck, so that the calls which failed together do not come back together. What a host asked for is
    the least.
    """
    if asked is not None and asked > LONGEST_WAIT:
        return None
    longest = min(FIRST_PAUSE * 2.0**failures, LONGEST_PAUSE)
    return max(longest * (1 + draw()) / 2, asked or 0.0)
