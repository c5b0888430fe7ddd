"""Ask one target: an exchange or a caller's own body in, an answer or a stream of them out.

The dialects meet here and only here. Two ways lead to a target: a *hub exchange* is said in the target's dialect and
its answer told in the hub's words; a *passage* is a body in the target's own language, passed on as it came. Both make
one attempt; ``attempts.py`` makes the next.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from functools import partial

import msgspec

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
from tuneway.prediction.events import ChunkEvents, Close, Encode, Events, LiveEvents
from tuneway.prediction.fan_out import Part, all_of, one_of, placed, side_by_side
from tuneway.prediction.hub.answer import (
    DONE,
    ChatCompletion,
    Chunk,
    Exchange,
    Usage,
    encode_chunks,
)
from tuneway.prediction.hub.chunks import ChunkPress, as_chunks
from tuneway.prediction.hub.fit import hints_in
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.journey import Journey
from tuneway.prediction.outlet import Outlet, Source
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


def _done(_: Usage) -> bytes:
    return DONE


def _nothing(_: Usage) -> bytes:
    return b""


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """A chat whose answer is streamed, in a surface's words: OpenAI's chat, if nothing else is said.

    ``close`` gives what stands after the last chunk, for the tokens there were.
    """

    exchange: Exchange
    encode: Encode = encode_chunks
    close: Close = _done


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


def told_as_events(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> Events:
    """The streamed answer as OpenAI's chat tells it. Raises BadInput."""
    return LiveEvents(streamed([Telling(exchange=exchange)], target, via=via, journey=journey))


def streamed(tellings: Sequence[Telling], target: Target, *, via: Connection, journey: Journey) -> Source:
    """The streamed answers to one or several chats as one: with one end, and the tokens of all.

    Raises BadInput; the source raises UpstreamError, also in the middle. Close that when the caller leaves: it ends the
    calls.
    """
    first = tellings[0]
    journey.hints = _hints(first.exchange, target)
    parts = [part for telling in tellings for part in _parts(telling, target)]
    if len(parts) == 1:
        return _source(first, target, via=via, journey=journey)

    def closing(usage: Usage) -> bytes:
        return first.encode(ChunkPress(first.exchange).closing(usage)) + first.close(usage)

    asked: list[Part] = []
    for part in parts:
        own = journey.part()
        asked.append(Part(journey=own, source=_source(_open_ended(part), target, via=via, journey=own)))
    return partial(side_by_side, asked, closing, journey=journey)


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


def _parts(telling: Telling, target: Target) -> list[Telling]:
    """One for each call that it takes."""
    exchange = telling.exchange
    if not (streams(target) and one_at_a_time(exchange, target)):
        return [telling]
    return [_choice(telling, index) for index in range(exchange.request.n or 1)]


def _choice(telling: Telling, index: int) -> Telling:
    def encode(chunks: list[Chunk]) -> bytes:
        return telling.encode(placed(chunks, telling.exchange, index))

    return msgspec.structs.replace(telling, exchange=one_of(telling.exchange, index), encode=encode)


def _open_ended(telling: Telling) -> Telling:
    return msgspec.structs.replace(telling, close=_nothing)


def _source(telling: Telling, target: Target, *, via: Connection, journey: Journey) -> Source:
    """The stream of one call, or its whole answer as one piece from a host that cannot stream."""
    if not streams(target):
        return partial(_told_at_once, telling, target, via=via, journey=journey)
    exchange = telling.exchange
    teller = ChunkEvents(_decoder(exchange, target), encode=telling.encode, close=telling.close)
    return partial(told, _call(exchange.request, target, stream=True), teller, via=via, journey=journey)


def _decoder(exchange: Exchange, target: Target) -> Decoder:
    return stream_retold(DIALECTS[target.dialect].stream_decoder(exchange), exchange.request, target.dialect)


async def _told_at_once(
    telling: Telling, target: Target, _: Outlet, *, via: Connection, journey: Journey
) -> AsyncGenerator[bytes, None]:
    completion = await complete(telling.exchange, target, via=via, journey=journey)
    yield telling.encode(as_chunks(completion, telling.exchange)) + telling.close(completion.usage)


async def _fanned_out(exchange: Exchange, target: Target, *, via: Connection, journey: Journey) -> ChatCompletion:
    """The time until all are there is theirs."""

    def one(part: Exchange) -> Coroutine[object, object, ChatCompletion]:
        return complete(part, target, via=via, journey=journey.part())

    journey.waits()
    try:
        return await all_of(exchange, one)
    finally:
        journey.goes_on()
