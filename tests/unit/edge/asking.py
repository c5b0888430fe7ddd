"""Requests to a synchronous door without a server."""

import json
from contextlib import closing
from typing import IO, Any

import flask
import msgspec
from werkzeug.test import EnvironBuilder

from tuneway.access.keys import Grant, Scope
from tuneway.edge.door import Door, Rule

NOW = 1_795_000_000.0


class FakeGrants:
    """``key`` may do what its name says: ``tune``, ``predict`` or ``admin``, for the tenant acme or another."""

    def grant(self, key: str) -> Grant | None:
        scope, _, owner = key.partition("@")
        if scope not in set(Scope):
            return None
        return Grant(owner=owner or "acme", scopes=(Scope(scope),), created_at=NOW, expires_at=NOW + 60)


class Asked(msgspec.Struct, frozen=True):
    """An answer, read."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found


class Asking:
    """Asks a door; the key goes along unless it is None."""

    def __init__(self, rules: list[Rule]) -> None:
        self.door = Door(rules, FakeGrants(), now=lambda: NOW)

    def __call__(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "tune",
        body: object = None,
        form: dict[str, Any] | None = None,
        kind: str | None = None,
        sent: dict[str, str] | None = None,
    ) -> Asked:
        headers = [*([("authorization", f"Bearer {key}")] if key else []), *(sent or {}).items()]
        data: dict[str, Any] | bytes | None = form if form is not None else _bytes(body)
        builder = EnvironBuilder(path, method=method, headers=headers, data=data, content_type=kind)
        environ = builder.get_environ()
        with closing(builder), closing(environ["wsgi.input"]), closing(flask.Request(environ)) as request:
            response = self.door(request)
            content = b"".join(response.iter_encoded())
        return Asked(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content)


def part(content: IO[bytes], name: str = "train.jsonl") -> tuple[IO[bytes], str]:
    """One file of a form."""
    return content, name


def _bytes(body: object) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
