"""Uploads to Cloud Storage: media, multipart and resumable; an object appears whole or not at all."""

import re
import secrets
import shutil
from email.message import Message
from pathlib import Path
from typing import BinaryIO

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tuneway.local.vertex.blobs import BlobRecord, Blobs, Words, blob_body
from tuneway.local.vertex.narrow import strings, text
from tuneway.local.vertex.objects import object_file
from tuneway.local.vertex.refusals import Refusal, invalid
from tuneway.local.vertex.storage import answering, generation_match, json_response

CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<total>\d+|\*)")
UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
HEAD_BYTES, TAIL_BYTES = 1 << 20, 1 << 12


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A resumable upload under way, kept beside its bytes so that it outlives the process."""

    bucket: str
    name: str
    words: Words
    match: int | None
    done: bool = False


class Range(msgspec.Struct, frozen=True):
    """A chunk's place; ``first`` None asks how far the upload has come, ``total`` None leaves the end open."""

    first: int | None
    total: int | None


async def insert(blobs: Blobs, request: Request) -> Response:
    """``POST /b/{bucket}/o?uploadType=…``."""
    kind = request.query_params.get("uploadType", "media")
    action = {"media": _media, "multipart": _multipart, "resumable": _begin}.get(kind)
    if action is None:
        raise invalid("uploadType", f"Invalid upload type: '{kind}'")
    blobs.bucket(text(request.path_params["bucket"]))
    return await action(blobs, request)


async def resume(blobs: Blobs, request: Request) -> Response:
    """``PUT …?upload_id=``: a chunk of a resumable upload, or the question how far it has come."""
    part, session = _session(blobs, request)
    if session.done:
        record = await run_in_threadpool(blobs.record, session.bucket, session.name)
        return _stored(request, session.bucket, session.name, record=record)
    span = _span(request)
    if span.first is not None:
        await _append(request, part, span.first)
    held = await run_in_threadpool(_held, part)
    if span.total is None or held < span.total:
        return Response(status_code=308, headers={"Range": f"bytes=0-{held - 1}"} if held else {})
    return await _finish(blobs, request, part, session=session)


async def abandon(blobs: Blobs, request: Request) -> Response:
    """``DELETE …?upload_id=``: give a resumable upload up."""
    part, _ = _session(blobs, request)
    await run_in_threadpool(part.unlink, missing_ok=True)
    await run_in_threadpool(_notes(part).unlink)
    return Response(status_code=499)


def routes(blobs: Blobs) -> list[Route]:
    """The routes below ``/upload`` (and ``/resumable/upload``, where some clients begin)."""
    paths = ("/upload/storage/v1/b/{bucket}/o", "/resumable/upload/storage/v1/b/{bucket}/o")
    actions = (("POST", insert), ("PUT", resume), ("DELETE", abandon))
    return [Route(path, answering(blobs, action), methods=[verb]) for path in paths for verb, action in actions]


async def _media(blobs: Blobs, request: Request) -> Response:
    name = request.query_params.get("name", "")
    part = await _received(blobs, request)
    words = Words(request.headers.get("content-type"))
    return await _place(blobs, request, part, name=name, words=words)


async def _multipart(blobs: Blobs, request: Request) -> Response:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    boundary = header.get_boundary()
    if not boundary:
        raise invalid("body", "The multipart body has no boundary.")
    whole = await _received(blobs, request)
    part = whole.with_suffix(".data")
    fields, media_type = await run_in_threadpool(_split, whole, part, f"--{boundary}".encode())
    name = text(fields.get("name")) or request.query_params.get("name", "")
    words = Words(text(fields.get("contentType")) or media_type, strings(fields.get("metadata")))
    return await _place(blobs, request, part, name=name, words=words)


async def _begin(blobs: Blobs, request: Request) -> Response:
    body = await request.body()
    fields = msgspec.json.decode(body, type=dict[str, object]) if body else {}
    bucket = text(request.path_params["bucket"])
    name = text(fields.get("name")) or request.query_params.get("name", "")
    object_file(blobs.parts, bucket, name)
    media_type = text(fields.get("contentType")) or request.headers.get("x-upload-content-type")
    words = Words(media_type, strings(fields.get("metadata")))
    part = _new_part(blobs)
    await run_in_threadpool(part.touch)  # an empty object sends no bytes
    session = Session(bucket=bucket, name=name, words=words, match=generation_match(request))
    await run_in_threadpool(_keep, part, session)
    where = f"{request.base_url}upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={part.name}"
    return Response(status_code=200, headers={"Location": where, "X-GUploader-UploadID": part.name})


