"""``/v1/messages/count_tokens``, asked of any target: counted by its host, or estimated here and marked so."""

import re

import msgspec

from tuneway.errors import BadInput, UpstreamError
from tuneway.prediction.calls import Call, Connection, whole
from tuneway.prediction.dialects.openai.counts import CHARACTERS_A_TOKEN, characters
from tuneway.prediction.events import Events
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.journey import Journey
from tuneway.prediction.surfaces.counts.counters import counter_of, headers_of, tokens_in
from tuneway.prediction.surfaces.counts.request import Measured
from tuneway.prediction.surfaces.messages.chat import refuse_foreign
from tuneway.prediction.surfaces.messages.references import needs_sources, with_sources
from tuneway.routing.routes import Target

_ENCODER = msgspec.json.Encoder()
# A host that has the call, but not for this model, says so in words alone.
_UNCOUNTED = re.compile(r"count(?:ing)? tokens|on-demand throughput|model identifier is invalid", re.IGNORECASE)


class CountQuestion:
    """``prediction.chat.Question`` of ``/v1/messages/count_tokens``; ``estimated`` says that no host counted."""

    def __init__(self, measured: Measured, *, via: Connection, journey: Journey) -> None:
        self._measured = measured
        self._via = via
        self._journey = journey
        self.estimated = False

    async def whole(self, target: Target) -> bytes:
        """The count, in Anthropic's shape."""
        counted = await self._counted(target)
        self.estimated = counted is None
        tokens = self._estimated(target) if counted is None else counted
        return _ENCODER.encode({"input_tokens": tokens})

    def _estimated(self, target: Target) -> int:
        chat = self._measured.chat()
        refuse_foreign(chat, target)
        return estimate(chat)

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """Raises BadInput: a count is not streamed."""
        raise BadInput(f"A count for '{target.model}' cannot be streamed. Leave 'stream' out.", param="stream")

    async def _counted(self, target: Target) -> int | None:
        """What the host counted; None where it counts nothing for this model."""
        counter = counter_of(target)
        if counter is None:
            return None
        body = _ENCODER.encode(counter.to_body(await self._by_value(target), target))
        headers = headers_of(self._measured, target)
        call = Call(target=counter.target_of(target), operation="count", body=body, headers=headers)
        try:
            return tokens_in(await whole(call, via=self._via, journey=self._journey))
        except UpstreamError as fault:
            if fault.code != "unsupported_operation" and not _UNCOUNTED.search(fault.message):
                raise
            return None

    async def _by_value(self, target: Target) -> Measured:
        """What is measured, with what the target's host does not fetch. Raises BadInput naming the block."""
        measured, sources = self._measured, self._via.sources
        if sources is None or not needs_sources(measured.body, target):
            return measured
        return msgspec.structs.replace(measured, body=await with_sources(measured.body, target, sources))


def estimate(request: ChatRequest) -> int:
    """Tokens by the rule of thumb: the words of the conversation and the tools' descriptions, no pictures, no sound."""
    said = characters({"messages": msgspec.to_builtins(request.messages)})
    described = len(_ENCODER.encode(request.tools)) if request.tools else 0
    return -(-(said + described) // CHARACTERS_A_TOKEN)
