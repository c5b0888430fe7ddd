"""Every golden stream as an answer to each surface's question, taken piece by piece or poured."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from typing_extensions import override

from tests.golden.bedrock.framed import framed
from tuneway.errors import UpstreamError
from tuneway.ports import Auth, Pouring, Take, UpstreamRequest
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import ChatQuestion, Question
from tuneway.prediction.dialects.openai.passage import passage_of
from tuneway.prediction.journey import Journey
from tuneway.prediction.surfaces.completions.question import CompletionQuestion
from tuneway.prediction.surfaces.messages.question import MessagesQuestion, Received
from tuneway.routing.routes import Route, Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for kind in ("sse", "jsonl") for path in HERE.glob(f"*/*/stream.{kind}"))
CREATED = 1_700_000_000

# Who speaks in a folder's streams where its cases do not say so themselves.
SPEAKERS = {
    "anthropic": Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-4-5"),
    "bedrock": Target(provider="bedrock", dialect="bedrock", model="amazon.nova-lite-v1:0", region="us-east-1"),
    "gemini": Target(resource="projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash"),
    "instances": Target(resource="projects/p/locations/us-central1/endpoints/1", dialect="instances", raw=True),
}
# One whose completions are chats, and one that knows no ``n``.
CHATTING = Target(resource="projects/p/locations/global/endpoints/openapi", dialect="openai", model="meta/llama-4-maas")
SINGLE = Target(provider="custom_openai", dialect="openai", profile="tgi", model="m", base_url="http://h/v1")

Ask = Callable[[Connection, Journey], Question]


def chat(via: Connection, journey: Journey, **fields: Any) -> Question:
    said = {"messages": [{"role": "user", "content": "Hi"}], "stream_options": {"include_usage": True}, **fields}
    passage = passage_of(_body(**said), answer_id="chatcmpl-golden", created=CREATED)
    return ChatQuestion(passage, via=via, journey=journey)


def chats(via: Connection, journey: Journey) -> Question:
    """Two choices."""
    return chat(via, journey, n=2)


def messages(via: Connection, journey: Journey) -> Question:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    body = _body(max_tokens=4096, thinking=thinking, messages=[{"role": "user", "content": "Hi"}])
    received = Received(body=body, model="m", id="req-golden", created=CREATED)
    return MessagesQuestion(received, via=via, journey=journey)


def completions(via: Connection, journey: Journey, prompt: str | list[str] = "Once", **fields: Any) -> Question:
    body = _body(prompt=prompt, stream_options={"include_usage": True}, **fields)
    return CompletionQuestion(body, id="chatcmpl-golden", created=CREATED, via=via, journey=journey)


def prompts(via: Connection, journey: Journey) -> Question:
    """Two prompts, of which two choices each are wanted."""
    return completions(via, journey, ["Once", "Twice"], n=2)


def _body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "stream": True, **fields}).encode()


def name(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def body(case: Path) -> bytes:
    """The host's bytes."""
    if (case / "stream.sse").exists():
        return (case / "stream.sse").read_bytes()
    return framed((case / "stream.jsonl").read_bytes())


def speaker(case: Path) -> Target:
    if not (case / "target.json").exists():
        return SPEAKERS[case.parent.name]
    target = msgspec.json.decode((case / "target.json").read_bytes(), type=Target)
    return msgspec.structs.replace(target, base_url=target.base_url or "http://h/v1")


def _broken() -> UpstreamError:
    return UpstreamError("The connection broke.", status=502, kind="server_error")


class Host(Pouring):
    """A model's host that sends these pieces to whoever asks, and then breaks where it is told to."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, pieces: Sequence[bytes], *, breaks: bool) -> None:
        self._pieces = list(pieces)
        self._breaks = breaks

    @override
    def __aiter__(self) -> Self:
        return self

    @override
    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self._pieces:
            return self._pieces.pop(0)
        if self._breaks:
            raise _broken()
        raise StopAsyncIteration

    @override
    async def pour(self, take: Take) -> None:
        loop = asyncio.get_running_loop()
        while self._pieces:
            handed_over: asyncio.Future[Awaitable[object] | None] = loop.create_future()
            loop.call_soon(self._hand_over, take, handed_over)
            if (held := await handed_over) is not None:
                await held
        if self._breaks:
            raise _broken()

    def _hand_over(self, take: Take, over: asyncio.Future[Awaitable[object] | None]) -> None:
        """As arrivals are: outside of any task, until there is something to wait for."""
        held = None
        while self._pieces and held is None and not over.done():
            try:
                held = take(self._pieces.pop(0))
            except UpstreamError as exc:
                over.set_exception(exc)
        if not over.done():
            over.set_result(held)

    async def read(self) -> bytes:
        raise NotImplementedError

    def chunks(self) -> AsyncIterator[bytes]:
        return self


class Hosts:
    """``Upstream`` whose every host says the same, and ``Credentials`` for them."""

    def __init__(self, pieces: Sequence[bytes], *, breaks: bool = False) -> None:
        self._pieces = pieces
        self._breaks = breaks

    @asynccontextmanager
    async def send(self, request: UpstreamRequest) -> AsyncGenerator[Host, None]:
        assert request.body
        yield Host(self._pieces, breaks=self._breaks)

    async def headers(self, request: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        assert request.url
        return {auth.header: "t0ken"}


class Reader:
    """Takes what is poured; the pieces of which ``slow`` says so have to be waited for.

    ``woken`` is how often a task gave it something.
    """

    def __init__(self, slow: Sequence[bool]) -> None:
        self.told: list[bytes] = []
        self.woken = 0
        self._slow = list(slow)
        self._busy = False

    def take(self, piece: bytes) -> Awaitable[None] | None:
        assert not self._busy, "a piece came while the reader was to be waited for"
        self.told.append(piece)
        self.woken += asyncio.current_task() is not None
        return self._rest() if self._slow and self._slow.pop(0) else None

    async def _rest(self) -> None:
        self._busy = True
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._busy = False


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is taken: poured after so many pieces, or never; which poured pieces have to be waited for."""

    poured_after: int | None = None
    slow: Sequence[bool] = ()


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """All the caller gets, of which so many pieces were poured; what was noted."""

    told: bytes
    poured: int
    woken: int
    journey: Journey


async def answered(ask: Ask, target: Target, hosts: Hosts, way: Way) -> Answered:
    """Raises as the question does."""
    journey = Journey(Route(alias="m", targets=(target,), created_at=0.0), stream=True)
    first, rest = await ask(Connection(upstream=hosts, credentials=hosts), journey).opened(target)
    told, reader = [first], Reader(way.slow)
    while way.poured_after is None or len(told) <= way.poured_after:
        if (piece := await anext(rest, None)) is None:
            break
        told.append(piece)
    if way.poured_after is not None:
        await rest.pour(reader.take)
    await rest.aclose()
    whole = b"".join([*told, *reader.told])
    return Answered(told=whole, poured=len(reader.told), woken=reader.woken, journey=journey)
