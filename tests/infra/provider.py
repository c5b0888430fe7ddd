"""A stand-in for Google's provider, for ``terraform validate`` and ``plan``: the published schema, and no cloud.

It speaks Terraform's plugin protocol 6 (https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol):
of each resource it plans what was asked for, with everything that Google would make up unknown.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import msgspec
from typing_extensions import override

ADDRESS = "registry.terraform.io/hashicorp/google"
UNKNOWN = msgspec.msgpack.Ext(0, b"\x00")
LIST = 2
# Optional, and made up where nobody says it.
MADE_UP = {"address"}
CONFIGURED = ("billing_project", "project", "region")
# What a test wants to see in what Google would answer.
KNOWN = {"number": "123456789012", "member": "serviceAccount:known@example.iam.gserviceaccount.com"}
Values = dict[str, Any]
Block = Mapping[str, Any]
Answered = Callable[[str, Values], Values]


def unanswered(_: str, values: Values) -> Values:
    """Nothing that Google makes up is known before it is made."""
    return values


@contextmanager
def served(schema: Block, *, answered: Answered = unanswered) -> Iterator[dict[str, str]]:
    """The variables with which Terraform takes this process as its provider.

    ``answered`` fills in what Google would make up of a resource, by its type and its planned values.
    """
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 64 << 20)])
    server.add_generic_rpc_handlers((_Provider(schema, answered),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    place = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    plugin = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": place}
    try:
        yield {"TF_REATTACH_PROVIDERS": msgspec.json.encode({ADDRESS: plugin}).decode()}
    finally:
        server.stop(None).wait()


class _Provider(grpc.GenericRpcHandler):
    """Answers the calls of ``tfplugin6.Provider`` that validating and planning make."""

    def __init__(self, schema: Block, answered: Answered) -> None:
        self._schema = schema
        self._answered = answered
        self._calls: dict[str, Callable[[dict[int, bytes]], bytes]] = {
            "GetProviderSchema": self._all_schemas,
            "ValidateProviderConfig": _agreed,
            "ValidateResourceConfig": _agreed,
            "ValidateDataResourceConfig": _agreed,
            "ConfigureProvider": _agreed,
            "StopProvider": _agreed,
            "PlanResourceChange": self._planned,
            "ReadDataSource": self._read,
        }

    @override
    def service(self, details: Any) -> Any:
        call = self._calls.get(details.method.rpartition("/")[2])
        return call and grpc.unary_unary_rpc_method_handler(lambda request, _: call(_fields(request)))

    def _all_schemas(self, _: dict[int, bytes]) -> bytes:
        own = _message(2, _inner([*(_attribute(n, "string", optional=True) for n in CONFIGURED), _OVERRIDE]))
        entries = [_message(1, own)]
        for field, kind in ((2, "resource"), (3, "data")):
            for name, block in self._schema[kind].items():
                entries.append(_message(field, _text(1, name) + _message(2, _message(2, _block(block, top=True)))))
        return b"".join(entries)

    def _planned(self, request: dict[int, bytes]) -> bytes:
        proposed = _value(request[3])
        if proposed is not None:
            kind = request[1].decode()
            proposed = self._answered(kind, _completed(proposed, self._schema["resource"][kind], top=True))
        return _message(1, _message(1, msgspec.msgpack.encode(proposed)))

    def _read(self, request: dict[int, bytes]) -> bytes:
        block = self._schema["data"][request[1].decode()]
        known = dict.fromkeys([*block["computed"], "id"], None) | {n: KNOWN[n] for n in block["computed"] if n in KNOWN}
        return _message(1, _message(1, msgspec.msgpack.encode(_value(request[2]) | known | {"id": "known"})))


def _completed(values: Values, block: Block, *, top: bool = False) -> Values:
    """The values with what Google makes up as unknown."""
    made_up = dict.fromkeys(
        [*block["computed"], *(MADE_UP & set(block["attributes"])), *(["id"] if top else [])], UNKNOWN
    )
    inner = {
        name: [_completed(each, nested) for each in values[name] or []]
        for name, nested in block["blocks"].items()
        if isinstance(values.get(name), list)
    }
    return {**values, **inner, **{name: value for name, value in made_up.items() if values.get(name) is None}}


def _agreed(_: dict[int, bytes]) -> bytes:
    return b""


def _value(dynamic: bytes) -> Any:
    return msgspec.msgpack.decode(_fields(dynamic)[1])


# The protocol's messages, as bytes: a dozen fields of them do not pay for a generated module.


def _block(block: Block, *, top: bool = False) -> bytes:
    parts = [
        _attribute(
            name, each["type"], required=each["required"], optional=not each["required"], computed=name in MADE_UP
        )
        for name, each in block["attributes"].items()
    ]
    parts += [_attribute(name, kind, computed=True) for name, kind in block["computed"].items()]
    parts += [_attribute("id", "string", computed=True)] * top
    for name, nested in block["blocks"].items():
        limits = _number(4, int(nested["required"])) + _number(5, 0 if nested["many"] else 1)
        parts.append(_message(3, _text(1, name) + _message(2, _block(nested)) + _number(3, LIST) + limits))
    return _inner(parts)


def _inner(parts: list[bytes]) -> bytes:
    return b"".join(parts)


def _attribute(
    name: str, kind: Any, *, required: bool = False, optional: bool = False, computed: bool = False
) -> bytes:
    type_ = _text(2, msgspec.json.encode(_cty(kind)).decode())
    return _message(2, _text(1, name) + type_ + _number(4, required) + _number(5, optional) + _number(6, computed))


def _cty(kind: Any) -> Any:
    """A type in Terraform's own notation."""
    match kind:
        case dict():
            return ["list", ["object", {name: _cty(each) for name, each in kind.items()}]]
        case "any":
            return "dynamic"
        case str() if "(" in kind:
            return kind.removesuffix(")").split("(")
        case _:
            return kind


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _fields(data: bytes) -> dict[int, bytes]:
    """The length-delimited fields of a message by number; the last of each counts, numbers are left out."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        size, at = _read_varint(data, at)
        if key & 7 == 2:
            found[key >> 3] = data[at : at + size]
            at += size
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


_OVERRIDE = _attribute("user_project_override", "bool", optional=True)
