"""What only our own connection has to get right: HTTP's corners, TLS, and connections that rested too long."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.adapters.upstream_server import Server, Visit, serving
from tuneway.adapters import upstream_httptools
from tuneway.adapters.http1 import FAIR_SHARE
from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.errors import UpstreamError
from tuneway.ports import Timeouts, UpstreamRequest


@pytest.fixture
async def upstream() -> AsyncIterator[HttptoolsUpstream]:
    plug = HttptoolsUpstream()
    yield plug
    await plug.close()


def post(server: Server, **headers: str) -> UpstreamRequest:
    return UpstreamRequest(url=server.url + "/x", headers=headers, body=b"{}")


async def read(upstream: HttptoolsUpstream, request: UpstreamRequest) -> tuple[int, bytes]:
    async with upstream.send(request) as response:
        return response.status, await response.read()


async def told(upstream: HttptoolsUpstream, answer: bytes, *, close: bool = False, step: int = 0) -> tuple[int, bytes]:
    """What the plug makes of an answer's exact bytes, sent at once or in steps."""

    async def handler(visit: Visit) -> None:
        for start in range(0, len(answer), step or len(answer)):
            await visit.write(answer[start : start + (step or len(answer))])
            await asyncio.sleep(0)
        if close:
            visit.writer.close()

    async with serving(handler) as server:
        return await read(upstream, post(server))


