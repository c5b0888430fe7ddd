"""A chat, as any target can be asked it: passed on to one that speaks OpenAI's words, said in the others' own."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tuneway.prediction.calls import Call, Connection, told, whole
from tuneway.prediction.complete import arrivals, complete, one_at_a_time
from tuneway.prediction.dialects.openai.passage import Passage, passage_of
from tuneway.prediction.dialects.openai.passing import StreamPass
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.dialects.openai.response import passed_back
from tuneway.prediction.events import ByteTeller, Events, as_events, as_they_are, opened
from tuneway.prediction.hub.answer import Exchange, encode_completion
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.journey import Journey
from tuneway.prediction.providers.addresses import Operation
from tuneway.routing.routes import Target


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

    def __init__(self, body: bytes, *, id: str, created: int, via: Connection, journey: Journey) -> None:  # noqa: A002  (OpenAI's word)
        self._body = body
        self._id = id
        self._created = created
        self._via = via
        self._journey = journey
        self._exchange: Exchange | None = None
        self._passage: Passage | None = None

    @property
    def exchange(self) -> Exchange:
        """The request in the hub's words, read once. Raises BadInput naming the field."""
        if self._exchange is None:
            request = decode_chat_request(self._body)
            self._exchange = Exchange(request=request, id=self._id, created=self._created)
        return self._exchange

    @property
    def passage(self) -> Passage:
        """The request as it came, read once. Raises BadInput naming the field."""
        if self._passage is None:
            self._passage = passage_of(self._body, answer_id=self._id, created=self._created)
        return self._passage

    async def whole(self, target: Target) -> bytes:
        """The completion."""
        if self._passes(target):
            return await passed(self.passage, target, operation="chat", via=self._via, journey=self._journey)
        return encode_completion(await complete(self.exchange, target, via=self._via, journey=self._journey))

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """The first chunks, and the rest."""
        if self._passes(target):
            events = passed_events(self.passage, target, operation="chat", via=self._via, journey=self._journey)
        else:
            events = as_events(arrivals(self.exchange, target, via=self._via, journey=self._journey))
        return await opened(events)

    def _passes(self, target: Target) -> bool:
        if target.dialect != "openai":
            return False
        return _choices(self._body) == 1 or not one_at_a_time(self.exchange, target)


class _Several(msgspec.Struct):
    n: object = None


_SPEAKER = "name"  # a parameter of each message
_SEVERAL = msgspec.json.Decoder(_Several)


def _choices(body: bytes) -> object:
    n = _SEVERAL.decode(body).n
    return 1 if n is None else n


async def passed(passage: Passage, target: Target, *, operation: Operation, via: Connection, journey: Journey) -> bytes:
    """A caller's own body to a target that speaks its language, and the answer back under the caller's name."""
    body = passed_on(passage.body, target, stream=False)
    answer = await whole(Call(target=target, operation=operation, body=body), via=via, journey=journey)
    told_back = passed_back(answer, passage)
    journey.usage = told_back.usage
    return told_back.body


def passed_events(
    passage: Passage, target: Target, *, operation: Operation, via: Connection, journey: Journey
) -> Events:
    """The same, streamed."""
    body = passed_on(passage.body, target, stream=True)
    call = Call(target=target, operation=operation, body=body, stream=True)
    return as_they_are(told(call, ByteTeller(StreamPass(passage)), via=via, journey=journey))


def left_out(body: bytes, drop: Sequence[str]) -> tuple[str, ...]:
    """Which of the parameters to drop the body holds. ``body`` has been read before."""
    if not drop:
        return ()
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    within = bytes(fields.get("messages", b"")) if _SPEAKER in drop else b""
    return tuple(name for name in drop if name in fields or (name == _SPEAKER and b'"name"' in within))
