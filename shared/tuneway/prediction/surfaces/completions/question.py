"""``/v1/completions``, asked of any target: passed on, filled in the middle, or as one chat for each prompt."""

from functools import cached_property, partial

from tuneway.prediction.calls import Call, Connection, told, whole
from tuneway.prediction.complete import Telling, complete, streamed
from tuneway.prediction.dialects.openai.passage import Passage, passage_of
from tuneway.prediction.dialects.openai.passing import StreamPass
from tuneway.prediction.dialects.openai.response import passed_back
from tuneway.prediction.events import ByteTeller, Events, LiveEvents, opened
from tuneway.prediction.fan_out import sum_of
from tuneway.prediction.hub.answer import ChatCompletion, Exchange
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Source
from tuneway.prediction.several import all_given, all_told
from tuneway.prediction.side_calls import in_order
from tuneway.prediction.surfaces.completions.passing import passed_on_completion, to_fim_request, way_to
from tuneway.prediction.surfaces.completions.request import (
    CompletionRequest,
    completion_to_chats,
    decode_completion_request,
    number_of_prompts,
)
from tuneway.prediction.surfaces.completions.response import (
    ChunkTeller,
    CompletionEvents,
    chat_to_completion,
    completion_id,
    encode_completion,
)
from tuneway.routing.routes import Target

CHATS_AT_ONCE = 16


class CompletionQuestion:
    """``prediction.chat.Question`` of ``/v1/completions``; ``id`` is a chat's (``chatcmpl-…``)."""

    def __init__(self, body: bytes, *, id: str, created: int, via: Connection, journey: Journey) -> None:  # noqa: A002  (OpenAI's word)
        self._body = body
        self._id = id
        self._created = created
        self._via = via
        self._journey = journey

    @cached_property
    def request(self) -> CompletionRequest:
        """The request, read. Raises BadInput naming the field."""
        return decode_completion_request(self._body)

    @cached_property
    def passage(self) -> Passage:
        """The request as it came. Raises BadInput naming the field."""
        return passage_of(self._body, answer_id=completion_id(self._id), created=self._created, kind="text")

    async def whole(self, target: Target) -> bytes:
        """The completion."""
        body = await self._told(target)
        return body if self._wanted(target) == 1 else all_given(body, self._wanted(target))

    async def _told(self, target: Target) -> bytes:
        if way_to(target) == "chat":
            return encode_completion(chat_to_completion(await self._answers(target), self.request))
        answer = await whole(self._passing(target, stream=False), via=self._via, journey=self._journey)
        back = passed_back(answer, self.passage)
        self._journey.usage = back.usage
        return back.body

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """The first chunks, and the rest."""
        events = LiveEvents(self._chats(target) if way_to(target) == "chat" else self._passed(target))
        wanted = self._wanted(target)
        return await opened(events if wanted == 1 else all_told(events, wanted))

    def _wanted(self, target: Target) -> int:
        """How many choices there must be: so many for each prompt; where only one is asked for, nothing is counted."""
        asked = 1 if "n" in target.drop_params else self.request.n or 1
        return 1 if asked == 1 else asked * number_of_prompts(self.request)

    def _passing(self, target: Target, *, stream: bool) -> Call:
        if way_to(target) == "fim":
            fields = to_fim_request(self.request, self._body, target)
            return Call(target=target, operation="fim", body=fields, stream=stream)
        body = passed_on_completion(self._body, target, stream=stream)
        return Call(target=target, operation="completions", body=body, stream=stream)

    def _passed(self, target: Target) -> Source:
        call, teller = self._passing(target, stream=True), ByteTeller(StreamPass(self.passage))
        return partial(told, call, teller, via=self._via, journey=self._journey)

    async def _answers(self, target: Target) -> list[ChatCompletion]:
        """One for each prompt, at once; the time until all are there is theirs."""
        chats = completion_to_chats(self.request, target)
        asked = [
            partial(complete, self._exchange(chat), target, via=self._via, journey=self._journey.part())
            for chat in chats
        ]
        self._journey.waits()
        try:
            answers = await in_order(asked, at_once=CHATS_AT_ONCE)
        finally:
            self._journey.goes_on()
        self._journey.usage = sum_of([answer.usage for answer in answers])
        return answers

    def _chats(self, target: Target) -> Source:
        """The chunks of every prompt's stream as they come, under one id; then the usage of all."""
        return streamed(
            [
                self._telling(chat, ChunkTeller(self.request, prompt=position))
                for position, chat in enumerate(completion_to_chats(self.request, target))
            ],
            target,
            via=self._via,
            journey=self._journey,
        )

    def _telling(self, chat: ChatRequest, teller: ChunkTeller) -> Telling:
        events = CompletionEvents(teller)
        return Telling(exchange=self._exchange(chat), encode=events.encode, close=events.flush)

    def _exchange(self, chat: ChatRequest) -> Exchange:
        return Exchange(request=chat, id=self._id, created=self._created)
