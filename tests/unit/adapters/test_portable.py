"""The rules that both plugs of a port share."""

import pytest

from tuneway.adapters.portable import bucket_and_path, check_commit, encoded
from tuneway.errors import BadInput
from tuneway.ports import Key, Put


def test_a_uri_is_split_at_the_bucket() -> None:
    assert bucket_and_path("gs://my-bucket/a/b c%20.jsonl") == ("my-bucket", "a/b c%20.jsonl")


def test_what_cloud_storage_allows_is_allowed() -> None:
    assert bucket_and_path("gs://b.example.com/a//b/") == ("b.example.com", "a//b/")


def test_equal_fields_are_equal_bytes() -> None:
    assert encoded({"a": 1, "b": {"c": 2, "d": [None]}}) == encoded({"b": {"d": [None], "c": 2}, "a": 1})


def test_a_document_to_the_byte_is_allowed_and_no_more() -> None:
    key = Key("jobs", "a")
    spare = 1_048_576 - 32 - (16 + 5 + 2) - (4 + 1) - (5 + 1)
    check_commit([Put(key, {"one": "x" * 500_000, "three": "y" * (spare - 500_001)})])
    with pytest.raises(BadInput, match="1,048,577 bytes"):
        check_commit([Put(key, {"one": "x" * 500_000, "three": "y" * (spare - 500_000)})])
