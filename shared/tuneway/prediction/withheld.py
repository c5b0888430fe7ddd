"""Answers that are none: a filter took their words, or the prompt left no room for any.

They come with a 200, so a route's ``content_fallbacks`` and ``context_fallbacks`` would never see them. On a route that
has such fallbacks they are faults, like a host's refusal; when no fallback answers either, the caller gets them after
all. What is looked at is what the caller would get, in whichever language: OpenAI's chat and completions, Anthropic's
messages. A stream is held back until it says something; from then on it is the answer. Bedrock's guardrails speak
themselves, in one event and then the end: there a stream is held back until its second.
"""

from collections.abc import AsyncGenerator, Sequence

from tuneway.errors import UpstreamError
from tuneway.prediction.chat import Question
from tuneway.prediction.events import Events, LiveEvents
from tuneway.prediction.heard import Choice, Said, Told, answer_in, events_in
from tuneway.prediction.hub.answer import WINDOW_FULL, Usage
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Outlet
from tuneway.routing.routes import Provider, Route, Target

_FILTERED, _TOO_LONG = "content_filter", "context_length_exceeded"
_SENTENCES = {
    _FILTERED: "The model's filter withheld its answer.",
    _TOO_LONG: "The prompt left the model no room for an answer.",
}
# The ends that mean it: OpenAI's word, Anthropic's, and the one both have for a full window.
_ENDS = {"content_filter": _FILTERED, "refusal": _FILTERED, WINDOW_FULL: _TOO_LONG}
# How many events say something before a stream is the answer, where it takes more than one.
_EVENTS: dict[Provider, int] = {"bedrock": 2}


class Withheld(UpstreamError):
    """An answer of that kind: ``body`` is all of it, as the caller would get it; ``target`` and ``usage`` its own.

    Its tokens are spent, whoever gives the answer in the end.
    """

    def __init__(self, code: str, body: bytes, journey: Journey) -> None:
        super().__init__(_SENTENCES[code], status=400, kind="invalid_request_error", code=code)
        self.body = body
        self.target: Target | None = journey.target
        self.usage: Usage | None = journey.usage
        self._spent_before = journey.spent
        journey.spent = tuple(journey.counted)

    def given_after_all(self, journey: Journey) -> None:
        """This is the caller's answer now, and what others cost in vain stays spent."""
        before, mine = len(self._spent_before), 0 if self.usage is None else 1
        journey.spent = (*journey.spent[:before], *journey.spent[before + mine :])
        journey.target, journey.usage = self.target, self.usage


def guarded(question: Question, journey: Journey) -> Question:
    """The question, which raises Withheld where its route, or one it falls back to, has other models for that."""
    route = journey.route
    return _Guard(question, journey) if route.fallbacks or _has_others(route) else question


def _has_others(route: Route) -> bool:
    return bool(route.content_fallbacks or route.context_fallbacks)


def nothing_more() -> Events:
    """The rest of a stream that is over."""
    return LiveEvents(_nothing)


async def _nothing(_: Outlet) -> AsyncGenerator[bytes, None]:
    for event in tuple[bytes, ...]():
        yield event


class _Guard:
    """``Question`` in the same words."""

    def __init__(self, question: Question, journey: Journey) -> None:
        self._question = question
        self._journey = journey

    async def whole(self, target: Target) -> bytes:
        """The answer. Raises Withheld."""
        body = await self._question.whole(target)
        if not self._looks:
            return body
        self._judge(answer_in(body), body)
        return body

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """All events until the first that says something, and the rest. Raises Withheld."""
        first, rest = await self._question.opened(target)
        if not self._looks:
            return first, rest
        try:
            return await self._until_said(first, rest, events=_EVENTS.get(target.provider, 1)), rest
        except BaseException:
            await rest.aclose()
            raise

    @property
    def _looks(self) -> bool:
        """Whether the route that is asked now has other models."""
        return _has_others(self._journey.along or self._journey.route)

    async def _until_said(self, first: bytes, rest: Events, *, events: int) -> bytes:
        pieces, told = [first], events_in(first)
        while sum(one.said for one in told) < events and not any(one.error for one in told):
            piece = await anext(rest, None)
            if piece is None:
                self._judge(_together(told), b"".join(pieces))
                break
            pieces.append(piece)
            told += events_in(piece)
        return b"".join(pieces)

    def _judge(self, told: Told, body: bytes) -> None:
        """Raises Withheld when every choice was: one that a filter cut short is, one that filled the window is not."""
        codes = {_ENDS.get(end) for end in told.ends}
        code = codes.pop() if len(codes) == 1 else None
        if code is not None and not (code == _TOO_LONG and told.said):
            raise Withheld(code, body, self._journey)


def _together(told: Sequence[Told]) -> Told:
    """A stream as a whole: its ends, and whether it said anything."""
    said = Said(content=any(one.said for one in told))
    return Told(choices=[Choice(finish_reason=end, message=said) for one in told for end in one.ends])
