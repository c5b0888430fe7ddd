import asyncio
from typing import Any

import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput, NotAllowed
from tuneway.ports import Media
from tuneway.prediction import fetching
from tuneway.prediction.fetching import fetched, needs_fetching
from tuneway.prediction.hub.request import ChatRequest
from tuneway.routing.routes import Target

CONVERSE = Target(dialect="bedrock", provider="bedrock", model="amazon.nova-lite-v1:0")
CLAUDE = Target(dialect="anthropic", provider="anthropic", model="claude-opus-4-6")
CLAUDE_ON_VERTEX = Target(dialect="anthropic", resource="projects/p/locations/us/publishers/anthropic/models/c")
GEMINI = Target(resource="projects/p/locations/us-central1/publishers/google/models/gemini-3.5-flash")
VLLM = Target(dialect="openai", provider="custom_openai", model="m", base_url="https://box/v1")
LLAMA_ON_VERTEX = Target(dialect="openai", resource="projects/p/locations/us/publishers/meta/models/llama-4-maas")
BOX = Target(dialect="instances", resource="projects/p/locations/us/endpoints/1")


class Shelf:
    """Sources that hold what they are told, and remember how much was allowed."""

    def __init__(self, **held: Media) -> None:
        self.held = held
        self.allowed: list[int] = []

    async def media(self, uri: str, *, most: int) -> Media:
        self.allowed.append(most)
        if "slow" in uri:
            await asyncio.sleep(10)
        if "forbidden" in uri:
            raise NotAllowed("It is private.")
        return self.held.get(
            uri.rpartition("/")[2].partition("?")[0].partition(".")[0], Media(b"\xff\xd8", "image/jpeg")
        )


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}


def document(uri: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_id": uri, "filename": "a.pdf"}}


def said(*parts: dict[str, Any]) -> ChatRequest:
    return ask({"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "t"}, *parts]})


async def fault(request: ChatRequest, shelf: Shelf) -> BadInput:
    with pytest.raises(BadInput) as caught:
        await fetched(request, CONVERSE, shelf)
    return caught.value


@pytest.mark.parametrize(
    ("target", "schemes"),
    [
        (CONVERSE, {"https", "gs"}),
        (CLAUDE, {"gs", "s3"}),
        (CLAUDE_ON_VERTEX, {"https", "gs", "s3"}),
        (GEMINI, {"s3"}),
        (VLLM, {"gs", "s3"}),
        (LLAMA_ON_VERTEX, {"s3"}),
        (BOX, set()),
    ],
)
def test_what_a_host_fetches_by_itself_is_left_to_it(target: Target, schemes: set[str]) -> None:
    asked = {
        scheme for scheme in ("https", "gs", "s3", "data") if needs_fetching(said(picture(f"{scheme}://b/x")), target)
    }
    assert asked == schemes
    assert needs_fetching(said(document("gs://b/x")), target) is ("gs" in schemes)


def test_words_alone_need_nothing() -> None:
    assert not needs_fetching(ask(), CONVERSE)
    assert not needs_fetching(said({"type": "file", "file": {"file_data": "JVBERg=="}}), CONVERSE)


async def test_pictures_and_documents_are_put_where_their_addresses_were() -> None:
    shelf = Shelf(b=Media(b"%PDF", "application/pdf"), c=Media(b"x", ""))
    request = said(picture("https://h/a.jpg?sig=1"), document("gs://k/b"), picture("gs://k/c.PNG"), picture("s3://k/d"))
    told = await fetched(request, CONVERSE, shelf)
    inline = said(
        picture("data:image/jpeg;base64,/9g="),
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"}},
        picture("data:image/png;base64,eA=="),
        picture("s3://k/d"),
    )
    assert told.messages == inline.messages
    assert shelf.allowed == [fetching.MOST_BYTES, fetching.MOST_BYTES - 2, fetching.MOST_BYTES - 6]


async def test_what_cannot_be_fetched_names_the_part_but_not_its_signature() -> None:
    caught = await fault(said(picture("https://h/a"), document("https://h/forbidden?sig=secret")), Shelf())
    assert caught.param == "messages[1].content[2].file.file_id"
    assert "It is private." in caught.message
    assert "secret" not in caught.message


@pytest.mark.parametrize(
    ("part", "media", "param"),
    [
        (picture("https://h/a"), Media(b"<html>", "text/html"), "messages[1].content[1].image_url.url"),
        (document("https://h/a"), Media(b"?", "application/octet-stream"), "messages[1].content[1].file.file_id"),
    ],
)
async def test_what_is_something_else_than_it_should_be_is_refused(part: Any, media: Media, param: str) -> None:
    assert (await fault(said(part), Shelf(a=media))).param == param


async def test_a_server_that_dawdles_is_not_waited_for() -> None:
    with pytest.raises(BadInput, match="within") as caught:
        await fetched(said(picture("https://h/slow")), CONVERSE, Shelf(), seconds=0.01)
    assert caught.value.param == "messages"
