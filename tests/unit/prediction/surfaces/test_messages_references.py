"""Addresses in Anthropic's blocks that Claude's host does not fetch."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from tuneway.errors import BadInput, NotAllowed
from tuneway.ports import Media
from tuneway.prediction import fetching
from tuneway.prediction.surfaces.messages.references import needs_sources, with_sources
from tuneway.routing.routes import Target

CLAUDE = Target(dialect="anthropic", provider="anthropic", model="claude-opus-4-6")
ON_VERTEX = Target(dialect="anthropic", resource="projects/p/locations/us/publishers/anthropic/models/c")
PNG, PDF, NOTES = Media(b"\x89PNG", "image/png"), Media(b"%PDF", "application/pdf"), Media(b"a note", "text/markdown")
HELD = {"a.png": PNG, "a.pdf": PDF, "a.txt": NOTES, "a.zip": Media(b"PK", "application/zip")}
HELD |= {"latin.txt": Media(b"\xe9", "text/plain"), "page.html": Media(b"<html>", "text/html")}


class Shelf:
    """Sources that hold what they are told, and remember how much was allowed."""

    def __init__(self) -> None:
        self.allowed: list[int] = []

    async def media(self, uri: str, *, most: int) -> Media:
        self.allowed.append(most)
        if "slow" in uri:
            await asyncio.sleep(10)
        if "forbidden" in uri:
            raise NotAllowed("It is private.")
        return HELD[uri.rpartition("/")[2]]


def at(url: str, kind: str = "image", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "url", "url": url}, **fields}


def asked(*blocks: Any, **fields: Any) -> bytes:
    said = [{"role": "user", "content": list(blocks)}]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": said, **fields}).encode()


async def told(body: bytes, target: Target = ON_VERTEX, shelf: Shelf | None = None) -> Any:
    return json.loads(await with_sources(body, target, shelf or Shelf()))


def by_value(media: Media, data: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": media.kind, "data": data}


async def test_every_place_of_a_block_is_fetched() -> None:
    hint: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [at("s3://b/a.pdf", "document", title="A")]}
    made = {"type": "document", "source": {"type": "content", "content": [at("gs://b/a.png")]}}
    body = asked(at("https://h/a.png", **hint), result, made, new_field=1, system=[at("gs://b/a.txt", "document")])
    picture, shelf = by_value(PNG, "iVBORw=="), Shelf()
    said = await told(body, shelf=shelf)
    first, second, third = said["messages"][0]["content"]
    assert first == {"type": "image", "source": picture, **hint}
    assert second["content"] == [{"type": "document", "source": by_value(PDF, "JVBERg=="), "title": "A"}]
    assert third["source"]["content"] == [{"type": "image", "source": picture}]
    assert said["system"][0]["source"] == {"type": "text", "media_type": "text/plain", "data": "a note"}
    assert said["new_field"] == 1
    assert shelf.allowed[-1] == fetching.MOST_BYTES - len(PNG.data) * 2 - len(PDF.data)


@pytest.mark.parametrize(("target", "schemes"), [(CLAUDE, {"gs", "s3"}), (ON_VERTEX, {"https", "gs", "s3"})])
def test_what_a_host_fetches_by_itself_is_left_to_it(target: Target, schemes: set[str]) -> None:
    assert {
        scheme for scheme in ("https", "gs", "s3") if needs_sources(asked(at(f"{scheme}://b/x")), target)
    } == schemes


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": 'a "url" of gs://b/a.png'},
        {"type": "tool_use", "id": "t", "name": "f", "input": at("gs://b/a.png")},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "gs://b", "url": "gs://b"}},
        {"type": "image", "source": {"type": "url", "url": 5}},
        {"type": "image", "source": "url"},
        {"type": "search_result", "source": "gs://b/a", "title": "url", "content": []},
        at("https://h/a.png"),
        "words",
    ],
)
async def test_a_body_that_refers_to_nothing_stays_the_very_bytes(block: Any) -> None:
    body = asked(block, url="x")
    assert await with_sources(body, CLAUDE, Shelf()) is body


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (at("gs://b/a.zip", "document"), "application/zip"),
        (at("gs://b/latin.txt", "document"), "UTF-8"),
        (at("https://h/page.html"), "not a picture"),
        (at("s3://b/forbidden.png"), "It is private"),
    ],
)
async def test_what_claude_cannot_read_names_its_place(block: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why) as caught:
        await told(asked({"type": "text", "text": "t"}, block))
    assert caught.value.param == "messages[0].content[1].source.url"


async def test_a_server_that_dawdles_is_not_waited_for() -> None:
    with pytest.raises(BadInput, match="within") as caught:
        await with_sources(asked(at("https://h/slow.png")), ON_VERTEX, Shelf(), seconds=0.01)
    assert caught.value.param == "messages"


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(BadInput, match="not valid JSON"):
        needs_sources(b'{"url"', CLAUDE)


def within(depth: int) -> bytes:
    return b'{"content": [' * depth + json.dumps(at("https://h/a.png")).encode() + b"]}" * depth


@pytest.mark.parametrize("depth", [200, 300, 400, 490])
async def test_blocks_deep_within_blocks_are_fetched_or_refused(depth: int) -> None:
    """How deep is too deep depends on the interpreter."""
    with suppress(BadInput):
        assert b"iVBORw==" in await with_sources(within(depth), ON_VERTEX, Shelf())


async def test_blocks_within_blocks_without_end_are_refused() -> None:
    with pytest.raises(BadInput, match="nested too deeply") as caught:
        await with_sources(within(5_000), ON_VERTEX, Shelf())
    assert caught.value.code == "invalid_json"
