"""The installation's own buckets are read for nobody, by whichever host."""

import json

import pytest

from tuneway.errors import BadInput
from tuneway.prediction.closed import refuse_closed

CLOSED = frozenset({"ours", "ours-s3"})


def body(*parts: object, content: object = None) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content or list(parts)}]}).encode()


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ({"type": "image_url", "image_url": {"url": "gs://ours/a.png"}}, "image_url.url"),
        ({"type": "file", "file": {"file_id": "s3://ours-s3/a.pdf"}}, "file.file_id"),
        ({"type": "image", "source": {"type": "url", "url": "gs://ours"}}, "source.url"),
        ({"type": "tool_result", "content": [{"source": {"url": "gs://ours/a"}}]}, "content[0].source.url"),
    ],
)
def test_a_part_in_an_own_bucket_is_named(part: object, where: str) -> None:
    with pytest.raises(BadInput, match="own bucket") as caught:
        refuse_closed(body({"type": "text", "text": "t"}, part), CLOSED)
    assert caught.value.param == f"messages[0].content[1].{where}"


@pytest.mark.parametrize(
    "written", [rb"gs:\/\/ours/a", rb"\u0067s://ours/a", rb"gs\u003a//ours/a", rb"gs:\u002F/ours/a"]
)
def test_however_it_is_written(written: bytes) -> None:
    plain = body({"type": "image_url", "image_url": {"url": "gs://ours/a"}})
    with pytest.raises(BadInput):
        refuse_closed(plain.replace(b"gs://ours/a", written), CLOSED)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "gs://ours-not/a.png"}},
        {"type": "text", "text": "gs://ours/a.png is what?"},
        {"type": "tool_use", "input": {"url": "gs://ours/a.png"}},
        {"type": "tool_result", "content": "gs://ours/a.png"},
    ],
)
def test_other_buckets_and_mere_words_pass(part: object) -> None:
    refuse_closed(body(part), CLOSED)
    refuse_closed(body(content="gs://ours/a.png"), CLOSED)


def test_where_nothing_is_closed_or_referred_to_nothing_is_read() -> None:
    refuse_closed(b"gs:// no JSON", frozenset())
    refuse_closed(b"no JSON", CLOSED)
    with pytest.raises(BadInput):
        refuse_closed(b"gs:// no JSON", CLOSED)


def test_instructions_and_what_stands_in_documents_are_looked_at_too() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "gs://ours/a.png"}}
    document = {"type": "document", "source": {"type": "content", "content": [picture]}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [document]}
    for fields, where in (
        ({"system": [document]}, "system[0].source.content[0].source.url"),
        ({"messages": [{"content": [result]}]}, "messages[0].content[0].content[0].source.content[0].source.url"),
        ({"messages": [{"content": [{"type": "images", "urls": ["gs://ours/a"]}]}]}, "messages[0].content[0].urls[0]"),
        ({"messages": [{"content": {"image_url": "gs://ours/a"}}]}, "messages[0].content.image_url"),
    ):
        with pytest.raises(BadInput) as caught:
            refuse_closed(json.dumps({"model": "m", **fields}).encode(), CLOSED)
        assert caught.value.param == where


@pytest.mark.parametrize(
    "fields",
    [
        {"system": "gs://ours/a.png"},
        {"system": ["gs://ours/a.png"]},
        {"messages": [{"role": "user", "content": ["gs://ours/a.png"]}]},
        {"tools": [{"name": "f", "input_schema": {"default": "gs://ours/a.png"}}]},
        {"metadata": {"at": "gs://ours/a.png"}},
    ],
)
def test_words_of_other_fields_are_no_addresses(fields: dict[str, object]) -> None:
    refuse_closed(json.dumps({"model": "m", **fields}).encode(), CLOSED)
