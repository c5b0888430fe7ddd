"""The Cloud Storage JSON calls that google-cloud-storage makes: buckets, list, get, download, delete."""

import base64
import binascii
from collections.abc import Awaitable, Callable

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tuneway.local.vertex.blobs import BlobRecord, Blobs, PreconditionFailed, blob_body, content_type
from tuneway.local.vertex.narrow import text, whole
from tuneway.local.vertex.refusals import Refusal, invalid, storage_error_body

Endpoint = Callable[[Request], Awaitable[Response]]
Action = Callable[[Blobs, Request], Awaitable[Response]]
MOST = 1000


class Window:
    """One page of a listing: objects and the prefixes that a delimiter makes, by name."""

    def __init__(self, request: Request) -> None:
        query = request.query_params
        self._prefix = query.get("prefix", "")
        self._delimiter = query.get("delimiter", "")
        self._after = _decoded(query.get("pageToken", ""))
        self._start, self._end = query.get("startOffset", ""), query.get("endOffset", "")
        self._size = min(whole(query.get("maxResults"), MOST) or MOST, MOST)

    def of(self, names: list[str]) -> tuple[list[str], str | None]:
        """The entries of this page (prefixes end with the delimiter) and the token of the next."""
        entries = sorted({self._entry(name) for name in names if self._wanted(name)}, key=str.encode)
        left = [entry for entry in entries if not self._after or entry.encode() > self._after.encode()]
        page = left[: self._size]
        more = len(left) > len(page)
        return page, base64.urlsafe_b64encode(page[-1].encode()).decode() if more else None

    def is_prefix(self, entry: str) -> bool:
        """Whether an entry stands for several objects."""
        return bool(self._delimiter) and entry.endswith(self._delimiter)

    def _wanted(self, name: str) -> bool:
        return name.startswith(self._prefix) and name >= self._start and (not self._end or name < self._end)

    def _entry(self, name: str) -> str:
        place = name.find(self._delimiter, len(self._prefix)) if self._delimiter else -1
        return name if place < 0 else name[: place + len(self._delimiter)]


async def make_bucket(blobs: Blobs, request: Request) -> Response:
    """``POST /b``."""
    try:
        name = text(msgspec.json.decode(await request.body(), type=dict[str, object]).get("name"))
    except msgspec.MsgspecError as exc:
        raise Refusal("INVALID_ARGUMENT", f"Parse Error: {exc}") from exc
    blobs.make_bucket(name)
    return json_response(_bucket_body(name))


async def list_buckets(blobs: Blobs, request: Request) -> Response:
    """``GET /b``."""
    prefix = request.query_params.get("prefix", "")
    shown = [_bucket_body(name) for name in blobs.buckets() if name.startswith(prefix)]
    return json_response({"kind": "storage#buckets", "items": shown})


async def get_bucket(blobs: Blobs, request: Request) -> Response:
    """``GET /b/{bucket}``."""
    name = text(request.path_params["bucket"])
    blobs.bucket(name)
    return json_response(_bucket_body(name))


async def list_objects(blobs: Blobs, request: Request) -> Response:
    """``GET /b/{bucket}/o``."""
    return json_response(await run_in_threadpool(_listed, blobs, request))


async def get_object(blobs: Blobs, request: Request) -> Response:
    """``GET /b/{bucket}/o/{object}``: what is known, or with ``alt=media`` the bytes (a range, if asked)."""
    bucket, name = text(request.path_params["bucket"]), text(request.path_params["object"])
    record = await run_in_threadpool(blobs.record, bucket, name)
    blobs.check_generation(bucket, name, match=generation_match(request))
    wanted = request.query_params.get("generation")
    if wanted and wanted != str(record.generation):
        raise Refusal("NOT_FOUND", f"No such object: {bucket}/{name}#{wanted}")
    if request.query_params.get("alt") == "media" or request.url.path.startswith("/download/"):
        return _media(blobs, bucket, name, record=record, ranged="range" in request.headers)
    return json_response(blob_body(bucket, name, record, base_url=str(request.base_url)))


async def delete_object(blobs: Blobs, request: Request) -> Response:
    """``DELETE /b/{bucket}/o/{object}``."""
    bucket, name = text(request.path_params["bucket"]), text(request.path_params["object"])
    match = generation_match(request)
    await run_in_threadpool(blobs.remove, bucket, name, match=match)
    return Response(status_code=204)


def generation_match(request: Request) -> int | None:
    """The query's ``ifGenerationMatch``. Raises Refusal when it is no number."""
    value = request.query_params.get("ifGenerationMatch")
    if value is None:
        return None
    if not value.isdigit():
        raise invalid("ifGenerationMatch", f"Invalid value for: '{value}' is not a valid value")
    return int(value)


def answering(blobs: Blobs, action: Action) -> Endpoint:
    """The action as a route's endpoint, its refusals in Cloud Storage's form."""

    async def endpoint(request: Request) -> Response:
        try:
            return await action(blobs, request)
        except Refusal as refusal:
            return json_response(storage_error_body(refusal), status=refusal.code)
        except PreconditionFailed:
            message = "At least one of the pre-conditions you specified did not hold."
            body = storage_error_body(Refusal("FAILED_PRECONDITION", message), code=412)
            return json_response(body, status=412)

    return endpoint


def json_response(body: object, *, status: int = 200) -> Response:
    """JSON as an answer."""
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def routes(blobs: Blobs) -> list[Route]:
    """The routes below ``/storage/v1`` and ``/download/storage/v1``."""
    one = "/storage/v1/b/{bucket}/o/{object:path}"
    return [
        Route("/storage/v1/b", answering(blobs, list_buckets), methods=["GET"]),
        Route("/storage/v1/b", answering(blobs, make_bucket), methods=["POST"]),
        Route("/storage/v1/b/{bucket}", answering(blobs, get_bucket), methods=["GET"]),
        Route("/storage/v1/b/{bucket}/o", answering(blobs, list_objects), methods=["GET"]),
        Route(one, answering(blobs, get_object), methods=["GET"]),
        Route(one, answering(blobs, delete_object), methods=["DELETE"]),
        Route("/download" + one, answering(blobs, get_object), methods=["GET"]),
    ]


def _listed(blobs: Blobs, request: Request) -> dict[str, object]:
    bucket = text(request.path_params["bucket"])
    window = Window(request)
    page, token = window.of(blobs.names(bucket))
    objects = [
        blob_body(bucket, name, blobs.record(bucket, name), base_url=str(request.base_url))
        for name in page
        if not window.is_prefix(name)
    ]
    prefixes = [entry for entry in page if window.is_prefix(entry)]
    body: dict[str, object] = {"kind": "storage#objects"}
    found = {"items": objects, "prefixes": prefixes, "nextPageToken": token}
    return {**body, **{key: value for key, value in found.items() if value}}


def _media(blobs: Blobs, bucket: str, name: str, *, record: BlobRecord, ranged: bool) -> Response:
    headers = {
        "x-goog-generation": str(record.generation),
        "x-goog-metageneration": "1",
        "x-goog-stored-content-length": str(record.size),
    }
    if not ranged:
        headers["x-goog-hash"] = f"crc32c={record.crc32c},md5={record.md5}"
    return FileResponse(blobs.file(bucket, name), headers=headers, media_type=content_type(name, record))


def _bucket_body(name: str) -> dict[str, object]:
    return {"kind": "storage#bucket", "id": name, "name": name, "location": "US", "storageClass": "STANDARD"}


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error) as exc:
        raise invalid("pageToken", "Invalid page token.") from exc
