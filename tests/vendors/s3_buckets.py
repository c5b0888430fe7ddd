"""A fake of S3: objects, ranges, multipart uploads, buckets that live in regions.

Facts: the S3 API reference; botocore's model and signer check requests in the tests of this fake.
"""

import hashlib
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.sax.saxutils import escape

from tests.vendors.aws_services import Asked, Refused, Reply
from tests.vendors.sigv4 import Account

LEAST_PART = 5 * 2**20
REGION_HEADER = "x-amz-bucket-region"


@dataclass
class Upload:
    """A multipart upload under way."""

    place: str
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class S3Buckets:
    """``regions`` says where each bucket lives; ``objects`` are by ``bucket/key``."""

    regions: dict[str, str] = field(default_factory=lambda: {"bucket-1": "us-east-1"})
    session_token: str | None = None
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    begun: int = 0

    def operation(self, asked: Asked) -> str:
        match asked.method, "uploads" in asked.query, "uploadId" in asked.query:
            case "POST", True, _:
                return "CreateMultipartUpload"
            case "POST", _, True:
                return "CompleteMultipartUpload"
            case "PUT", _, True:
                return "UploadPart"
            case "DELETE", _, True:
                return "AbortMultipartUpload"
            case method, _, _:
                return f"{method.title()}Object"

    def account(self, asked: Asked) -> Account:
        bucket = _place(asked).partition("/")[0]
        region = self.regions.get(bucket, "us-east-1")
        if f"/{region}/s3/" not in asked.headers.get("authorization", f"/{region}/s3/"):
            raise Refused(301, "PermanentRedirect", region)
        return Account(service="s3", region=region, session_token=self.session_token)

    def perform(self, asked: Asked) -> Reply:
        place = _place(asked)
        if place.partition("/")[0] not in self.regions:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        upload = asked.query.get("uploadId", "")
        if upload and upload not in self.uploads:
            raise Refused(404, "NoSuchUpload", "The specified upload does not exist.")
        match asked.operation:
            case "GetObject":
                return self._get(asked, self._found(place))
            case "HeadObject":
                data = self._found(place)
                return Reply(200, b"", {"etag": _tag(data), "content-length": str(len(data))})
            case "PutObject":
                self.objects[place] = asked.raw
                return Reply(200, b"", {"etag": _tag(asked.raw)})
            case "DeleteObject":
                self.objects.pop(place, None)
                return Reply(204)
            case _:
                return self._upload(asked, place)

    def _upload(self, asked: Asked, place: str) -> Reply:
        name = asked.query.get("uploadId", "")
        match asked.operation:
            case "CreateMultipartUpload":
                return self._begin(place)
            case "UploadPart":
                self.uploads[name].parts[int(asked.query["partNumber"])] = asked.raw
                return Reply(200, b"", {"etag": _tag(asked.raw)})
            case "AbortMultipartUpload":
                del self.uploads[name]
                return Reply(204)
            case _:
                self.objects[place] = _joined(asked, self.uploads[name])
                del self.uploads[name]
                return Reply(200, b"<CompleteMultipartUploadResult/>")

    def refusal(self, asked: Asked, refused: Refused) -> Reply:
        moved = refused.code == "PermanentRedirect"
        headers = {REGION_HEADER: refused.said} if moved else {}
        xml = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.said)}</Message></Error>"
        body = b"" if asked.method == "HEAD" else f'<?xml version="1.0"?>\n{xml}'.encode()
        return Reply(refused.status, body, headers)

    def _get(self, asked: Asked, data: bytes) -> Reply:
        tag = _tag(data)
        if asked.headers.get("if-match", tag) != tag:
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions did not hold")
        start = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(data):
            raise Refused(416, "InvalidRange", "The requested range is not satisfiable")
        return Reply(206 if start else 200, data[start:], {"etag": tag})

    def _begin(self, place: str) -> Reply:
        self.begun += 1
        name = f"upload/{self.begun}+=="
        self.uploads[name] = Upload(place)
        root = "InitiateMultipartUploadResult"
        return Reply(200, f"<{root}><UploadId>{name}</UploadId></{root}>".encode())

    def _found(self, place: str) -> bytes:
        if place not in self.objects:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        return self.objects[place]


def _joined(asked: Asked, upload: Upload) -> bytes:
    named = [part.partition(b"</PartNumber>")[0] for part in asked.raw.split(b"<PartNumber>")[1:]]
    parts = [upload.parts[int(number)] for number in named]
    if any(len(part) < LEAST_PART for part in parts[:-1]):
        raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    if any(_tag(part).encode() not in asked.raw.replace(b"&quot;", b'"') for part in parts):
        raise Refused(400, "InvalidPart", "One or more of the specified parts could not be found.")
    return b"".join(parts)


def _place(asked: Asked) -> str:
    return unquote(asked.raw_path).removeprefix("/")


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
