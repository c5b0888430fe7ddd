"""The calls that objects in S3 take, each sent to its bucket's own region and signed for it.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/ (GetObject, HeadObject, PutObject, multipart uploads),
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (read 2026-11).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from html import escape
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from tuneway.adapters.aws_addresses import REGION, host
from tuneway.adapters.aws_calls import AwsAnswer, AwsCall, AwsCaller
from tuneway.adapters.aws_refusals import AwsRefused, element, mapped
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
KEY_BYTES = 1_024
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# HTTP clients resolve these; an object of such a name could not be told from another.
DOTS = {".", ".."}
# A part of 8 MiB over a slow line, with its retries.
SECONDS = 120.0
PARTIAL = 206
REMEDIES = {
    "AccessDenied": (
        "Allow this installation's role s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload there. "
        "Without s3:ListBucket S3 says the same of an object that does not exist."
    ),
    "EntityTooLarge": "Split the file.",
    "InvalidObjectState": "The object is archived: restore it first.",
    "NoSuchBucket": "Name a bucket that exists.",
    "NoSuchUpload": "The object may be there all the same: write it again.",
    "NoSuchKey": "There is no such object: upload it, or correct its name.",
}

T = TypeVar("T")


class S3Place(msgspec.Struct, frozen=True):
    """An object's bucket and key."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def place(uri: str) -> S3Place:
    """The object that ``uri`` names. Raises BadInput."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    legal = scheme == "s3" and BUCKET.fullmatch(bucket) and ".." not in bucket and _is_key(key)
    if not legal:
        raise BadInput(f"{uri!r} names no object in S3. Use s3://bucket/path/to/file.", code="invalid_uri")
    return S3Place(bucket, key)


class S3Objects:
    """The calls; each raises NotFound, NotAllowed, BadInput and TryLater that name the object.

    ``region`` is asked first of a bucket that is not known yet. ``base_url`` stands in for S3 itself.
    """

    def __init__(self, caller: AwsCaller, *, region: str, base_url: str | None = None) -> None:
        self._caller = caller
        self._region = region
        self._base_url = base_url.rstrip("/") if base_url else None
        self._regions: dict[str, str] = {}

    def open(self, where: S3Place, *, start: int = 0, etag: str | None = None) -> httpx.Response:
        """The object from byte ``start`` on, if it still is the one of ``etag``; who reads its body closes it."""
        whole = {"range": f"bytes={start}-"} if start else {}
        same = {"if-match": etag} if etag else {}
        with mapped(where.uri, REMEDIES):
            answer = self._sent(where, _call("GET", headers={**whole, **same}), self._caller.open)
        if start and answer.status_code != PARTIAL:
            answer.close()
            raise TryLater(f"{where.uri}: S3 gave the whole object where a part of it was asked for.")
        return answer

    def size(self, where: S3Place) -> int:
        """Bytes."""
        try:
            with mapped(where.uri, REMEDIES):
                return int(self._asked(where, _call("HEAD")).headers["content-length"])
        except (BadInput, NotAllowed, NotFound, KeyError, ValueError):
            # The answer to a HEAD has no body that would tell the reason; this one's has.
            with closing(self.open(where)) as response:
                return int(response.headers["content-length"])

    def put(self, where: S3Place, body: bytes) -> None:
        """The object, in one call."""
        with mapped(where.uri, REMEDIES):
            self._asked(where, _call("PUT", body=body))

    def delete(self, where: S3Place) -> None:
        """Remove; S3 says nothing of an object that is not there. Raises NotFound for the bucket."""
        with mapped(where.uri, REMEDIES):
            self._asked(where, _call("DELETE"))

    def begin(self, where: S3Place) -> str:
        """The id of a new upload. Asking twice leaves one without parts behind, which is not billed."""
        with mapped(where.uri, REMEDIES):
            found = element(self._asked(where, _call("POST", {"uploads": ""})).body, "UploadId")
        if not found:
            raise TryLater(f"{where.uri}: S3 began an upload without naming it.")
        return found

    def part(self, where: S3Place, upload: str, *, number: int, body: bytes) -> str:
        """The part's tag, which the end of the upload wants."""
        query = {"partNumber": str(number), "uploadId": upload}
        with mapped(where.uri, REMEDIES):
            found = self._asked(where, _call("PUT", query, body=body)).headers.get("etag", "")
        if not found:
            raise TryLater(f"{where.uri}: S3 took part {number} without a tag.")
        return found

    def complete(self, where: S3Place, upload: str, tags: Sequence[str]) -> None:
        """The object appears, made of the parts."""
        with mapped(where.uri, REMEDIES):
            self._asked(where, _call("POST", {"uploadId": upload}, body=_parts(tags), late=True))

    def abort(self, where: S3Place, upload: str) -> None:
        """Give up the upload and free its parts."""
        with mapped(where.uri, REMEDIES):
            self._asked(where, _call("DELETE", {"uploadId": upload}))

    def _asked(self, where: S3Place, call: AwsCall) -> AwsAnswer:
        return self._sent(where, call, self._caller.ask)

    def _sent(self, where: S3Place, call: AwsCall, send: Callable[[AwsCall], T]) -> T:
        region = self._regions.get(where.bucket, self._region)
        try:
            return send(self._addressed(where, call, region))
        except AwsRefused as refusal:
            # A bucket elsewhere: 301, 307, or 400 for a signature made for the wrong region.
            if refusal.region in {None, region} or REGION.fullmatch(refusal.region or "") is None:
                raise
            region = self._regions[where.bucket] = refusal.region or ""
        return send(self._addressed(where, call, region))

    def _addressed(self, where: S3Place, call: AwsCall, region: str) -> AwsCall:
        s3, key = host("s3", region), quote(where.key, safe="/~")
        # The certificates of S3 hold for one name before the service's, so a bucket with dots goes into the path.
        named = f"https://{s3}/{where.bucket}" if "." in where.bucket else f"https://{where.bucket}.{s3}"
        base = f"{self._base_url}/{where.bucket}" if self._base_url else named
        return msgspec.structs.replace(call, region=region, url=f"{base}/{key}{call.url}")


def _call(
    method: str,
    query: Mapping[str, str] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    late: bool = False,
) -> AwsCall:
    """A call that has yet to be addressed: its URL is only the query. All of them may be repeated."""
    asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
    given = headers or {}
    return AwsCall(
        method=method, service="s3", region="", url=asked, headers=given, body=body, late=late, seconds=SECONDS
    )


def _parts(tags: Sequence[str]) -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
        for number, tag in enumerate(tags, start=1)
    )
    space = "http://s3.amazonaws.com/doc/2006-03-01/"
    return f'<CompleteMultipartUpload xmlns="{space}">{parts}</CompleteMultipartUpload>'.encode()


def _is_key(key: str) -> bool:
    if not key or CONTROL.search(key) or DOTS & set(key.split("/")):
        return False
    try:
        return len(key.encode()) <= KEY_BYTES
    except UnicodeEncodeError:
        return False
