"""How a fake misbehaves when told to."""

import socket
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.vendors import vendors
from tests.vendors.fake import Fake
from tests.vendors.script import Error, Manner, Text, flood, garbage, html, wrong_type
from tests.vendors.serving import READY_SECONDS, serving
from tests.waiting import wait_until

HI = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "one two three"}], "stream": True}
IMPATIENT = httpx.Timeout(60, read=0.2)


def ask(fake: Fake, **more: object) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=60) as http:
        return http.post(f"{fake.url}/v1/chat/completions", json={**HI, **more}, headers=key(fake))


def key(fake: Fake) -> dict[str, str]:
    return {"authorization": f"Bearer {fake.key}"}


def test_answers_come_in_order_then_the_echo() -> None:
    with vendors.openai() as fake:
        fake.answers(Error(429), Text("second"))
        assert [ask(fake).status_code, "second" in ask(fake).text, "three" in ask(fake).text] == [429, True, True]


def test_what_always_comes_waits_for_what_is_next() -> None:
    with vendors.openai() as fake:
        fake.always(Error(503))
        fake.answers(Text("once"))
        assert [ask(fake).status_code for _ in range(3)] == [200, 503, 503]


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_an_answer_cut_short(after: int, *, stream: bool) -> None:
    with vendors.openai() as fake:
        fake.answers(Text("x", manner=Manner(cut=after if stream else 0)))
        with pytest.raises(httpx.RemoteProtocolError):
            ask(fake, stream=stream)


@pytest.mark.parametrize("after", [-1, 0, 1])
def test_a_connection_reset(after: int) -> None:
    with vendors.openai() as fake:
        fake.answers(Text("x", manner=Manner(reset=after)))
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            ask(fake)


@pytest.mark.parametrize("after", [-1, 0, 1])
def test_a_caller_who_leaves_a_hang_is_noticed(after: int) -> None:
    with vendors.openai() as fake, httpx.Client(trust_env=False, timeout=IMPATIENT) as http:
        fake.answers(Text("x", manner=Manner(hang=after)))
        with pytest.raises(httpx.ReadTimeout):
            http.post(f"{fake.url}/v1/chat/completions", json=HI, headers=key(fake))
        wait_until(lambda: bool(fake.requests))
        assert fake.requests[0].left.wait(60)
        assert fake.requests[0].ended.wait(60)


def test_a_fake_stops_while_it_hangs() -> None:
    began = time.monotonic()
    with vendors.openai() as fake, httpx.Client(trust_env=False, timeout=IMPATIENT) as http:
        fake.answers(Text("x", manner=Manner(hang=0)))
        with (
            pytest.raises(httpx.ReadTimeout),
            http.stream("POST", f"{fake.url}/v1/chat/completions", json=HI, headers=key(fake)) as answer,
        ):
            answer.read()
    assert time.monotonic() - began < READY_SECONDS


def test_a_slow_answer_takes_its_time() -> None:
    with vendors.openai() as fake:
        fake.answers(Text("x", manner=Manner(delay=0.3)))
        began = time.monotonic()
        assert ask(fake).status_code == 200
        assert time.monotonic() - began >= 0.3


def test_bytes_of_no_shape() -> None:
    with vendors.openai() as fake:
        fake.answers(html(), garbage(), wrong_type(), flood(1, "text/event-stream"))
        page, junk, text, endless = (ask(fake) for _ in range(4))
        assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
        assert (junk.status_code, text.headers["content-type"]) == (200, "text/plain")
        assert len(endless.content) == 1024 * 1024


def test_a_stream_without_its_mark_and_without_usage() -> None:
    with vendors.openai() as fake:
        fake.answers(Text("x", manner=Manner(done=False), usage=False))
        answer = ask(fake, stream_options={"include_usage": True}).text
        assert "[DONE]" not in answer
        assert '"usage":{' not in answer


def test_connections_are_counted() -> None:
    with vendors.openai() as fake:
        with httpx.Client(trust_env=False, timeout=60) as http:
            for _ in range(3):
                http.post(f"{fake.url}/v1/chat/completions", json=HI, headers=key(fake))
            assert (fake.connections.total, fake.connections.open) == (1, 1)
        wait_until(lambda: fake.connections.open == 0)


def test_small_writes_are_not_held_back() -> None:
    """With Nagle's algorithm small writes wait for the other side's delayed acknowledgements."""

    async def told(request: Request) -> JSONResponse:
        accepted = request.state.transport.get_extra_info("socket")
        return JSONResponse(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    with serving(Starlette(routes=[Route("/", told)])) as served:
        assert httpx.get(served.url, trust_env=False, timeout=60).json() == 1


def test_a_flood_reaches_a_caller_only_as_fast_as_it_reads() -> None:
    with vendors.openai() as fake, httpx.Client(trust_env=False, timeout=60) as http:
        fake.always(flood(256))
        for _ in range(2):
            with http.stream("POST", f"{fake.url}/v1/chat/completions", json=HI, headers=key(fake)) as answer:
                assert len(next(answer.iter_raw())) > 0
        assert all(asked.left.wait(60) for asked in fake.requests)


def test_a_refused_request_takes_no_answer() -> None:
    with vendors.openai() as fake:
        fake.answers(Text("kept"))
        assert ask(fake, unknown=1).status_code == 400
        assert "kept" in ask(fake).text
