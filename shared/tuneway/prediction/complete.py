"""Ask one target: an exchange or a caller's own body in, an answer or a stream of them out.

The dialects meet here and only here. Two ways lead to a target: a *hub exchange* is said in the target's dialect and
its answer told in the hub's words; a *passage* is a body in the target's own language, passed on as it came. Both make
one attempt; ``attempts.py`` makes the next.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import aclosing

import msgspec

from tuneway.errors import UpstreamError
from tuneway.prediction.calls import Call, Connection, streams, told, whole
from tuneway.prediction.dialects.anthropic.request import HINTS as ANTHROPIC_HINTS
from tuneway.prediction.dialects.anthropic.request import to_request as anthropic_to_request
from tuneway.prediction.dialects.anthropic.response import from_response as anthropic_from_response
from tuneway.prediction.dialects.anthropic.stream import StreamDecoder as AnthropicStreamDecoder
from tuneway.prediction.dialects.bedrock.request import HINTS as BEDROCK_HINTS
from tuneway.prediction.dialects.bedrock.request import to_request as bedrock_to_request
from tuneway.prediction.dialects.bedrock.response import from_response as bedrock_from_response
from tuneway.prediction.dialects.bedrock.stream import StreamDecoder as BedrockStreamDecoder
from tuneway.prediction.dialects.gemini.request import HINTS as GEMINI_HINTS
from tuneway.prediction.dialects.gemini.request import to_request as gemini_to_request
from tuneway.prediction.dialects.gemini.response import from_response as gemini_from_response
from tuneway.prediction.dialects.gemini.stream import StreamDecoder as GeminiStreamDecoder
from tuneway.prediction.dialects.instances.request import HINTS as INSTANCES_HINTS
from tuneway.prediction.dialects.instances.request import to_request as instances_to_request
from tuneway.prediction.dialects.instances.response import from_response as instances_from_response
from tuneway.prediction.dialects.instances.stream import StreamDecoder as InstancesStreamDecoder
from tuneway.prediction.dialects.openai.request import to_request as openai_to_request
from tuneway.prediction.dialects.openai.response import from_response as openai_from_response
from tuneway.prediction.dialects.openai.servers import server_of
from tuneway.prediction.dialects.openai.stream import StreamDecoder as OpenaiStreamDecoder
from tuneway.prediction.events import ChunkEvents, Events, LiveEvents, as_events
from tuneway.prediction.fan_out import Arrivals, all_of, side_by_side, sum_of
from tuneway.prediction.hub.answer import (
    ChatCompletion,
    Chunk,
    Exchange,
    Usage,
)
from tuneway.prediction.hub.chunks import as_chunks
from tuneway.prediction.hub.fit import hints_in
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.journey import Journey
from tuneway.prediction.profiles import profile_of
from tuneway.prediction.retelling import Decoder, answer_retold, stream_retold
from tuneway.routing.routes import Dialect, Target


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect: its three transforms, and whether it can ask for several choices at once.

    ``hints`` are parameters that change no answer and that it has no place for: left out, and told of.
    """

    to_request: Callable[[ChatRequest, Target], Mapping[str, object]]
    from_response: Callable[[bytes, Exchange], ChatCompletion]
    stream_decoder: Callable[[Exchange], Decoder]
    several: Callable[[Target], bool]
    hints: tuple[str, ...] = ()


DIALECTS: dict[Dialect, Words] = {
    "gemini": Words(
        to_request=gemini_to_request,
        from_response=gemini_from_response,
        stream_decoder=GeminiStreamDecoder,
        several=lambda target: profile_of(target).several_choices,
        hints=GEMINI_HINTS,
    ),
    "instances": Words(
        to_request=instances_to_request,
        from_response=instances_from_response,
        stream_decoder=InstancesStreamDecoder,
        several=lambda _: False,  # many containers give one whatever they are asked for
        hints=INSTANCES_HINTS,
    ),
    "openai": Words(
        to_request=openai_to_request,
        from_response=openai_from_response,
        stream_decoder=OpenaiStreamDecoder,
        several=lambda target: "n" not in server_of(target).refused,
    ),
    "anthropic": Words(
        to_request=anthropic_to_request,
        from_response=anthropic_from_response,
        stream_decoder=AnthropicStreamDecoder,
        several=lambda _: False,
        hints=ANTHROPIC_HINTS,
    ),
    "bedrock": Words(
        to_request=bedrock_to_request,
        from_response=bedrock_from_response,
        stream_decoder=BedrockStreamDecoder,
        several=lambda _: False,
        hints=BEDROCK_HINTS,
    ),
}


