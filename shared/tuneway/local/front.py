"""One origin before all functions: each path goes to the function the manifest names, each through functions-framework.

Functions that only the platform may call (events, the tick) are behind a secret of this run, as IAM guards them in the
cloud.
"""

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Protocol, cast

import functions_framework
import msgspec
from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import Environ, StartResponse, WSGIApp

from tuneway.local.manifest import Function, HttpTrigger, Manifest, ScheduleTrigger
from tuneway.structs import read_fields

Scope = MutableMapping[str, object]
Receive = Callable[[], Awaitable[MutableMapping[str, object]]]
Send = Callable[[MutableMapping[str, object]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

EVENTS = "/_events"
SECRET_HEADER = "x-tuneway-local"  # noqa: S105 - the header's name, not its value
THREADS = 16


class _Framework(Protocol):
    """What is used of the untyped framework: a Flask app for a sync function, a Starlette app for an async one."""

    def create_app(self, *, target: str, source: str) -> object: ...


class Front:
    """An ASGI application that hands each request to its function."""

    def __init__(self, manifest: Manifest, folder: Path, *, secret: str) -> None:
        self._secret = secret
        apps = {name: _loaded(name, function, folder) for name, function in manifest.functions.items()}
        read_fields()
        self._guarded = {f"{EVENTS}/{name}": app for name, app in apps.items()}
        self._public: dict[str, App] = {}
        for name, function in manifest.functions.items():
            match function.trigger:
                case HttpTrigger(paths=paths):
                    self._public.update(dict.fromkeys(paths, apps[name]))
                case ScheduleTrigger(path=path):
                    self._guarded[path] = apps[name]
                case _:
                    pass

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        path = str(scope["path"])
        app = _longest(self._public, path)
        if app is None and self._trusted(scope):
            app = _longest(self._guarded, path)
        await (app(scope, receive, send) if app else _refuse(path, send))

    def _trusted(self, scope: Scope) -> bool:
        """The secret stands in a header, or in the path where a sender can set no header (Pub/Sub's push)."""
        headers = dict(msgspec.convert(scope["headers"], list[tuple[bytes, bytes]], strict=False))
        given = headers.get(SECRET_HEADER.encode(), b"").decode("latin-1")
        pieces = [given, *str(scope["path"]).split("/")]
        return any(hmac.compare_digest(piece.encode(), self._secret.encode()) for piece in pieces)


def _loaded(name: str, function: Function, folder: Path) -> App:
    framework = cast("_Framework", functions_framework)
    app = framework.create_app(target=name, source=str(folder / name / "main.py"))
    return cast("App", app if function.is_async else WSGIMiddleware(_ending(cast("WSGIApp", app)), workers=THREADS))


def _ending(app: WSGIApp) -> WSGIApp:
    """The app, told as gunicorn tells it that a body without a length has an end: a chunked one is read, too."""

    def told(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return app(
            cast("Environ", {**environ, "wsgi.input_terminated": "CONTENT_LENGTH" not in environ}), start_response
        )

    return told


def _longest(table: dict[str, App], path: str) -> App | None:
    fitting = [prefix for prefix in table if path == prefix or path.startswith(prefix + "/")]
    return table[max(fitting, key=len)] if fitting else None


async def _refuse(path: str, send: Send) -> None:
    message = f"There is nothing at {path}. The API begins at /v1, for example GET /v1/models."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "unknown_url"}
    body = msgspec.json.encode({"error": error})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
