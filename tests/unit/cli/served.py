"""The command line against a door on a free port of this machine."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIEnvironment

import flask
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from tests.unit.edge.asking import NOW, FakeGrants
from tuneway.cli.main import main
from tuneway.edge.door import Door, Rule

Run = Callable[..., Result]
App = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


@contextmanager
def served(rules: list[Rule]) -> Iterator[Run]:
    """Runs a command with the key of a tenant who may tune."""
    door = Door(rules, FakeGrants(), now=lambda: NOW)

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request = flask.Request(environ)
        response = door(request)
        response.call_on_close(request.close)
        return response(environ, start)

    with serving(app) as url:
        yield lambda *words: CliRunner().invoke(
            main, [*words, "--url", url, "--api-key", "tune"], env={"COLUMNS": "200", "NO_COLOR": "1"}
        )


@contextmanager
def serving(app: App) -> Iterator[str]:
    """The address of a WSGI application on a free port."""
    server = make_server("127.0.0.1", 0, app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
