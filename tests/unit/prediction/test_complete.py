import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.unit.prediction.asking import CONTAINER, GEMINI, RAW, exchange
from tuneway.errors import BadInput, UpstreamError
from tuneway.ports import Auth, UpstreamRequest
from tuneway.prediction.calls import Connection
from tuneway.prediction.complete import complete, told_as_events
from tuneway.prediction.hub.answer import DONE, encode_completion
from tuneway.prediction.journey import Journey
from tuneway.routing.routes import Route, Target

BUSY = b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down."}}'


class Host:
    """A model's host that answers with the given pieces, and remembers what it was asked."""

    def __init__(self, *pieces: bytes | UpstreamError, status: int = 200) -> None:
        self.pieces = pieces
        self.status = status
        self.headers: Mapping[str, str] = {"retry-after": "9"}
        self.asked: list[UpstreamRequest] = []
        self.told = 0
        self.left = False

    @asynccontextmanager
    async def send(self, request: UpstreamRequest) -> AsyncIterator["Host"]:
        self.asked.append(request)
        try:
            yield self
        finally:
            self.left = True

    async def read(self) -> bytes:
        return b"".join([piece async for piece in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, UpstreamError):
                raise piece
            self.told += 1
            yield piece


class Badge:
    async def headers(self, _: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        return {auth.header: f"Bearer {auth.kind}-t0ken"}


def via(host: Host) -> Connection:
    return Connection(upstream=host, credentials=Badge(), base_url="http://sim")


def journey(target: Target) -> Journey:
    return Journey(Route(alias="m", targets=(target,), created_at=0.0))


def said(text: str, **candidate: Any) -> bytes:
    answer = {
        "candidates": [{"content": {"parts": [{"text": text}]}, **candidate}],
        "usageMetadata": {"totalTokenCount": 3},
    }
    return json.dumps(answer).encode()


def event(text: str, **candidate: Any) -> bytes:
    return b"data: %b\r\n\r\n" % said(text, **candidate)


async def streamed(host: Host, target: Target = GEMINI, **fields: Any) -> list[bytes]:
    pieces = told_as_events(exchange(stream=True, **fields), target, via=via(host), journey=journey(target))
    return [piece async for piece in pieces]


def contents(pieces: list[bytes]) -> list[Any]:
    events = b"".join(pieces).removesuffix(DONE).strip().split(b"\n\n")
    return [json.loads(one.removeprefix(b"data: ")) for one in events]


async def test_an_answer_is_asked_for_once_with_the_token() -> None:
    host = Host(said("Hi", finishReason="STOP"))
    completion = await complete(exchange(), GEMINI, via=via(host), journey=journey(GEMINI))
    assert (completion.model, completion.choices[0].message.content) == ("m", "Hi")
    assert json.loads(encode_completion(completion))["choices"][0]["logprobs"] is None
    assert [request.headers["authorization"] for request in host.asked] == ["Bearer google-t0ken"]
    assert host.asked[0].url == "http://sim/v1/projects/p/locations/us-central1/endpoints/1:generateContent"
    assert json.loads(host.asked[0].body) == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


@pytest.mark.parametrize("target", [GEMINI, RAW, CONTAINER])
async def test_an_error_status_is_raised_before_the_first_byte(target: Target) -> None:
    with pytest.raises(UpstreamError, match="Slow down") as caught:
        await streamed(Host(BUSY, status=429), target)
    assert (caught.value.status, caught.value.retry_after) == (429, 9.0)


async def test_what_a_target_cannot_express_is_never_sent() -> None:
    host = Host()
    with pytest.raises(BadInput):
        await streamed(host, CONTAINER, logprobs=True)
    assert host.asked == []


async def test_each_arrival_leaves_before_the_next_is_read() -> None:
    host = Host(event("a") + event("b"), event("c", finishReason="STOP"))
    pieces = told_as_events(exchange(stream=True), GEMINI, via=via(host), journey=journey(GEMINI))
    told = [(host.told, piece) async for piece in pieces]
    assert [(at, piece.count(b"data: ")) for at, piece in told] == [(1, 2), (2, 1), (2, 2)]
    assert told[-1][1].endswith(DONE)


@pytest.mark.parametrize(
    "end",
    [
        [],
        [b"data: {"],
        [b"data: <html>\n\n"],
        [BUSY],
        [b"data: " + BUSY + b"\n\n"],
        [UpstreamError("The connection broke.", status=502, kind="server_error")],
    ],
)
async def test_a_break_after_the_first_chunk_is_one_error_event_and_the_end(end: list[bytes | UpstreamError]) -> None:
    pieces = await streamed(Host(event("a"), *end))
    first, last = contents(pieces)
    assert first["choices"][0]["delta"]["content"] == "a"
    assert set(last["error"]) == {"message", "type", "param", "code"}
    assert DONE not in pieces[-1]


async def test_what_came_before_an_error_in_one_arrival_is_told() -> None:
    first, last = contents(await streamed(Host(event("a") + b"data: " + BUSY + b"\n\n")))
    assert first["choices"][0]["delta"]["content"] == "a"
    assert last["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("body", [b"", b"<html>", BUSY, b"data: " + BUSY])
async def test_a_stream_that_is_none_is_raised(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        await streamed(Host(body))


async def test_a_caller_who_leaves_ends_the_call_and_is_counted() -> None:
    host, record = Host(event("a"), event("b")), journey(GEMINI)
    pieces = told_as_events(exchange(stream=True), GEMINI, via=via(host), journey=record)
    await anext(pieces)
    await pieces.aclose()
    assert record.usage is not None
    assert (host.left, host.told, record.usage.total_tokens) == (True, 1, 3)


async def test_a_host_that_cannot_stream_is_told_at_once() -> None:
    host, record = Host(b'{"predictions": ["Hi", "Ho"]}'), journey(CONTAINER)
    asked = exchange(stream=True, stream_options={"include_usage": True})
    pieces = [piece async for piece in told_as_events(asked, CONTAINER, via=via(host), journey=record)]
    told = [(choice["index"], choice["finish_reason"]) for one in contents(pieces) for choice in one["choices"]]
    assert (len(pieces), told) == (1, [(0, None), (1, None), (0, "stop"), (1, "stop")])
    assert contents(pieces)[-1]["usage"]["estimated"] is True
    assert record.usage is not None
    assert record.usage.estimated is True
    assert await streamed(Host(b'{"predictions": ["Hi"]}'), CONTAINER) != []


async def test_a_raw_container_may_answer_a_stream_with_one_body() -> None:
    pieces = await streamed(Host(b'{"predictions":', b' ["Hi"]}'), RAW)
    assert [choice["delta"] for one in contents(pieces) for choice in one["choices"]] == [
        {"role": "assistant", "content": "Hi"},
        {},
    ]