async def _finish(blobs: Blobs, request: Request, part: Path, *, session: Session) -> Response:
    record = await run_in_threadpool(
        blobs.place, part, session.bucket, session.name, words=session.words, match=session.match
    )
    # The notes stay, so that a client whose answer was lost learns that the upload is complete.
    await run_in_threadpool(_keep, part, msgspec.structs.replace(session, done=True))
    return _stored(request, session.bucket, session.name, record=record)


async def _place(blobs: Blobs, request: Request, part: Path, *, name: str, words: Words) -> Response:
    bucket = text(request.path_params["bucket"])
    match = generation_match(request)
    try:
        record = await run_in_threadpool(blobs.place, part, bucket, name, words=words, match=match)
    finally:
        await run_in_threadpool(part.unlink, missing_ok=True)
    return _stored(request, bucket, name, record=record)


async def _received(blobs: Blobs, request: Request) -> Path:
    """The body in a file, in constant memory."""
    part = _new_part(blobs)
    try:
        await _append(request, part, 0)
    except BaseException:
        await run_in_threadpool(part.unlink, missing_ok=True)
        raise
    return part


async def _append(request: Request, part: Path, first: int) -> None:
    """Write the body from ``first`` on; a chunk beyond the bytes held is left out, and the client told so."""
    held = await run_in_threadpool(_held, part)
    with await run_in_threadpool(part.open, "ab") as file:
        if first > held:
            return
        file.truncate(first)
        async for chunk in request.stream():
            file.write(chunk)


def _split(whole: Path, part: Path, boundary: bytes) -> tuple[dict[str, object], str | None]:
    """Take a multipart body apart: its JSON, its media type; the bytes go to ``part``."""
    try:
        with whole.open("rb") as source:
            head = source.read(HEAD_BYTES)
            _, described, carried = head.split(boundary + b"\r\n", 2)
            fields = msgspec.json.decode(described.partition(b"\r\n\r\n")[2], type=dict[str, object])
            headers, _, _ = carried.partition(b"\r\n\r\n")
            begin = len(head) - len(carried) + len(headers) + 4
            end = _end(source, boundary)
            source.seek(begin)
            with part.open("wb") as target:
                shutil.copyfileobj(source, target)
                target.truncate(end - begin)
    except (ValueError, msgspec.MsgspecError) as exc:
        raise invalid("body", "The multipart body is malformed.") from exc
    finally:
        whole.unlink()
    found = re.search(rb"content-type:\s*([^\r\n]+)", headers, re.IGNORECASE)
    return fields, found[1].decode("latin-1") if found else None


def _end(source: BinaryIO, boundary: bytes) -> int:
    """Where the carried bytes stop. Raises ValueError when the body was cut off before that."""
    size = source.seek(0, 2)
    begin = max(size - TAIL_BYTES, 0)
    source.seek(begin)
    return begin + source.read().rindex(b"\r\n" + boundary + b"--")


def _span(request: Request) -> Range:
    header = request.headers.get("content-range")
    if header is None:
        length = request.headers.get("content-length", "")
        return Range(0, int(length) if length.isdigit() else None)
    matched = CONTENT_RANGE.fullmatch(header)
    if matched is None:
        raise invalid("Content-Range", f"Failed to parse Content-Range header: {header}")
    first, total = matched["first"], matched["total"]
    return Range(int(first) if first else None, None if total == "*" else int(total))


def _session(blobs: Blobs, request: Request) -> tuple[Path, Session]:
    id_ = request.query_params.get("upload_id", "")
    part = blobs.parts / id_
    if UPLOAD_ID.fullmatch(id_) is None or not _notes(part).exists():
        raise Refusal("NOT_FOUND", "There is no such upload session.")
    return part, msgspec.json.decode(_notes(part).read_bytes(), type=Session)


def _keep(part: Path, session: Session) -> None:
    draft = part.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(session))
    draft.replace(_notes(part))


def _held(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _notes(part: Path) -> Path:
    return part.with_suffix(".json")


def _new_part(blobs: Blobs) -> Path:
    blobs.parts.mkdir(parents=True, exist_ok=True)
    return blobs.parts / secrets.token_hex(16)


def _stored(request: Request, bucket: str, name: str, *, record: BlobRecord) -> Response:
    return json_response(blob_body(bucket, name, record, base_url=str(request.base_url)))
