"""A webhook registered by the ``openai`` SDK hears of the end of a job, and the SDK accepts what it hears."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
from typing_extensions import override

from tests.integration.stack.running import Stack, created, ended
from tests.waiting import wait_until

Heard = list[tuple[bytes, dict[str, str]]]


@contextmanager
def receiver(heard: Heard) -> Iterator[str]:
    """Is too busy for each event when it comes for the first time."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came = [headers["webhook-id"] for _, headers in heard]
            heard.append((body, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(204 if self.headers["webhook-id"] in came else 503)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_webhook_hears_of_the_end_of_a_job_even_if_it_was_busy_at_first(stack: Stack) -> None:
    heard: Heard = []
    # OpenAI's document does not hold these paths, so that the answers are held against its SDK's types alone.
    plain = openai.OpenAI(base_url=f"{stack.url}/v1", api_key=stack.key)
    with plain as client, receiver(heard) as url:
        made = client.webhooks.create(name="shop", url=url, event_types=["fine_tuning.job.succeeded"])
        job = ended(stack.http, created(stack.http, suffix="hooked")["id"])
        wait_until(lambda: len([body for body, _ in heard if job["id"].encode() in body]) >= 2)
        client.webhooks.delete(made.id)
    first, again = [(body, headers) for body, headers in heard if job["id"].encode() in body][:2]
    event = openai.OpenAI(api_key="none").webhooks.unwrap(again[0], again[1], secret=made.signing_secret)
    assert event.type == "fine_tuning.job.succeeded"
    assert event.data.id == job["id"]
    assert first[0] == again[0]
