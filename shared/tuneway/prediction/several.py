"""Several choices were asked for: fewer are a fault that is told, never a silence.

Servers that do not know ``n`` give one answer and say nothing of the others. What a filter took away counts as given.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from tuneway.errors import UpstreamError
from tuneway.prediction.events import Events
from tuneway.prediction.heard import Told, answer_in, events_in
from tuneway.prediction.hub.answer import DONE, encode_error_event

_FILTERED = {"content_filter"}


def all_given(body: bytes, wanted: int) -> bytes:
    """The answer. Raises UpstreamError when it holds fewer choices than wanted."""
    if fault := _missing([answer_in(body)], wanted):
        raise fault
    return body


async def all_told(events: Events, wanted: int) -> AsyncGenerator[bytes, None]:
    """The events; where choices are missing at the end, an error event stands there."""
    told: list[Told] = []
    async with aclosing(events):
        async for piece in events:
            told += events_in(piece)
            fault = _missing(told, wanted) if piece.endswith(DONE) else None
            yield piece.removesuffix(DONE) + encode_error_event(fault) if fault else piece


def _missing(told: Iterable[Told], wanted: int) -> UpstreamError | None:
    choices = [choice for one in told for choice in one.choices]
    given = len({choice.index for choice in choices})
    if given >= wanted or {choice.end for choice in choices if choice.end} == _FILTERED:
        return None
    return UpstreamError(
        f"{given} of the {wanted} choices that 'n' asked for were given: the model's host seems not to know it. "
        "Ask for one, name the host's server in the 'profile' of the model's route, or add 'n' to its drop_params.",
        status=400,
        kind="invalid_request_error",
        code="unsupported_parameter",
        param="n",
    )
