"""Files of the web: public addresses only, every redirect looked at, read on where the connection broke."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO

import httpx
import pytest
from typing_extensions import override

from tuneway.adapters.https_calls import Reach
from tuneway.adapters.https_files import HttpsFiles
from tuneway.adapters.public_hosts import Resolve
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater

PUBLIC = "93.184.216.34"
URL = "https://data.example/train.csv?sig=secret"
Handler = Callable[[httpx.Request], httpx.Response]


class Cut(httpx.SyncByteStream):
    """A body that breaks off after ``good`` bytes."""

    def __init__(self, content: bytes, good: int) -> None:
        self._content = content
        self._good = good

    @override
    def __iter__(self) -> Iterator[bytes]:
        yield self._content[: self._good]
        if self._good < len(self._content):
            raise httpx.ReadError("reset")


def good(content: bytes) -> httpx.Response:
    return httpx.Response(200, headers={"content-length": str(len(content))}, stream=Cut(content, len(content)))


def public(_host: str, _port: int) -> list[str]:
    return [PUBLIC]


def files(handler: Handler, *, resolve: Resolve = public, private: bool = False) -> HttpsFiles:
    transport = httpx.MockTransport(handler)
    return HttpsFiles(Reach(resolve=resolve, transport=transport, wait=lambda _: None, private=private), most=1000)


def content(opened: AbstractContextManager[IO[bytes]]) -> bytes:
    with opened as file:
        return file.read()


def redirecting(target: str) -> Handler:
    return lambda request: (
        httpx.Response(302, headers={"location": target})
        if request.headers["host"] == "data.example"
        else good(b"there")
    )


def test_a_file_is_read_from_the_address_that_was_looked_at() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return good(b"rows")

    assert content(files(answer).read(URL)) == b"rows"
    assert seen[0].url.host == PUBLIC
    assert seen[0].headers["host"] == "data.example"
    assert seen[0].extensions["sni_hostname"] == "data.example"
    assert files(answer).size(URL) == 4


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["172.16.0.1"],
        ["192.168.1.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.1"],
        ["224.0.0.1"],
        ["::1"],
        ["fe80::1%eth0"],
        ["fd00:ec2::254"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:a9fe:a9fe::1"],
        [PUBLIC, "10.0.0.1"],
    ],
)
def test_an_address_in_a_private_network_is_refused_before_it_is_called(found: list[str]) -> None:
    def never(_: httpx.Request) -> httpx.Response:
        pytest.fail("it was called")

    with pytest.raises(NotAllowed, match="private network"):
        content(files(never, resolve=lambda _host, _port: found).read(URL))


def test_settings_may_allow_private_addresses() -> None:
    allowed = files(lambda _: good(b"x"), resolve=lambda _h, _p: ["10.0.0.1"], private=True)
    assert content(allowed.read(URL)) == b"x"


def test_a_redirect_is_followed_to_https() -> None:
    assert content(files(redirecting("https://cdn.example/x")).read(URL)) == b"there"
    assert content(files(redirecting("//cdn.example/x")).read(URL)) == b"there"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("http://cdn.example/x", "http://"),
        ("file:///etc/passwd", "file://"),
        ("", "nowhere"),
        ("/again", "more than 5 times"),
        ("https://user:pw@cdn.example/", "no user"),
    ],
)
def test_other_redirects_are_refused(target: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        content(files(redirecting(target)).read(URL))


def test_a_redirect_into_a_private_network_is_refused() -> None:
    def resolve(host: str, _port: int) -> list[str]:
        return ["169.254.169.254"] if host == "metadata" else [PUBLIC]

    with pytest.raises(NotAllowed):
        content(files(redirecting("https://metadata/token"), resolve=resolve).read(URL))


def broken(tag: str | None = '"v1"', later: str | None = '"v1"', *, ranges: bool = True) -> Handler:
    """Gives four bytes a call, then breaks."""
    whole = b"0123456789"

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.headers.get("range", "bytes=0-")[6:-1]) if ranges else 0
        named = later if "range" in request.headers else tag
        headers = {"content-length": str(len(whole) - start), **({"etag": named} if named else {})}
        if start:
            headers["content-range"] = f"bytes {start}-9/10"
        return httpx.Response(206 if start else 200, headers=headers, stream=Cut(whole[start:], 4))

    return answer


def test_a_connection_that_breaks_is_taken_up_where_it_broke() -> None:
    assert content(files(broken()).read(URL)) == b"0123456789"


@pytest.mark.parametrize(
    "handler",
    [broken(later='"v2"'), broken(ranges=False), broken(tag=None, later=None), broken(tag='W/"v1"', later='W/"v1"')],
)
def test_a_file_that_cannot_be_read_on_is_for_later(handler: Handler) -> None:
    with pytest.raises(TryLater):
        content(files(handler).read(URL))


@pytest.mark.parametrize("length", [{"content-length": "1001"}, {}])
def test_a_file_above_the_bound_is_refused(length: dict[str, str]) -> None:
    stream = Cut(bytes(1001), 1001)
    with pytest.raises(BadInput, match="more than 1,000 bytes"):
        content(files(lambda _: httpx.Response(200, headers=length, stream=stream)).read(URL))


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (410, NotFound), (403, NotAllowed), (503, TryLater), (418, BadInput)]
)
def test_a_refusal_is_told_without_the_signature(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        content(files(lambda _: httpx.Response(status)).read(URL))
    assert "data.example" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_may_pass_is_asked_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(429), good(b"x")])
    assert content(files(lambda _: next(answers)).read(URL)) == b"x"


@pytest.mark.parametrize("uri", ["http://data.example/x", "https:///x", "https://user:pw@data.example/x", "https://"])
def test_other_addresses_are_refused(uri: str) -> None:
    with pytest.raises(BadInput):
        content(files(lambda _: httpx.Response(200)).read(uri))


def test_a_host_that_is_not_there_is_not_found() -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(NotFound, match=r"data\.example"):
        content(files(lambda _: httpx.Response(200), resolve=nowhere).read(URL))


def test_nothing_is_written_to_the_web() -> None:
    with pytest.raises(BadInput):
        files(lambda _: httpx.Response(200)).write(URL)
    with pytest.raises(BadInput):
        files(lambda _: httpx.Response(200)).delete(URL)
