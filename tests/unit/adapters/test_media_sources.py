from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tuneway.adapters.media_sources import MediaSources, Reach
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.ports import Auth, Media, UpstreamRequest

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"


class Badges:
    async def headers(self, _: UpstreamRequest, auth: Auth) -> dict[str, str]:
        return {"authorization": f"{auth.kind} {auth.service if auth.kind == 'sigv4' else ''}{auth.region}"}


class World:
    """The network: names and what their servers answer."""

    def __init__(self, reply: Callable[[httpx.Request], httpx.Response], **reach: Any) -> None:
        self.asked: list[httpx.Request] = []
        self.names = {
            "pictures.example": PUBLIC,
            "inside.example": PRIVATE,
            "metadata.google.internal": "169.254.169.254",
        }

        def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return reply(request)

        upstream = HttpxUpstream(httpx.MockTransport(answer))
        reach = {"resolve": lambda name, _: [self.names[name]], "closed": frozenset({"ours-bucket"}), **reach}
        self.sources = MediaSources(upstream, Badges(), Reach(**reach))

    async def read(self, uri: str, most: int = 100) -> Media:
        return await self.sources.media(uri, most=most)


def png(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"png", headers={"content-type": "Image/PNG; charset=x"})


def redirecting(*places: str) -> Callable[[httpx.Request], httpx.Response]:
    left = list(places)
    return lambda request: httpx.Response(302, headers={"location": left.pop(0)}) if left else png(request)


async def fault(world: World, uri: str) -> TunewayError:
    with pytest.raises(TunewayError) as caught:
        await world.read(uri)
    return caught.value


async def test_a_picture_of_the_web_is_read_from_the_address_that_was_looked_at() -> None:
    world = World(png)
    assert await world.read("https://pictures.example/a.png?x=1#f") == Media(b"png", "image/png")
    [asked] = world.asked
    assert (asked.url.host, asked.headers["host"], asked.url.raw_path) == (PUBLIC, "pictures.example", b"/a.png?x=1")
    assert asked.extensions["sni_hostname"] == "pictures.example"
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("uri", ["https://inside.example/a", "https://metadata.google.internal/computeMetadata/v1"])
async def test_the_installations_own_network_is_read_for_nobody(uri: str) -> None:
    world = World(png)
    assert isinstance(await fault(world, uri), NotAllowed)
    assert world.asked == []


async def test_a_redirect_leads_into_it_no_more_than_an_address() -> None:
    world = World(redirecting("https://inside.example/a"))
    assert isinstance(await fault(world, "https://pictures.example/a"), NotAllowed)


async def test_redirects_are_followed() -> None:
    assert (
        await World(redirecting("/b", "https://pictures.example/c")).read("https://pictures.example/a")
    ).data == b"png"


async def test_but_not_for_ever_nor_away_from_https() -> None:
    assert isinstance(await fault(World(redirecting(*["/b"] * 9)), "https://pictures.example/a"), BadInput)
    assert isinstance(
        await fault(World(redirecting("http://pictures.example/a")), "https://pictures.example/a"), BadInput
    )


async def test_a_private_network_may_be_let_in() -> None:
    assert (await World(png, private=True).read("https://inside.example/a")).data == b"png"


async def test_a_file_that_is_too_large_is_given_up() -> None:
    world = World(lambda _: httpx.Response(200, content=b"x" * 101))
    assert (await fault(world, "https://pictures.example/a")).code == "too_large"


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://pictures.example/a",
        "https://user:secret@pictures.example/a",
        "https:///a",
        "https://pictures.example:99999/a",
        "https://pictures.example/ü",
        "https://pictures.example/a b\n",
        "https://pictures.example/a b.png",
        "gs://bucket",
        "s3://bucket/",
        "s3://UPPER/key",
    ],
)
async def test_what_is_no_address_is_refused(uri: str) -> None:
    world = World(png)
    assert isinstance(await fault(world, uri), BadInput)
    assert world.asked == []


@pytest.mark.parametrize(("status", "kind"), [(403, NotAllowed), (404, NotFound), (418, BadInput), (503, TryLater)])
async def test_refusals_have_their_meaning(status: int, kind: type[TunewayError]) -> None:
    world = World(lambda _: httpx.Response(status))
    assert type(await fault(world, "gs://bucket/a.png")) is kind


async def test_cloud_storage_is_read_as_the_installation() -> None:
    world = World(png)
    assert await world.read("gs://bucket/a/b c.png") == Media(b"png", "image/png")
    [asked] = world.asked
    assert str(asked.url) == "https://storage.googleapis.com/storage/v1/b/bucket/o/a%2Fb%20c.png?alt=media"
    assert asked.headers["authorization"] == "google "


@pytest.mark.parametrize("uri", ["gs://ours-bucket/files/x", "s3://ours-bucket/files/x"])
async def test_the_installations_own_bucket_is_read_for_nobody(uri: str) -> None:
    world = World(png)
    assert isinstance(await fault(world, uri), NotAllowed)
    assert world.asked == []


async def test_s3_is_read_in_the_buckets_own_region() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if "eu-west-1" in request.url.host:
            return png(request)
        return httpx.Response(301, headers={"x-amz-bucket-region": "eu-west-1"})

    world = World(reply)
    assert (await world.read("s3://bucket/a b.png")).data == b"png"
    assert [str(asked.url) for asked in world.asked] == [
        "https://bucket.s3.us-east-1.amazonaws.com/a%20b.png",
        "https://bucket.s3.eu-west-1.amazonaws.com/a%20b.png",
    ]
    assert world.asked[-1].headers["authorization"] == "sigv4 s3eu-west-1"


async def test_a_bucket_with_dots_stands_in_the_path() -> None:
    world = World(png)
    await world.read("s3://my.bucket/a.png")
    assert str(world.asked[0].url) == "https://s3.us-east-1.amazonaws.com/my.bucket/a.png"
