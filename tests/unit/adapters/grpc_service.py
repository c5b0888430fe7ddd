"""A gRPC service that answers every call with the next status it was told; an OK carries an empty message."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, cast

import grpc
from typing_extensions import override


class Context(Protocol):
    def abort(self, code: grpc.StatusCode, details: str) -> None: ...


class Stopped(Protocol):
    def wait(self) -> object: ...


class Server(Protocol):
    def add_generic_rpc_handlers(self, handlers: tuple[grpc.GenericRpcHandler, ...]) -> None: ...
    def add_insecure_port(self, address: str) -> int: ...
    def start(self) -> None: ...
    def stop(self, grace: float | None) -> Stopped: ...


Answer = Callable[[bytes, Context], bytes]

# grpc ships no types, so its functions are named here with the ones they have.
answering = cast("Callable[[Answer], grpc.RpcMethodHandler]", grpc.unary_unary_rpc_method_handler)
make_server = cast("Callable[[ThreadPoolExecutor], Server]", grpc.server)


class Service(grpc.GenericRpcHandler):
    def __init__(self, answer: bytes = b"") -> None:
        self.statuses: list[grpc.StatusCode] = []
        self.calls: list[str] = []
        self.address = ""
        self._answer = answer

    @override
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        self.calls.append(handler_call_details.method.rpartition("/")[2])
        return answering(self._respond)

    def _respond(self, _: bytes, context: Context) -> bytes:
        status = self.statuses.pop(0) if self.statuses else grpc.StatusCode.OK
        if status is not grpc.StatusCode.OK:
            context.abort(status, "told to")
        return self._answer


@contextmanager
def served(service: Service) -> Iterator[Service]:
    server = make_server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((service,))
    service.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield service
    server.stop(None).wait()
