"""Several choices were asked for: fewer are a fault that is told, never a silence.

Servers that do not know ``n`` give one answer and say nothing of the others. What a filter took away counts as given.
"""

from collections.abc import Iterable

from tuneway.errors import UpstreamError
from tuneway.prediction.events import Events, RevisedEvents
from tuneway.prediction.heard import Told, answer_in, events_in
from tuneway.prediction.hub.answer import DONE, encode_error_event

_FILTERED = {"content_filter"}


def all_given(body: bytes, wanted: int) -> bytes:
    """The answer. Raises UpstreamError when it holds fewer choices than wanted."""
    if fault := _missing([answer_in(body)], wanted):
        raise fault
    return body


def all_told(events: Events, wanted: int) -> Events:
    """The events; where choices are missing at the end, an error event stands there."""
    return RevisedEvents(events, _Count(wanted).checked)


class _Count:
    """The choices of a stream, counted while they pass."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._told: list[Told] = []

    def checked(self, events: bytes) -> bytes:
        """The events that came together."""
        self._told += events_in(events)
        fault = _missing(self._told, self._wanted) if events.endswith(DONE) else None
        return events.removesuffix(DONE) + encode_error_event(fault) if fault else events


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
