"""The folder that stands for Cloud Storage: ``<bucket>/<object path>``, and no way out of it."""

import re
from pathlib import Path

from tuneway.local.vertex.refusals import Refusal, invalid

BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
GS = re.compile(r"gs://([^/]+)/(.+)", re.DOTALL)


def bucket_folder(root: Path, bucket: str) -> Path:
    """Where a bucket's objects lie. Raises Refusal for a name that no bucket can have."""
    if BUCKET.fullmatch(bucket) is None or ".." in bucket:
        raise invalid("bucket", f"Invalid bucket name: '{bucket}'")
    return root / bucket


def object_file(root: Path, bucket: str, name: str) -> Path:
    """Where an object lies. Raises Refusal for a name that a folder cannot hold."""
    pieces = name.split("/")
    if any(piece in {"", ".", ".."} for piece in pieces) or "\0" in name or "\\" in name:
        raise invalid("object", f"The simulation keeps objects as files and cannot hold the name '{name}'.")
    return bucket_folder(root, bucket).joinpath(*pieces)


def located(root: Path, uri: str) -> Path:
    """The file behind ``gs://bucket/object``. Raises Refusal when it is no such URI."""
    matched = GS.fullmatch(uri)
    if matched is None:
        raise Refusal("INVALID_ARGUMENT", f"'{uri}' is not a Cloud Storage URI of the form gs://bucket/object.")
    return object_file(root, matched[1], matched[2])
