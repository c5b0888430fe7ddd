"""Signed calls to AWS from code without an event loop: timeouts, retries of what may be asked twice, clear refusals."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Protocol, TypeVar

import httpx
import msgspec

from tuneway.adapters.aws_keys import AwsKeys
from tuneway.adapters.aws_refusals import FAULTS, STALE_CODES, AwsRefused, refused
from tuneway.adapters.aws_signing import sign

HEADERS = {"user-agent": "tuneway", "accept-encoding": "identity"}
CONNECT_SECONDS = 5.0
MOST_ATTEMPTS = 5
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# An attempt that begins shall have time to end.
LEAST_SECONDS = 1.0
# A refusal, a page of a listing: far more than any holds.
LARGEST_BODY = 8 * 2**20
GOOD = range(200, 300)
PIECE_BYTES = 2**18

T = TypeVar("T")


class Keys(Protocol):
    """Where the keys come from."""

    def keys(self) -> AwsKeys:
        """Keys good for minutes at least. Raises NotAllowed (there are none) and TryLater."""
        ...

    def renewed(self) -> bool:
        """Ask for other keys, because these were refused: True when there are."""
        ...


class AwsCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call. ``repeatable`` says that asking twice does no more than asking once.

    ``late`` marks the few calls that answer 200 and then may tell of an error in the body. ``seconds`` bounds the call
    with all its attempts, but for a body that is streamed.
    """

    method: str
    service: str
    region: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    repeatable: bool = True
    late: bool = False
    seconds: float = 60.0


class AwsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A good answer; header names are taken in any case."""

    headers: Mapping[str, str]
    body: bytes


class AwsCaller:
    """Pooled connections to AWS: no redirects, no proxies from the environment. Threads may share one."""

    def __init__(
        self,
        keys: Keys,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``transport`` replaces the network, ``clock`` and ``sleep`` replace time."""
        self._keys = keys
        self._clock = clock
        self._sleep = sleep
        self._client = httpx.Client(transport=transport, headers=HEADERS, follow_redirects=False, trust_env=False)

    def ask(self, call: AwsCall) -> AwsAnswer:
        """A good answer, whole. Raises AwsRefused, httpx.HTTPError, NotAllowed, TryLater."""
        return self._answer(call, _whole)

    def open(self, call: AwsCall) -> httpx.Response:
        """A good answer whose body has yet to be read, to be closed by who reads it. Raises as ``ask``."""
        return self._answer(call, _unread)

    def close(self) -> None:
        """Free every connection."""
        self._client.close()

    def _answer(self, call: AwsCall, read: Callable[[AwsCall, httpx.Response], T]) -> T:
        until = self._clock() + call.seconds
        for attempt in count(1):
            try:
                return self._attempt(call, read, seconds=max(LEAST_SECONDS, until - self._clock()))
            except FAULTS as fault:
                pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))  # noqa: S311 - no secret
                again = attempt < MOST_ATTEMPTS and self._clock() + pause < until
                if not (again and self._may_pass(call, fault)):
                    raise
            self._sleep(pause)
        raise AssertionError  # pragma: no cover - count() does not end

    def _attempt(self, call: AwsCall, read: Callable[[AwsCall, httpx.Response], T], *, seconds: float) -> T:
        signed = {**call.headers, **sign(call, self._keys.keys(), region=call.region, service=call.service)}
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        sized = {"content-length": str(len(call.body))} if call.body else {}
        # httpx's requests are part of a cycle: a body that they held whole would stay until the collector comes.
        content = _pieces(call.body) if call.body else None
        request = self._client.build_request(
            call.method, call.url, headers={**signed, **sized}, content=content, timeout=timeout
        )
        response = self._client.send(request, stream=True)
        try:
            return read(call, _accepted(response))
        except BaseException:
            response.close()
            raise

    def _may_pass(self, call: AwsCall, fault: Exception) -> bool:
        if isinstance(fault, AwsRefused):
            if fault.code in STALE_CODES:
                return self._keys.renewed()
            return fault.busy and call.repeatable
        # What was never sent was never done.
        return call.repeatable or isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout)


def _pieces(body: bytes) -> Iterator[bytes]:
    view = memoryview(body)
    for start in range(0, len(view), PIECE_BYTES):
        yield bytes(view[start : start + PIECE_BYTES])


def _accepted(response: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one. Raises AwsRefused."""
    if response.status_code not in GOOD:
        raise refused(response.status_code, response.headers, _body(response))
    return response


def _unread(call: AwsCall, response: httpx.Response) -> httpx.Response:
    del call
    return response


def _whole(call: AwsCall, response: httpx.Response) -> AwsAnswer:
    body = _body(response)
    response.close()
    if call.late and b"<Error>" in body:
        raise refused(response.status_code, response.headers, body)
    return AwsAnswer(headers=response.headers, body=body)


def _body(response: httpx.Response) -> bytes:
    """The whole body. Raises httpx.HTTPError when it is too large to be true."""
    if response.is_stream_consumed:  # a MockTransport's answer, made whole
        return response.content
    pieces, size = list[bytes](), 0
    for piece in response.iter_raw():
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_BODY:
            raise httpx.DecodingError("the answer is larger than any that AWS gives", request=response.request)
    return b"".join(pieces)
