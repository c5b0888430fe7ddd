"""A way to a local stack on which a fault can be planted: a door that is dead, or open, or behind the times."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import werkzeug
from werkzeug.serving import make_server

Answer = werkzeug.Response
Fault = Callable[[werkzeug.Request, Callable[..., Answer]], Answer | None]
PASSED = {"authorization", "content-type"}


@contextmanager
def crooked(url: str, fault: Fault) -> Iterator[str]:
    """The URL of a way to ``url``; ``fault`` answers a request itself, or None to let it pass."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:

        def passed(request: werkzeug.Request, **headers: str) -> Answer:
            given = {name.lower(): value for name, value in request.headers.items() if name.lower() in PASSED}
            target = request.full_path.removesuffix("?")
            answer = client.request(request.method, target, headers={**given, **headers}, content=request.get_data())
            return Answer(answer.content, answer.status_code, content_type=answer.headers.get("content-type"))

        def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            request = werkzeug.Request(environ)
            return (fault(request, passed) or passed(request))(environ, start)

        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            server.server_close()
