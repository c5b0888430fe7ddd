"""Faults on demand: an ASGI layer that fails the calls it was told to fail."""

import asyncio
from collections.abc import Callable
from typing import Literal, cast

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuneway.local.vertex.refusals import STATUS_OF

HTML = (
    b"<!DOCTYPE html><html><title>Error 502 (Server Error)!!1</title><p><b>502.</b> That\xe2\x80\x99s an error.</html>"
)
HANG_UP = "tuneway.hang_up"


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes wrong, for the next ``times`` calls whose path contains ``path``.

    ``status`` answers an error; ``slow`` waits ``seconds`` first; ``cut`` breaks off in the middle of the body;
    ``lost`` does the work and then breaks the connection; ``disconnect`` breaks it at once; ``html`` is a 502 page.
    """

    path: str
    fault: Literal["status", "slow", "cut", "lost", "html", "disconnect"]
    method: str | None = None
    status: int = 503
    retry_after: float | None = None
    seconds: float = 1.0
    times: int = 1


class HungUp(Exception):
    """The connection is to be broken here."""


class Faults:
    """The faults that are still to happen, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """One more."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """None any more."""
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """Those not used up."""
        return list(self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets, if any; it counts as one time."""
        for place, fault in enumerate(self._waiting):
            if fault.path in path and fault.method in {None, method}:
                left = msgspec.structs.replace(fault, times=fault.times - 1)
                self._waiting[place : place + 1] = [left] if left.times > 0 else []
                return fault
        return None


class FaultLayer:
    """Wraps an app; the paths under ``/_simulate`` are never at fault."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or fails it."""
        path = str(scope.get("path", ""))
        fault = None
        if scope["type"] == "http" and not path.startswith("/_simulate"):
            fault = self._faults.take(str(scope["method"]), path)
        if fault is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._fail(fault, scope, receive=receive, send=send)
        except HungUp:
            hang_up(scope)

    async def _fail(self, fault: Fault, scope: Scope, *, receive: Receive, send: Send) -> None:
        match fault.fault:
            case "slow":
                await asyncio.sleep(fault.seconds)
                await self._app(scope, receive, send)
            case "status":
                await _drain(receive)
                await _answer(send, fault.status, _error(fault), headers=_headers(fault))
            case "html":
                await _drain(receive)
                await _answer(send, 502, HTML, headers=[(b"content-type", b"text/html; charset=UTF-8")])
            case "cut":
                await self._app(scope, receive, _Cut(send))
            case "lost":
                await self._app(scope, receive, _swallow)
                raise HungUp
            case "disconnect":
                raise HungUp


class _Cut:
    """Lets the first half through: of a whole body its first bytes, of a stream its first piece and a half."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._pieces = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body" or not message.get("body"):
            await self._send(message)
            return
        body = cast("bytes", message["body"])
        self._pieces += 1
        if message.get("more_body") and self._pieces == 1:
            await self._send(message)
            return
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise HungUp


def hang_up(scope: Scope) -> None:
    """Break the connection. Raises HungUp again under a server that cannot."""
    extensions = cast("dict[str, dict[str, Callable[[], None]]]", scope.get("extensions") or {})
    if HANG_UP not in extensions:
        raise HungUp
    extensions[HANG_UP]["close"]()


async def _swallow(_: Message) -> None:
    """Nobody hears the answer."""


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _answer(send: Send, status: int, body: bytes, *, headers: list[tuple[bytes, bytes]]) -> None:
    head = [*headers, (b"content-length", str(len(body)).encode()), (b"x-simulated", b"vertex-ai")]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


def _error(fault: Fault) -> bytes:
    status = STATUS_OF.get(fault.status, "INTERNAL")
    error: dict[str, object] = {"code": fault.status, "message": "This fault was asked for.", "status": status}
    if fault.retry_after is not None:
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{fault.retry_after:g}s"}
        error["details"] = [delay]
    return msgspec.json.encode({"error": error})


def _headers(fault: Fault) -> list[tuple[bytes, bytes]]:
    head = [(b"content-type", b"application/json; charset=UTF-8")]
    if fault.retry_after is not None:
        head.append((b"retry-after", f"{fault.retry_after:g}".encode()))
    return head
