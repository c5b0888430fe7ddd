"""A client may leave in any turn of the loop: the host's call ends, one line is written, nobody is left behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from tests.unit.adapters.upstream_server import Visit, serving
from tests.unit.edge.live_door import ANSWER, CLAUDE, CLAUDES, END, HEAD
from tests.unit.edge.predict_door import GEMINI, MESSAGES, RESOURCE, Caller, Predict
from tuneway.adapters.http1 import Connection
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.edge.surfaces import answering
from tuneway.edge.surfaces.chat import CHAT
from tuneway.edge.surfaces.messages import MESSAGES as CLAUDES_WAY
from tuneway.routing.routes import Limits, Target

SOME_TURNS, FAR_TOO_MANY = 3, 400
_TEXTS: tuple[tuple[str, dict[str, object]], ...] = (("He", {}), ("l", {}), ("lo", {"finishReason": "STOP"}))
GEMINIS = [
    b"data: %b\n\n" % json.dumps({**GEMINI, "candidates": [{"content": {"parts": [{"text": text}]}, **end}]}).encode()
    for text, end in _TEXTS
]
TOLD = {"openai": ANSWER, "gemini": GEMINIS, "anthropic": CLAUDES}
TARGETS = {
    "openai": Target(provider="custom_openai", dialect="openai", model="served"),
    "gemini": Target(resource=f"{RESOURCE}1"),
    "anthropic": msgspec.convert(CLAUDE, Target),
}


class Watched(HttptoolsUpstream):
    """Remembers its connections."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Connection] = []

    @override
    async def connected(self, *to: Any, **more: Any) -> Connection:
        self.made.append(await super().connected(*to, **more))
        return self.made[-1]


class Leaver(Caller):
    """Takes each piece in some turns of the loop, when he is slow."""

    def __init__(self, predict: Predict, body: dict[str, object], *, path: str, slow: bool) -> None:
        self._turns = SOME_TURNS if slow else 0
        super().__init__(predict, body, path=path)

    @override
    async def _send(self, message: Any) -> None:
        await super()._send(message)
        for _ in range(self._turns):
            await asyncio.sleep(0)


class Hall:
    """A door, its host, and whoever is in there."""

    def __init__(self, predict: Predict, upstream: Watched, body: dict[str, object]) -> None:
        self.predict = predict
        self.upstream = upstream
        self.body = body
        self._others = asyncio.all_tasks()

    async def visited(self, turns: int, *, path: str, slow: bool) -> tuple[bool, list[int]]:
        """Whether the answer was over before the client left after so many turns, and the statuses in its lines."""
        before = len(self.predict.lines())
        caller = Leaver(self.predict, self.body, path=path, slow=slow)
        for _ in range(turns):
            await asyncio.sleep(0)
        over = caller.call.done()
        caller.leave()
        await asyncio.wait_for(caller.call, 5)
        await self.upstream.close()
        assert not [connection for connection in self.upstream.made if connection.open]
        async with asyncio.timeout(5):
            while self._left_behind():  # noqa: ASYNC110  (tasks of the host tell nobody of their end)
                await asyncio.sleep(0.001)
        return over, [line["status"] for line in self.predict.lines()[before:]]

    def _left_behind(self) -> list[asyncio.Task[Any]]:
        """Whoever is busy for this client still, here or at the host; routes are kept fresh for all."""
        return [task for task in asyncio.all_tasks() - self._others if "_keep_fresh" not in repr(task.get_coro())]


@asynccontextmanager
async def hall(folder: Path, target: Target, *, n: int, **route: Any) -> AsyncIterator[Hall]:
    async def telling(visit: Visit) -> None:
        await visit.write(HEAD)
        for piece in (*(b"%x\r\n%b\r\n" % (len(event), event) for event in TOLD[target.dialect]), END):
            for _ in range(SOME_TURNS):
                await asyncio.sleep(0)
            await visit.write(piece)

    upstream = Watched()
    async with serving(telling) as host:
        predict = Predict(folder, upstream=upstream, base_url=host.url)
        predict.state.key("k", "acme")
        at = host.url + ("/v1" if target.dialect == "openai" else "")
        predict.state.route("shop", msgspec.structs.replace(target, base_url=None if target.resource else at), **route)
        asked = {"model": "shop", "messages": MESSAGES, "stream": True, "max_tokens": 50}
        predict.log.touch()
        yield Hall(predict, upstream, {**asked, "n": n} if n > 1 else asked)
        await upstream.close()


@pytest.mark.parametrize("slow", [False, True], ids=["hasty", "slow"])
@pytest.mark.parametrize(
    ("dialect", "path", "n"),
    [
        ("openai", CHAT, 1),
        ("openai", CLAUDES_WAY, 1),
        ("gemini", CHAT, 1),
        ("gemini", CLAUDES_WAY, 1),
        ("anthropic", CHAT, 2),
    ],
)
async def test_a_client_may_leave_in_any_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str, path: str, n: int, *, slow: bool
) -> None:
    monkeypatch.setattr(answering, "UNWATCHED_SECONDS", 0.0)
    route = {"timeouts": Limits(first=5.0, between=5.0, total=10.0)} if slow else {}
    told = list[int]()
    async with hall(tmp_path, TARGETS[dialect], n=n, **route) as place:
        for turns in range(FAR_TOO_MANY):
            over, statuses = await place.visited(turns, path=path, slow=slow)
            assert len(statuses) == 1, turns
            told += statuses
            if over:
                break
    assert (told[0], told[-1], set(told)) == (499, 200, {499, 200})
