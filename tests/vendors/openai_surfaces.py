"""OpenAI's other surfaces: completions (with suffix), embeddings, the list of models."""

import base64
import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typing_extensions import override

from tests.vendors.fake import DONE, Asked, Fake, recorded, route
from tests.vendors.listening import Heard, counted, pieces, words
from tests.vendors.openai_chat import CREATED, Chat, bearer, finish, openai_error, shaped, sse
from tests.vendors.openai_shapes import COMPLETION, EMBEDDING
from tests.vendors.script import Error, Reply

MODELS = ("gpt-4.1", "gpt-5")
DIMENSIONS = 8


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A direction of its own for each text: the same text gives the same numbers, exact as 32-bit floats."""
    digest = hashlib.sha512(text.encode()).digest()
    return [(digest[at % len(digest)] - 128) / 128 for at in range(dimensions)]


class Completions(Chat):
    """``POST /v1/completions``; with a suffix it says what stands between, naming both sides."""

    shape = COMPLETION

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        bearer(asked, fake.key)
        shaped(asked, self.shape)

    @override
    def heard(self, asked: Asked) -> Heard:
        return heard_prompt(asked.body)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        choice = {"index": 0, "text": reply.text, "finish_reason": finish(reply), "logprobs": None}
        counts = {"usage": self.counts(asked, reply)} if reply.usage else {}
        return {**self.head(asked, "text_completion"), "choices": [choice], **counts}

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        head = self.head(asked, "text_completion")
        choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": None}
        chunks = [{**head, "choices": [{**choice, "text": piece}]} for piece in pieces(reply.text)]
        last = {**head, "choices": [{**choice, "text": "", "finish_reason": finish(reply)}]}
        counting = reply.usage and (asked.body.get("stream_options") or {}).get("include_usage")
        used = [{**head, "choices": [], "usage": self.counts(asked, reply)}] if counting else []
        return [*map(sse, [*chunks, last, *used]), DONE]

    def counts(self, asked: Asked, reply: Reply) -> dict[str, int]:
        prompt, completion, _ = counted(reply, self.heard(asked))
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class Embeddings(Chat):
    """``POST /v1/embeddings``: one vector for each input."""

    shape = EMBEDDING

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        bearer(asked, fake.key)
        shaped(asked, self.shape)

    @override
    def heard(self, asked: Asked) -> Heard:
        return Heard(words=words(asked.body["input"]))

    @override
    def streams(self, asked: Asked) -> bool:
        return False

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        given = asked.body["input"]
        inputs = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
        data = [
            {"object": "embedding", "index": index, "embedding": _written(text, asked.body)}
            for index, text in enumerate(inputs)
        ]
        used = counted(reply, self.heard(asked))[0]
        usage = {"prompt_tokens": used, "total_tokens": used}
        return {"object": "list", "model": asked.body["model"], "data": data, "usage": usage}


def heard_prompt(body: Mapping[str, Any]) -> Heard:
    """A completion's prompt; a suffix shows as ``prompt|suffix``."""
    prompt = body["prompt"]
    text = prompt if isinstance(prompt, str) else str((prompt or [""])[0])
    suffix = body.get("suffix")
    stop = body.get("stop") or ()
    return Heard(
        text=f"{text}|{suffix}" if suffix else text,
        words=words(text, suffix),
        most_tokens=body.get("max_tokens"),
        stops=(stop,) if isinstance(stop, str) else tuple(stop),
    )


def listed(fake: Fake, path: str = "/v1/models", owner: str = "openai", *, key: bool = True) -> Route:
    """``GET /v1/models``."""

    async def models(request: Request) -> Response:
        asked = await recorded(fake, request)
        if key and asked.headers.get("authorization") != f"Bearer {fake.key}":
            return JSONResponse(openai_error(Error(401, "Incorrect API key provided.")), 401)
        names = fake.facts.get("models", MODELS)
        data = [{"id": name, "object": "model", "created": CREATED, "owned_by": owner} for name in names]
        return JSONResponse({"object": "list", "data": data})

    return Route(path, models, methods=["GET"])


def openai_routes(fake: Fake) -> list[Route]:
    """All of OpenAI's surfaces."""
    return [
        route(fake, "/v1/chat/completions", Chat()),
        route(fake, "/v1/completions", Completions()),
        route(fake, "/v1/embeddings", Embeddings()),
        listed(fake),
    ]


def _written(text: object, body: Mapping[str, Any]) -> list[float] | str:
    numbers = vector(str(text), body.get("dimensions") or DIMENSIONS)
    if body.get("encoding_format") != "base64":
        return numbers
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
