"""Call a model: an exchange and a target in, an answer or a stream of events out.

The four axes meet here and only here: the dialect's transforms, the provider's URL, the framing, the token.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Protocol

import msgspec

from tuneway.errors import UpstreamError
from tuneway.ports import Timeouts, Tokens, Upstream, UpstreamRequest, UpstreamResponse
from tuneway.prediction.dialects.gemini.request import to_request as gemini_to_request
from tuneway.prediction.dialects.gemini.response import from_response as gemini_from_response
from tuneway.prediction.dialects.gemini.stream import StreamDecoder as GeminiStreamDecoder
from tuneway.prediction.dialects.instances.request import to_request as instances_to_request
from tuneway.prediction.dialects.instances.response import from_response as instances_from_response
from tuneway.prediction.dialects.instances.stream import StreamDecoder as InstancesStreamDecoder
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import (
    DONE,
    ChatCompletion,
    Chunk,
    Exchange,
    Usage,
    encode_chunks,
    encode_error_event,
)
from tuneway.prediction.hub.chunks import as_chunks
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.providers import vertex
from tuneway.prediction.upstream_errors import from_answer
from tuneway.routing.routes import Dialect, Target


class StreamDecoder(Protocol):
    """Events in, chunks out."""

    @property
    def usage(self) -> Usage:
        """The tokens so far."""
        ...

    def decode(self, event: bytes) -> list[Chunk]:
        """The chunks of one event. Raises UpstreamError."""
        ...

    def flush(self) -> list[Chunk]:
        """The chunks that the end brings. Raises UpstreamError when it came too early."""
        ...


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect: its three transforms."""

    to_request: Callable[[ChatRequest, Target], Mapping[str, object]]
    from_response: Callable[[bytes, Exchange], ChatCompletion]
    stream_decoder: Callable[[Exchange], StreamDecoder]


DIALECTS: dict[Dialect, Words] = {
    "gemini": Words(
        to_request=gemini_to_request,
        from_response=gemini_from_response,
        stream_decoder=GeminiStreamDecoder,
    ),
    "instances": Words(
        to_request=instances_to_request,
        from_response=instances_from_response,
        stream_decoder=InstancesStreamDecoder,
    ),
}
_ENCODER = msgspec.json.Encoder()


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How models are reached; ``base_url`` stands in for every host's scheme and name (the simulated Vertex AI)."""

    upstream: Upstream
    tokens: Tokens
    base_url: str | None = None
    timeouts: Timeouts = Timeouts()


async def complete(exchange: Exchange, target: Target, *, via: Connection) -> ChatCompletion:
    """The whole answer. Raises BadInput (the target cannot express the request) and UpstreamError."""
    request = await _upstream_request(exchange.request, target, stream=False, via=via)
    async with via.upstream.send(request) as response:
        await _accepted(response)
        body = await response.read()
    return DIALECTS[target.dialect].from_response(body, exchange)


async def stream(
    exchange: Exchange, target: Target, *, via: Connection, counted: Callable[[Usage], None] | None = None
) -> AsyncGenerator[bytes, None]:
    """Server-sent events, joined for each arrival of bytes and never held back, ``[DONE]`` at the end.

    Raises BadInput and UpstreamError before the first bytes, so that the caller gets a status; an error later is one
    error event and the end, without ``[DONE]``. ``counted`` is told the tokens, also of a stream that was left: close
    the generator when the caller leaves, that ends the upstream call.
    """
    pieces = (_streamed if vertex.streams(target) else _told_at_once)(exchange, target, via=via, counted=counted)
    started = False
    async with aclosing(pieces):
        try:
            async for piece in pieces:
                started = True
                yield piece
        except UpstreamError as exc:
            if not started:
                raise
            yield encode_error_event(exc)


async def _told_at_once(
    exchange: Exchange, target: Target, *, via: Connection, counted: Callable[[Usage], None] | None
) -> AsyncGenerator[bytes, None]:
    """The whole answer as one arrival, from a host that cannot stream."""
    completion = await complete(exchange, target, via=via)
    if counted is not None:
        counted(completion.usage)
    yield encode_chunks(as_chunks(completion, exchange)) + DONE


async def _streamed(
    exchange: Exchange, target: Target, *, via: Connection, counted: Callable[[Usage], None] | None
) -> AsyncGenerator[bytes, None]:
    request = await _upstream_request(exchange.request, target, stream=True, via=via)
    decoder = DIALECTS[target.dialect].stream_decoder(exchange)
    async with via.upstream.send(request) as response:
        await _accepted(response)
        try:
            async with aclosing(_translated(response, decoder)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            if counted is not None:
                counted(decoder.usage)


async def _translated(response: UpstreamResponse, decoder: StreamDecoder) -> AsyncGenerator[bytes, None]:
    """Bytes for bytes: what an arrival completes leaves at once, even when the same arrival ends in an error."""
    framing = SseDecoder()
    async for data in response.chunks():
        chunks, error = _decoded(framing.decode(data), decoder)
        if chunks:
            yield encode_chunks(chunks)
        if error is not None:
            raise error
    chunks, error = _decoded(framing.flush(), decoder)
    if chunks:
        yield encode_chunks(chunks)
    if error is not None:
        raise error
    yield encode_chunks(decoder.flush()) + DONE


def _decoded(events: Iterable[bytes], decoder: StreamDecoder) -> tuple[list[Chunk], UpstreamError | None]:
    """The chunks up to the first error, and the error."""
    chunks: list[Chunk] = []
    try:
        for event in events:
            chunks += decoder.decode(event)
    except UpstreamError as exc:
        return chunks, exc
    return chunks, None


async def _upstream_request(request: ChatRequest, target: Target, *, stream: bool, via: Connection) -> UpstreamRequest:
    body = _ENCODER.encode(DIALECTS[target.dialect].to_request(request, target))
    url = vertex.url(target, stream=stream, base_url=via.base_url)
    token = await via.tokens.token()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return UpstreamRequest(url=url, headers=headers, body=body, timeouts=via.timeouts)


async def _accepted(response: UpstreamResponse) -> None:
    if response.status != HTTPStatus.OK:
        raise from_answer(response.status, response.headers, await response.read())