@pytest.mark.parametrize("step", [1, 2, 7])
async def test_any_split_of_the_bytes_gives_the_same_answer(upstream: HttptoolsUpstream, step: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
    assert await told(upstream, answer, step=step) == (200, b"abcde")


async def test_interim_answers_are_passed_over(upstream: HttptoolsUpstream) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    assert await told(upstream, interim + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") == (200, b"ok")


async def test_a_body_may_end_with_the_connection(upstream: HttptoolsUpstream) -> None:
    assert await told(upstream, b"HTTP/1.1 200 OK\r\n\r\nall of it", close=True) == (200, b"all of it")


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n"])
async def test_an_answer_may_have_no_body(upstream: HttptoolsUpstream, head: bytes) -> None:
    assert (await told(upstream, head))[1] == b""


async def test_headers_after_the_body_are_passed_over(upstream: HttptoolsUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-id: 1\r\n\r\n"
    answer = head + b"2\r\nok\r\n0\r\nx-id: 2\r\n\r\n"
    async with serving(lambda visit: visit.write(answer)) as server, upstream.send(post(server)) as response:
        assert await response.read() == b"ok"
        assert response.headers["x-id"] == "1"


async def test_a_head_without_an_end_is_refused(upstream: HttptoolsUpstream) -> None:
    with pytest.raises(UpstreamError):
        await told(upstream, b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 60_000)


async def test_a_connection_the_host_wants_closed_is_not_used_again(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")

    async with serving(handler) as server:
        await read(upstream, post(server))
        await read(upstream, post(server))
        assert server.connections == 2


async def test_a_connection_closed_while_it_rested_is_replaced_unseen(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await visit.answer(b"{}")
        visit.writer.close()

    async with serving(handler) as server:
        for _ in range(5):
            assert (await read(upstream, post(server)))[0] == 200


async def test_a_connection_that_dies_under_the_request_is_replaced_once(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        if len(visit.server.seen) == 2:
            visit.writer.transport.abort()
        else:
            await visit.answer(b"{}")

    async with serving(handler) as server:
        assert (await read(upstream, post(server)))[0] == 200
        assert (await read(upstream, post(server)))[0] == 200
        assert len(server.seen) == 3


async def test_a_new_connection_that_dies_is_not_tried_again(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        visit.writer.transport.abort()

    async with serving(handler) as server:
        with pytest.raises(UpstreamError):
            await read(upstream, post(server))
        assert len(server.seen) == 1


async def test_a_connection_rests_only_so_long(upstream: HttptoolsUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_httptools, "IDLE_SECONDS", 0.05)
    async with serving(lambda visit: visit.answer(b"{}")) as server:
        await read(upstream, post(server))
        await asyncio.sleep(0.1)
        await read(upstream, post(server))
        assert server.connections == 2


async def test_words_nobody_asked_for_close_a_resting_connection(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await visit.answer(b"{}")
        await asyncio.sleep(0.02)
        await visit.write(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nforged!")

    async with serving(handler) as server:
        assert await read(upstream, post(server)) == (200, b"{}")
        await asyncio.sleep(0.1)
        assert await read(upstream, post(server)) == (200, b"{}")
        assert server.connections == 2


async def test_a_line_break_in_a_header_is_never_sent(upstream: HttptoolsUpstream) -> None:
    async with serving(lambda visit: visit.answer(b"{}")) as server:
        with pytest.raises(ValueError, match="line break"):
            await read(upstream, post(server, x="a\r\nevil: 1"))
        assert server.seen == []


async def test_a_reader_that_pauses_makes_the_host_wait(upstream: HttptoolsUpstream) -> None:
    sent = 0

    async def handler(visit: Visit) -> None:
        nonlocal sent
        await visit.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(2000):
            await visit.chunk(b"x" * 65_536)
            sent += 1
        await visit.write(b"0\r\n\r\n")

    async with serving(handler) as server, upstream.send(post(server)) as response:
        await asyncio.sleep(0.3)
        assert sent < 1000
        assert sum([len(chunk) async for chunk in response.chunks()]) == 2000 * 65_536


async def test_a_flood_lets_others_have_their_turn(upstream: HttptoolsUpstream) -> None:
    """Between two shares of what has arrived already, everybody else who waits is served."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def handler(visit: Visit) -> None:
        await visit.answer(b"x" * 1_000_000)

    async with serving(handler) as server, upstream.send(post(server)) as response:
        await asyncio.sleep(0.1)
        others = asyncio.create_task(other())
        sizes, seen = list[int](), list[int]()
        async for chunk in response.chunks():
            sizes.append(len(chunk))
            seen.append(turns)
        others.cancel()
    assert (sum(sizes), max(sizes)) == (1_000_000, FAIR_SHARE)
    assert all(later > earlier for earlier, later in pairwise(seen))


async def test_what_came_before_a_cut_is_told_before_the_fault(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await visit.chunk(b"x" * (FAIR_SHARE + 10))
        visit.writer.close()

    async with serving(handler) as server, upstream.send(post(server)) as response:
        await asyncio.sleep(0.1)
        chunks = response.chunks()
        assert len(await anext(chunks)) + len(await anext(chunks)) == FAIR_SHARE + 10
        with pytest.raises(UpstreamError):
            await anext(chunks)


async def test_of_several_headers_with_one_name_the_last_counts(upstream: HttptoolsUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Id: 1\r\nx-id: 2\r\ncontent-length: 0\r\n\r\n"
    async with serving(lambda visit: visit.write(head)) as server, upstream.send(post(server)) as response:
        assert response.headers["x-id"] == "2"


async def test_a_host_that_drips_without_a_pause_is_waited_for(upstream: HttptoolsUpstream) -> None:
    async def handler(visit: Visit) -> None:
        await visit.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(10):
            await visit.chunk(b"x")
            await asyncio.sleep(0.03)
        await visit.write(b"0\r\n\r\n")

    async with serving(handler) as server:
        request = msgspec.structs.replace(post(server), timeouts=Timeouts(read=0.15))
        assert await read(upstream, request) == (200, b"x" * 10)


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(secret + made.public_bytes(pem))
    return folder / "server.pem"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


def server_context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_tls_reaches_a_host_one_trusts(pem: Path) -> None:
    upstream = HttptoolsUpstream(tls=ssl.create_default_context(cafile=str(pem)))
    async with serving(lambda visit: visit.answer(b"{}"), tls=server_context(pem)) as server:
        for _ in range(3):
            assert await read(upstream, post(server)) == (200, b"{}")
        assert server.connections == 1
        await upstream.close()


async def test_tls_refuses_a_host_nobody_vouches_for(pem: Path, upstream: HttptoolsUpstream) -> None:
    async with serving(lambda visit: visit.answer(b"{}"), tls=server_context(pem)) as server:
        with pytest.raises(UpstreamError) as caught:
            await read(upstream, post(server))
        assert caught.value.status == 502
        assert server.seen == []


async def test_an_address_that_was_looked_at_is_where_the_call_goes_and_nobody_elses(
    upstream: HttptoolsUpstream,
) -> None:
    hosts: list[str] = []

    async def handler(visit: Visit) -> None:
        hosts.append(visit.headers["host"])
        await visit.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serving(handler) as server:
        url = server.url.replace("127.0.0.1", "no-such-host.invalid")
        pinned = UpstreamRequest(method="GET", url=url + "/x", headers={}, address="127.0.0.1")
        assert await read(upstream, pinned) == (200, b"ok")
        assert hosts[0].startswith("no-such-host.invalid")
        with pytest.raises(UpstreamError):  # the connection was that call's alone
            await read(upstream, msgspec.structs.replace(pinned, address=None))
