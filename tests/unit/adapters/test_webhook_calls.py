"""Sending to webhooks: public addresses only, no redirect, and only 2xx says that it is taken."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread

import httpx
import pytest
from typing_extensions import override

from tuneway.adapters.https_calls import Reach
from tuneway.adapters.webhook_calls import WebhookCalls
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater

PUBLIC = "93.184.216.34"
URL = "https://hooks.example:8443/services/secret?key=hidden"
DRIPPING = 100.0  # seconds
Handler = Callable[[httpx.Request], httpx.Response]


def calls(handler: Handler, *, found: str = PUBLIC, private: bool = False) -> WebhookCalls:
    transport = httpx.MockTransport(handler)
    return WebhookCalls(Reach(resolve=lambda _host, _port: [found], transport=transport, private=private))


def never(request: httpx.Request) -> httpx.Response:
    return pytest.fail(f"{request.url} was called")


def test_an_event_goes_to_the_address_that_was_looked_at() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    calls(answer)(URL, b"{}", {"webhook-id": "e-1"})
    (request,) = seen
    assert (request.method, request.content, request.url.host, request.url.port) == ("POST", b"{}", PUBLIC, 8443)
    assert (request.headers["host"], request.headers["webhook-id"]) == ("hooks.example:8443", "e-1")
    assert request.extensions["sni_hostname"] == "hooks.example"


@pytest.mark.parametrize("found", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_nothing_is_sent_into_private_networks(found: str) -> None:
    with pytest.raises(NotAllowed, match="private network"):
        calls(never, found=found)(URL, b"{}", {})


def test_an_installation_that_lets_them_in_reaches_private_networks_and_http() -> None:
    calls(lambda _: httpx.Response(200), found="127.0.0.1", private=True)("http://localhost:9000/", b"{}", {})
    with pytest.raises(NotAllowed, match="https://"):
        calls(never)("http://hooks.example/", b"{}", {})


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
def test_whatever_is_not_taken_is_sent_again_and_no_redirect_is_followed(status: int) -> None:
    answers = [httpx.Response(status, headers={"location": "https://elsewhere.example/"})]
    with pytest.raises(TryLater, match=str(status)) as fault:
        calls(lambda _: answers.pop())(URL, b"{}", {})
    assert fault.value.message.startswith("https://hooks.example:8443 answered")


def test_a_receiver_that_hangs_or_breaks_off_is_sent_it_again() -> None:
    def hang(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(TryLater, match="ReadTimeout") as fault:
        calls(hang)(URL, b"{}", {})
    assert "secret" not in fault.value.message


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_a_refused_address_is_told_by_its_host_alone(scheme: str) -> None:
    with pytest.raises(NotAllowed) as fault:
        calls(never)(f"{scheme}://hooks.example/services/secret", b"{}", {})
    assert "hooks.example" in fault.value.message
    assert "secret" not in fault.value.message


def test_a_receiver_that_drips_its_answer_is_broken_off_in_time() -> None:
    """Each byte comes well within the time of a read."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=dripped, args=(listening,), daemon=True).start()
        port, began = listening.getsockname()[1], time.monotonic()
        with pytest.raises(TryLater, match=r"took longer than 0\.4 s"):
            WebhookCalls(Reach(private=True), deadline=0.4)(f"http://127.0.0.1:{port}/", b"{}", {})
    assert 0.3 < time.monotonic() - began < DRIPPING


def dripped(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        for _ in range(int(DRIPPING / 0.05)):
            connection.sendall(b"H")
            time.sleep(0.05)


def test_a_handshake_that_never_ends_is_broken_off_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, began = listening.getsockname()[1], time.monotonic()
        with pytest.raises(TryLater, match=r"took longer than 0\.4 s"):
            WebhookCalls(Reach(private=True), deadline=0.4)(f"https://127.0.0.1:{port}/", b"{}", {})
    assert time.monotonic() - began < DRIPPING


def test_what_a_receiver_says_is_not_read() -> None:
    def endless(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    calls(endless)(URL, b"{}", {})


class Endless(httpx.SyncByteStream):
    @override
    def __iter__(self) -> Iterator[bytes]:
        pytest.fail("the body was read")


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BadInput):
        calls(never)("https://exa\x00mple/", b"{}", {})


def test_a_host_that_is_gone_is_told() -> None:
    def gone(_host: str, _port: int) -> list[str]:
        return []

    with pytest.raises(NotFound):
        WebhookCalls(Reach(resolve=gone, transport=httpx.MockTransport(never)))(URL, b"{}", {})
