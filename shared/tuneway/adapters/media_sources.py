"""Files that messages refer to: the web's from public addresses only, Cloud Storage's and S3's as the installation.

A caller names the address, so it may not lead into the installation's own network nor into its own bucket, where other
tenants' files lie. What else the installation may read in Cloud Storage and S3, its callers may ask a model about: its
identity should be allowed no more than that.
"""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from tuneway.adapters.aws_addresses import REGION, host
from tuneway.adapters.portable import bucket_and_path
from tuneway.adapters.public_hosts import Resolve, address, resolved
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.ports import Auth, Credentials, Media, Timeouts, Upstream, UpstreamRequest

TIMEOUTS = Timeouts(connect=5.0, read=20.0)
MOST_REDIRECTS = 5
OK = 200
STORAGE = "https://storage.googleapis.com"
HEADERS = {"accept-encoding": "identity"}
_VISIBLE = re.compile("[!-~]+")  # ASCII without spaces
_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[^\r\n\0]{1,1024})")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSALS: Mapping[int, type[TunewayError]] = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 410: NotFound}


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Where may be read: ``private`` lets in networks that are not the Internet, ``closed`` names buckets that are not.

    ``region`` is where S3's buckets are looked for first, ``storage`` is Cloud Storage's address.
    """

    private: bool = False
    closed: frozenset[str] = frozenset()
    region: str = "us-east-1"
    storage: str = STORAGE
    resolve: Resolve = resolved


class MediaSources:
    """``ports.Sources`` over HTTP."""

    def __init__(self, upstream: Upstream, credentials: Credentials, reach: Reach) -> None:
        self._upstream = upstream
        self._credentials = credentials
        self._reach = reach
        self._readers = {"https": self._web, "gs": self._cloud_storage, "s3": self._s3}

    async def media(self, uri: str, *, most: int) -> Media:
        """What lies there. Raises BadInput, NotFound, NotAllowed, TryLater, UpstreamError."""
        reader = self._readers.get(uri.partition("://")[0])
        if reader is None:
            raise BadInput("The address must begin with https://, gs:// or s3://.", code="invalid_uri")
        return _good(await reader(uri, most))

    async def _web(self, uri: str, most: int) -> "_Answer":
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._read(await self._public(uri), most=most)
            if answer.status not in _REDIRECTS:
                return answer
            uri = urljoin(uri, answer.headers.get("location", ""))
        raise BadInput(f"It redirects more than {MOST_REDIRECTS} times. Name the last address.", code="invalid_uri")

    async def _public(self, uri: str) -> UpstreamRequest:
        """The call, to the address that was looked at: to look the name up again could give another."""
        name, port = _host(uri)
        reach = self._reach
        found = await asyncio.to_thread(address, name, port, resolve=reach.resolve, private=reach.private)
        url = uri.partition("#")[0]
        return UpstreamRequest(method="GET", url=url, headers=HEADERS, timeouts=TIMEOUTS, address=found)

    async def _cloud_storage(self, uri: str, most: int) -> "_Answer":
        bucket, path = bucket_and_path(uri)
        if bucket in self._reach.closed:
            raise NotAllowed(f"'{bucket}' is this installation's own bucket, which is read for nobody.")
        url = f"{self._reach.storage}/storage/v1/b/{bucket}/o/{quote(path, safe='')}?alt=media"
        return await self._signed(url, Auth(kind="google"), most=most)

    async def _s3(self, uri: str, most: int) -> "_Answer":
        place = _S3.fullmatch(uri)
        if place is None:
            raise BadInput("It names no object. Use s3://bucket/key.", code="invalid_uri")
        if place["bucket"] in self._reach.closed:
            raise NotAllowed(f"'{place['bucket']}' is this installation's own bucket, which is read for nobody.")
        answer = await self._in_region(place, self._reach.region, most)
        elsewhere = answer.headers.get("x-amz-bucket-region", "")
        if answer.status == OK or elsewhere == self._reach.region or REGION.fullmatch(elsewhere) is None:
            return answer
        return await self._in_region(place, elsewhere, most)

    async def _in_region(self, place: re.Match[str], region: str, most: int) -> "_Answer":
        # The certificates of S3 hold for one name before the service's, so a bucket with dots goes into the path.
        s3, bucket, key = host("s3", region), place["bucket"], quote(place["key"], safe="/~")
        url = f"https://{s3}/{bucket}/{key}" if "." in bucket else f"https://{bucket}.{s3}/{key}"
        return await self._signed(url, Auth(kind="sigv4", region=region, service="s3"), most=most)

    async def _signed(self, url: str, auth: Auth, *, most: int) -> "_Answer":
        request = UpstreamRequest(method="GET", url=url, headers=HEADERS, timeouts=TIMEOUTS)
        proof = await self._credentials.headers(request, auth)
        return await self._read(msgspec.structs.replace(request, headers={**HEADERS, **proof}), most=most)

    async def _read(self, request: UpstreamRequest, *, most: int) -> "_Answer":
        pieces, size = list[bytes](), 0
        async with self._upstream.send(request) as response:
            if response.status == OK:
                async for piece in response.chunks():
                    size += len(piece)
                    if size > most:
                        raise BadInput(f"It has more than {most:,} bytes. Send a smaller one.", code="too_large")
                    pieces.append(piece)
            return _Answer(response.status, dict(response.headers), b"".join(pieces))


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


def _host(uri: str) -> tuple[str, int]:
    """The name and the port of an address of the web. Raises BadInput."""
    try:
        parts = urlsplit(uri)
        name, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port or 443
    except ValueError as fault:
        raise _no_address() from fault
    if parts.scheme != "https" or not name or "@" in parts.netloc or _VISIBLE.fullmatch(uri) is None:
        raise _no_address()
    return name, port


def _no_address() -> BadInput:
    return BadInput(
        "It is no https:// address without a user and password, in ASCII and without spaces.", code="invalid_uri"
    )


def _good(answer: _Answer) -> Media:
    if answer.status == OK:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Media(answer.body, kind)
    if answer.status in _PASSING:
        raise TryLater(f"Its server answered with {answer.status}.")
    raise _REFUSALS.get(answer.status, BadInput)(f"Its server answered with {answer.status}.")