class ChunkTeller:
    """``calls.Teller`` of hub chunks."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        return self._decoder.usage

    def arrived(self, events: Iterable[bytes]) -> tuple[list[Chunk], UpstreamError | None]:
        """The chunks up to the first error, and the error."""
        chunks: list[Chunk] = []
        try:
            for event in events:
                chunks += self._decoder.decode(event)
        except UpstreamError as exc:
            return chunks, exc
        return chunks, None

    def ended(self) -> list[Chunk]:
        """The finishes and the usage."""
        return self._decoder.flush()


async def complete(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> ChatCompletion:
    """The whole answer. Raises BadInput (the target cannot express the request) and UpstreamError."""
    journey.hints = _hints(exchange, target)
    if one_at_a_time(exchange, target):
        answer = await _fanned_out(exchange, target, via=via, journey=journey)
    else:
        body = await whole(_call(exchange.request, target, stream=False), via=via, journey=journey)
        answer = DIALECTS[target.dialect].from_response(body, exchange)
    journey.usage = answer.usage
    return answer_retold(answer, exchange.request, target.dialect)


def arrivals(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Arrivals:
    """The chunks of a streamed answer, joined for each arrival of bytes, and whether they are the last.

    Raises BadInput and UpstreamError, also in the middle. Close it when the caller leaves: that ends the call.
    """
    journey.hints = _hints(exchange, target)
    if not streams(target):
        return _told_at_once(exchange, target, via=via, journey=journey)
    if one_at_a_time(exchange, target):
        return _streams_fanned_out(exchange, target, via=via, journey=journey)
    return _streamed(exchange, target, via=via, journey=journey)


def told_as_events(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Events:
    """The same as the caller's events."""
    if not streams(target) or one_at_a_time(exchange, target):
        return as_events(arrivals(exchange, target, via=via, journey=journey))
    journey.hints = _hints(exchange, target)
    teller = ChunkEvents(_decoder(exchange, target))
    return LiveEvents(_call(exchange.request, target, stream=True), teller, via=via, journey=journey)


def one_at_a_time(exchange: Exchange, target: Target) -> bool:
    """Whether several choices are wanted of a target that gives one: it is asked as often, at once."""
    return (
        (exchange.request.n or 1) > 1 and "n" not in target.drop_params and not DIALECTS[target.dialect].several(target)
    )


def _hints(exchange: Exchange, target: Target) -> tuple[str, ...]:
    return hints_in(exchange.request, DIALECTS[target.dialect].hints, drop=target.drop_params)


def _call(request: ChatRequest, target: Target, *, stream: bool) -> Call:
    body = DIALECTS[target.dialect].to_request(request, target)
    return Call(target=target, operation="chat", body=body, stream=stream)


def _streamed(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Arrivals:
    teller = ChunkTeller(_decoder(exchange, target))
    return told(_call(exchange.request, target, stream=True), teller, via=via, journey=journey)


def _decoder(exchange: Exchange, target: Target) -> Decoder:
    return stream_retold(DIALECTS[target.dialect].stream_decoder(exchange), exchange.request, target.dialect)


async def _told_at_once(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Arrivals:
    """The whole answer as one arrival, from a host that cannot stream."""
    completion = await complete(exchange, target, via=via, journey=journey)
    yield as_chunks(completion, exchange), True


async def _fanned_out(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> ChatCompletion:
    """The time until all are there is theirs."""

    def one(part: Exchange) -> Coroutine[object, object, ChatCompletion]:
        return complete(part, target, via=via, journey=journey.part())

    journey.waits()
    try:
        return await all_of(exchange, one)
    finally:
        journey.goes_on()


async def _streams_fanned_out(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Arrivals:
    parts: list[Journey] = []

    def one(part: Exchange) -> Arrivals:
        parts.append(journey.part())
        return _streamed(part, target, via=via, journey=parts[-1])

    def usage() -> Usage:
        return sum_of([part.usage for part in parts if part.usage is not None])

    journey.waits()
    try:
        async with aclosing(side_by_side(exchange, one, usage=usage)) as merged:
            async for arrival in merged:
                journey.goes_on()
                yield arrival
    finally:
        journey.goes_on()
        journey.usage = usage()
