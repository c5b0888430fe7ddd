"""What OpenAI's document says of each path's answers, to hold every answer of ours against it."""

import json
import re
from functools import cache

from tests.golden.openai_document import DOCUMENT, validator

JSON = "application/json"
EVENTS = "text/event-stream"
ROOT = "/v1"
DONE = "[DONE]"


def departures(method: str, path: str, *, status: int, kind: str, body: bytes) -> list[str]:
    """How an answer departs from the document; ``path`` is ours, so it begins with ``/v1``.

    Files' bytes are the caller's own, and a path the document does not have must answer an error.
    """
    if status < 400 and path.endswith("/content"):
        return []
    found = "ErrorResponse" if status >= 400 else schema(method, path, kind.partition(";")[0])
    values = [json.loads(event) for event in events(body)] if kind.startswith(EVENTS) else [json.loads(body)]
    return [_said(fault) for value in values for fault in validator(_expected(found, value)).iter_errors(value)]


def schema(method: str, path: str, kind: str = JSON) -> str:
    """The name of the schema of a successful answer."""
    (responses,) = (
        responses
        for pattern, verb, responses in _operations()
        if verb == method.lower() and pattern.fullmatch(path.removeprefix(ROOT))
    )
    return str(responses["200"]["content"][kind]["schema"]["$ref"]).rpartition("/")[2]


def events(body: bytes) -> list[str]:
    """The data of a stream's events, without the mark of its end."""
    lines = body.decode().split("\n\n")
    data = [line.removeprefix("data: ") for line in lines if line]
    return [event for event in data if event != DONE]


def _expected(name: str, value: object) -> str:
    """A stream that breaks ends with an error in the place of a chunk."""
    return "ErrorResponse" if isinstance(value, dict) and "error" in value and "object" not in value else name


def _said(fault: object) -> str:
    path, message = getattr(fault, "json_path", ""), getattr(fault, "message", "")
    return f"{path}: {message[:300]}"


@cache
def _operations() -> list[tuple[re.Pattern[str], str, dict[str, dict[str, dict[str, dict[str, dict[str, str]]]]]]]:
    paths = json.loads(DOCUMENT.read_bytes())["paths"]
    # More exact paths first: a variable would match their words too.
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), verb, operation["responses"])
        for path, operations in paths.items()
        for verb, operation in operations.items()
        if verb != "parameters"
    ]
