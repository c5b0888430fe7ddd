"""A dialect is one folder and one entry, a host one file and one row: newcomers are called like any other."""

import json
from typing import Any, cast

import pytest

from tests.unit.prediction.asking import exchange
from tests.unit.prediction.test_complete import Host, journey, via
from tuneway.ports import Auth
from tuneway.prediction.complete import DIALECTS, Words, complete, told_as_events
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    Delta,
    Exchange,
    Usage,
)
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.providers.addresses import Call
from tuneway.prediction.providers.table import PROVIDERS, Hosting
from tuneway.routing.routes import Target

NAMES: dict[str, Any] = {"provider": "newcomer", "dialect": "morse"}  # names that no file knows
NEWCOMER = Target(**NAMES, model="m-1")
COUNTED = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)


def to_request(request: ChatRequest, target: Target) -> dict[str, object]:
    return {"key": target.model, "dits": len(request.messages)}


def from_response(body: bytes, asked: Exchange) -> ChatCompletion:
    said = AnswerMessage(content=json.loads(body)["said"])
    choices = [Choice(index=0, message=said, finish_reason="stop")]
    return ChatCompletion(id=asked.id, created=asked.created, model=asked.request.model, choices=choices, usage=COUNTED)


class Decoder:
    def __init__(self, asked: Exchange) -> None:
        self.usage = COUNTED
        self._asked = asked

    def decode(self, event: bytes) -> list[Chunk]:
        said = [ChunkChoice(index=0, delta=Delta(content=json.loads(event)["said"]))]
        return [Chunk(id=self._asked.id, created=self._asked.created, model=self._asked.request.model, choices=said)]

    def flush(self) -> list[Chunk]:
        return []


def url(call: Call) -> str:
    return f"https://newcomer.example/{'stream' if call.stream else 'whole'}"


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words(to_request=to_request, from_response=from_response, stream_decoder=Decoder, several=lambda _: True)
    monkeypatch.setitem(cast("dict[str, Words]", DIALECTS), "morse", words)
    hosting = Hosting(url=url, auth=lambda _: Auth(kind="none"))
    monkeypatch.setitem(cast("dict[str, Hosting]", PROVIDERS), "newcomer", hosting)


async def test_a_new_dialect_at_a_new_host_answers() -> None:
    host = Host(b'{"said": "dah"}')
    answer = await complete(exchange(), NEWCOMER, via=via(host), journey=journey(NEWCOMER))
    assert answer.choices[0].message.content == "dah"
    (asked,) = host.asked
    assert (asked.url, json.loads(asked.body)) == ("https://newcomer.example/whole", {"key": "m-1", "dits": 1})


async def test_and_streams() -> None:
    host = Host(b'data: {"said": "di"}\n\ndata: {"said": "dah"}\n\n')
    events = told_as_events(exchange(stream=True), NEWCOMER, via=via(host), journey=journey(NEWCOMER))
    *chunks, done = b"".join([piece async for piece in events]).split(b"\n\n")[:-1]
    told = [json.loads(chunk.removeprefix(b"data: "))["choices"][0]["delta"] for chunk in chunks]
    assert ("".join(delta.get("content", "") for delta in told), done) == ("didah", b"data: [DONE]")
    assert host.asked[0].url == "https://newcomer.example/stream"
