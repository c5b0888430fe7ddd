"""What the fakes of AWS's services share: recording, signatures, faults on demand, answers that get lost."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from tests.vendors.serving import reset, serving
from tests.vendors.signed_by_botocore import signing_fault
from tests.vendors.sigv4 import Account

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it arrived, and which operation it is."""

    method: str
    raw_path: str
    query_string: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    operation: str = ""


@dataclass(frozen=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """What the service answers instead."""

    def __init__(self, status: int, code: str, said: str = "Asked for by the test.") -> None:
        super().__init__(code)
        self.status, self.code, self.said = status, code, said


@dataclass
class Fault:
    """What goes wrong with an operation. ``refused`` is answered instead of doing it, ``reply`` is answered after
    doing it; ``lost`` does it and ends the connection without an answer, ``cut`` after so many bytes of the body."""

    operation: str
    refused: Refused | None = None
    reply: Reply | None = None
    lost: bool = False
    cut: int | None = None
    times: int = 1


class Service(Protocol):
    """One service."""

    def operation(self, asked: Asked) -> str: ...
    def account(self, asked: Asked) -> Account: ...
    def perform(self, asked: Asked) -> Reply: ...
    def refusal(self, asked: Asked, refused: Refused) -> Reply: ...


class AwsFake:
    """What tests hold: where it listens, what it was asked and what goes wrong next."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.url = ""
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []

    @property
    def operations(self) -> list[str]:
        return [asked.operation for asked in self.asked]

    def fails(self, operation: str, status: int, code: str, *, said: str = "On demand.", times: int = 1) -> None:
        """Refuse the operation so many times."""
        self.faults.append(Fault(operation, refused=Refused(status, code, said), times=times))

    def loses(self, operation: str, *, times: int = 1) -> None:
        """Do the operation, but let its answer get lost."""
        self.faults.append(Fault(operation, lost=True, times=times))

    def answer(self, asked: Asked) -> tuple[Reply, Fault | None]:
        fault = self._fault(asked.operation)
        try:
            self._admit(asked, fault)
            done = self.service.perform(asked)
        except Refused as refused:
            return self.service.refusal(asked, refused), fault
        return (fault.reply or done if fault else done), fault

    def _admit(self, asked: Asked, fault: Fault | None) -> None:
        if wrong := signing_fault(asked, self.service.account(asked)):
            raise Refused(403, wrong, "The signature is wrong.")
        if fault is not None and fault.refused is not None:
            raise fault.refused

    def _fault(self, operation: str) -> Fault | None:
        found = next((fault for fault in self.faults if fault.operation == operation and fault.times > 0), None)
        if found is not None:
            found.times -= 1
        return found


@contextmanager
def running(service: Service) -> Iterator[AwsFake]:
    """The service, listening for the length of the block."""
    fake = AwsFake(service)

    async def endpoint(request: Request) -> Response:
        asked = await _asked(request, service)
        fake.asked.append(asked)
        reply, fault = fake.answer(asked)
        return _Sent(reply, fault or Fault(""))

    with serving(Starlette(routes=[Route("/{rest:path}", endpoint, methods=METHODS)])) as served:
        fake.url = served.url
        yield fake


async def _asked(request: Request, service: Service) -> Asked:
    plain: dict[str, Any] = {
        "method": request.method,
        "raw_path": request.scope["raw_path"].decode().partition("?")[0],
        "query_string": request.url.query,
        "query": dict(request.query_params),
        "headers": dict(request.headers),
        "raw": await request.body(),
    }
    return Asked(**plain, operation=service.operation(Asked(**plain)))


class _Sent(Response):
    """A reply on its way, or what is left of it."""

    def __init__(self, reply: Reply, fault: Fault) -> None:
        self.reply, self.fault = reply, fault

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        if self.fault.lost:
            reset(transport)
            return
        body = self.reply.body
        length = {"content-length": str(len(body))}
        start: Message = {
            "type": "http.response.start",
            "status": self.reply.status,
            "headers": [(name.encode(), value.encode()) for name, value in {**length, **self.reply.headers}.items()],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body[: self.fault.cut], "more_body": True})
        if self.fault.cut is not None:
            transport.close()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
