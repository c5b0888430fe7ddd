"""A chat, as any target can be asked it: passed on to one that speaks OpenAI's words, said in the others' own."""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Protocol

import msgspec

from tuneway.prediction.calls import Call, Connection, told, whole
from tuneway.prediction.complete import complete, one_at_a_time, told_as_events
from tuneway.prediction.dialects.openai.passage import Passage
from tuneway.prediction.dialects.openai.passing import StreamPass
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.dialects.openai.response import passed_back
from tuneway.prediction.dialects.openai.servers import server_of
from tuneway.prediction.events import ByteTeller, Events, LiveEvents, opened
from tuneway.prediction.fetching import fetched, needs_fetching
from tuneway.prediction.hub.answer import Exchange, encode_completion
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.hub.request import speaks_older
from tuneway.prediction.journey import Journey
from tuneway.prediction.providers.addresses import Operation
from tuneway.prediction.several import all_given, all_told
from tuneway.routing.routes import Target

_BUCKETS = (b'"gs://', b'"s3://')
_OLDER = (b'"functions"', b'"function_call"')
_SPEAKER, _NAMED = "name", b'"name"'  # a parameter of each message


class Question(Protocol):
    """One request of a surface. Each call is one attempt. Raises BadInput, UpstreamError."""

    async def whole(self, target: Target) -> bytes:
        """The answer, in the caller's language."""
        ...

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """The first events of a streamed answer, and the rest."""
        ...


class ChatQuestion:
    """``Question`` of ``/v1/chat/completions``."""

    def __init__(self, passage: Passage, *, via: Connection, journey: Journey) -> None:
        self._passage = passage
        self._via = via
        self._journey = journey
        self._exchange: Exchange | None = None

    @property
    def exchange(self) -> Exchange:
        """The request in the hub's words, read once. Raises BadInput naming the field."""
        if self._exchange is None:
            passage = self._passage
            request = decode_chat_request(passage.body)
            self._exchange = Exchange(request=request, id=passage.id, created=passage.created)
        return self._exchange

    async def whole(self, target: Target) -> bytes:
        """The completion."""
        if self._passes(target):
            body = await passed(self._passage, target, operation="chat", via=self._via, journey=self._journey)
        else:
            exchange = await with_media(self.exchange, target, via=self._via, journey=self._journey)
            body = encode_completion(await complete(exchange, target, via=self._via, journey=self._journey))
        return all_given(body, self._wanted(target)) if self._passage.several else body

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """The first chunks, and the rest."""
        if self._passes(target):
            events = passed_events(self._passage, target, operation="chat", via=self._via, journey=self._journey)
        else:
            exchange = await with_media(self.exchange, target, via=self._via, journey=self._journey)
            events = told_as_events(exchange, target, via=self._via, journey=self._journey)
        return await opened(all_told(events, self._wanted(target)) if self._passage.several else events)

    def _wanted(self, target: Target) -> int:
        """How many choices there must be; one where the route drops the wish for more."""
        return 1 if "n" in target.drop_params else self.exchange.request.n or 1

    def _passes(self, target: Target) -> bool:
        if target.dialect != "openai":
            return False
        if self._refers() and needs_fetching(self.exchange.request, target):
            return False
        if "functions" in server_of(target).refused and self._calls_functions():
            return False
        return not self._passage.several or not one_at_a_time(self.exchange, target)

    def _refers(self) -> bool:
        """Whether the body speaks of a bucket, which most servers cannot read."""
        return self._via.sources is not None and any(scheme in self._passage.body for scheme in _BUCKETS)

    def _calls_functions(self) -> bool:
        """Whether tools are called functions, which a server that knows but tools has to be told otherwise."""
        return any(word in self._passage.body for word in _OLDER) and speaks_older(self.exchange.request)


async def with_media(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Exchange:
    """The exchange with what the target's host does not fetch. Raises BadInput naming the part."""
    if via.sources is None or not needs_fetching(exchange.request, target):
        return exchange
    journey.waits()
    try:
        request = await fetched(exchange.request, target, via.sources)
    finally:
        journey.goes_on()
    return msgspec.structs.replace(exchange, request=request)


async def passed(passage: Passage, target: Target, *, operation: Operation, via: Connection, journey: Journey) -> bytes:
    """A caller's own body to a target that speaks its language, and the answer back under the caller's name."""
    body = passed_on(passage.body, target, stream=False, alias=passage.model)
    answer = await whole(Call(target=target, operation=operation, body=body), via=via, journey=journey)
    told_back = passed_back(answer, passage)
    journey.usage = told_back.usage
    return told_back.body


def passed_events(
    passage: Passage, target: Target, *, operation: Operation, via: Connection, journey: Journey
) -> Events:
    """The same, streamed."""
    body = passed_on(passage.body, target, stream=True, alias=passage.model)
    call = Call(target=target, operation=operation, body=body, stream=True)
    return LiveEvents(partial(told, call, ByteTeller(StreamPass(passage)), via=via, journey=journey))


def left_out(body: bytes, target: Target, hints: Sequence[str] = ()) -> tuple[str, ...]:
    """Which of its parameters the body's target never saw: those its route drops, and hints without a place there.

    ``hints`` are those that a dialect left out; ``body`` has been read before.
    """
    given = [name for name, word in _hints_of(target) if word in body]
    if not (target.drop_params or given):
        return tuple(hints)
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    within = bytes(fields.get("messages", b"")) if _SPEAKER in target.drop_params else b""
    dropped = [
        name for name in (*target.drop_params, *given) if name in fields or (name == _SPEAKER and _NAMED in within)
    ]
    return tuple(dict.fromkeys([*dropped, *hints]))


@lru_cache(maxsize=1024)
def _hints_of(target: Target) -> tuple[tuple[str, bytes], ...]:
    """What the target's server does not take, and the word for it; what a stream is to hold is done here."""
    hints = server_of(target).hints if target.dialect == "openai" else ()
    return tuple((name, name.encode()) for name in hints if name != "stream_options")
