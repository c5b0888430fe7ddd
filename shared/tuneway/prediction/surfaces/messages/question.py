"""``/v1/messages``, asked of any target: passed on to Claude wherever it is served, told as a chat to all others."""

from collections.abc import Mapping
from functools import cached_property, partial

import msgspec

from tuneway.errors import UpstreamError
from tuneway.prediction.calls import Call, Connection, told, whole
from tuneway.prediction.chat import with_media
from tuneway.prediction.complete import Telling, complete, streamed
from tuneway.prediction.events import ByteTeller, Events, LiveEvents, opened
from tuneway.prediction.hub.answer import Exchange
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Source
from tuneway.prediction.surfaces.messages.chat import refuse_foreign, shows_thoughts, to_chat
from tuneway.prediction.surfaces.messages.errors import encode_error_event
from tuneway.prediction.surfaces.messages.events import MessageEvents
from tuneway.prediction.surfaces.messages.headers import fields_for, headers_for
from tuneway.prediction.surfaces.messages.message import encode_message
from tuneway.prediction.surfaces.messages.passing import PassedEvents, passed_answer, passed_request
from tuneway.prediction.surfaces.messages.references import needs_sources, with_sources
from tuneway.prediction.surfaces.messages.request import MessagesRequest, decode_messages_request
from tuneway.routing.routes import Target


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: its body, the model it names, Anthropic's own headers, its id (``req-…``) and time."""

    body: bytes
    model: str
    headers: Mapping[str, str] = {}
    id: str
    created: int


class MessagesQuestion:
    """``prediction.chat.Question`` of ``/v1/messages``."""

    def __init__(self, received: Received, *, via: Connection, journey: Journey) -> None:
        self._received = received
        self._via = via
        self._journey = journey

    @cached_property
    def request(self) -> MessagesRequest:
        """The request, read. Raises BadInput naming the field."""
        return decode_messages_request(self._received.body)

    @cached_property
    def exchange(self) -> Exchange:
        """The request in the hub's words. Raises BadInput naming the field."""
        answer_id = f"chatcmpl-{self._received.id.removeprefix('req-')}"
        return Exchange(request=to_chat(self.request), id=answer_id, created=self._received.created)

    async def whole(self, target: Target) -> bytes:
        """The message."""
        if target.dialect != "anthropic":
            exchange = await self._asked_of(target)
            completion = await complete(exchange, target, via=self._via, journey=self._journey)
            return encode_message(completion, thoughts=shows_thoughts(self.request))
        call = await self._passing(target, stream=False)
        answer = await whole(call, via=self._via, journey=self._journey)
        body, self._journey.usage = passed_answer(answer, model=self._received.model)
        return body

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """The first events, and the rest."""
        source = await (self._passed(target) if target.dialect == "anthropic" else self._told(target))
        return await opened(LiveEvents(source, error_event=self._error_event))

    async def _asked_of(self, target: Target) -> Exchange:
        """The exchange as this target can be asked it. Raises BadInput naming what it cannot."""
        if target.dialect == "openai":  # the dialect passes on what it does not know, and these are Anthropic's
            refuse_foreign(self.exchange.request, target)
        return await with_media(self.exchange, target, via=self._via, journey=self._journey)

    async def _passing(self, target: Target, *, stream: bool) -> Call:
        sent = self._received.headers
        body = {**passed_request(await self._by_value(target), target), **fields_for(target, sent)}
        return Call(target=target, operation="chat", body=body, stream=stream, headers=headers_for(target, sent))

    async def _by_value(self, target: Target) -> bytes:
        """The body with what the target's host does not fetch. Raises BadInput naming the block."""
        body, sources = self._received.body, self._via.sources
        if sources is None or not needs_sources(body, target):
            return body
        self._journey.waits()
        try:
            return await with_sources(body, target, sources)
        finally:
            self._journey.goes_on()

    async def _passed(self, target: Target) -> Source:
        call = await self._passing(target, stream=True)
        teller = ByteTeller(PassedEvents(model=self._received.model))
        return partial(told, call, teller, via=self._via, journey=self._journey)

    async def _told(self, target: Target) -> Source:
        events = MessageEvents(thoughts=shows_thoughts(self.request))
        telling = Telling(exchange=await self._asked_of(target), encode=events.encode, close=events.flush)
        return streamed([telling], target, via=self._via, journey=self._journey)

    def _error_event(self, fault: UpstreamError) -> bytes:
        return encode_error_event(fault, status=fault.status, request_id=self._received.id)
