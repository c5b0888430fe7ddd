"""Servers that people run themselves and that speak OpenAI's chat, each with its own quirks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from tests.vendors.fake import Asked, Fake, recorded, route
from tests.vendors.listening import Heard
from tests.vendors.openai_chat import Chat, bearer, openai_error, shaped, sse
from tests.vendors.openai_heard import heard
from tests.vendors.openai_shapes import CHAT, COMPLETION, MESSAGE
from tests.vendors.openai_surfaces import Completions, Embeddings, listed
from tests.vendors.script import Call, Error
from tests.vendors.shapes import Shape, refuse

OLLAMA_LACKS = ("tool_choice", "logit_bias", "user", "n")
TGI_TYPES = {422: "validation", 424: "generation", 429: "overloaded"}


def lenient(shape: Shape) -> Shape:
    """The same, with unknown fields passed over."""
    return {**shape, "additionalProperties": True}


def _reasoning_back(shape: Shape) -> Shape:
    """Messages that may bring reasoning back."""
    cases = [{**case, "then": lenient(case["then"])} for case in shape["allOf"]]
    return {**shape, "allOf": cases}


LENIENT_CHAT: Shape = {
    **lenient(CHAT),
    "properties": {
        **CHAT["properties"],
        "messages": {"type": "array", "items": _reasoning_back(MESSAGE), "minItems": 1},
    },
}
NAMELESS_CHAT: Shape = {**LENIENT_CHAT, "required": ["messages"]}


class Vllm(Chat):
    """vLLM: unknown fields are passed over, the served name must match, reasoning is in ``reasoning``, and tools need
    a parser that it was started with (``tools=False`` in the fake's facts: without)."""

    shape = LENIENT_CHAT
    reasoning_field = "reasoning"

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        if fake.key:
            bearer(asked, fake.key)
        shaped(asked, self.shape)
        self.agrees(asked.body, fake)

    @override
    def agrees(self, body: dict[str, Any], fake: Fake) -> None:
        served = fake.facts.get("models", [body["model"]])
        if body["model"] not in served:
            raise refuse(404, f"The model `{body['model']}` does not exist.", kind="NotFoundError", code="404")
        if body.get("tools") and body.get("tool_choice", "auto") == "auto" and not fake.facts.get("tools", True):
            said = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
            raise refuse(400, said, kind="BadRequestError", code="400")
        longest = fake.facts.get("max_model_len")
        if longest is not None and heard(body).words > longest:
            said = f"This model's maximum context length is {longest} tokens. However, you requested more."
            raise refuse(400, said, kind="BadRequestError", code="400")

    @override
    def heard(self, asked: Asked) -> Heard:
        off = (asked.body.get("chat_template_kwargs") or {}).get("enable_thinking") is False
        found = super().heard(asked)
        return replace(found, reasons=False) if off else found

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        kind = error.kind or "BadRequestError"
        return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.status}}, {}


class OldVllm(Vllm):
    """vLLM as it was: flat errors and ``reasoning_content``."""

    reasoning_field = "reasoning_content"

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        kind = error.kind or "BadRequestError"
        return {"object": "error", "message": error.message, "type": kind, "param": None, "code": error.status}, {}


class Tgi(Chat):
    """Text Generation Inference: one choice, ``top_p`` below 1, flat errors, the model's name is of no account."""

    shape = NAMELESS_CHAT

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        shaped(asked, self.shape)
        if (asked.body.get("n") or 1) != 1:
            raise refuse(422, "Input validation error: `n` must be 1", kind="validation")
        if (asked.body.get("top_p") or 0.5) >= 1:
            raise refuse(422, "Input validation error: `top_p` must be > 0.0 and < 1.0", kind="validation")

    @override
    def head(self, asked: Asked, kind: str) -> dict[str, Any]:
        plain = {"id": "", "object": kind, "created": 1790000000, "model": "served/by-tgi"}
        return {**plain, "system_fingerprint": "3.3.4-native"}

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return {"error": error.message, "error_type": error.kind or TGI_TYPES.get(error.status, "unknown")}, {}

    @override
    def broken(self, error: Error) -> bytes:
        return sse(self.failed(error)[0])


class Ollama(Chat):
    """Ollama: no key, images only as base64, ``reasoning``. It passes over what it does not know, so the fake refuses
    what a caller would lose without a word; tool calls carry no type and arrive whole."""

    shape = LENIENT_CHAT
    reasoning_field = "reasoning"

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        shaped(asked, self.shape)
        for name in OLLAMA_LACKS:
            if name in asked.body:
                raise refuse(400, f"this parameter has no effect here and would be lost: {name}", param=name)
        if any(image.address for image in self.heard(asked).media):
            raise refuse(400, "invalid image input")

    @override
    def call_deltas(self, call: Call, index: int) -> Iterator[dict[str, Any]]:
        yield {"tool_calls": [{**self.call(call, index), "index": index}]}

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return openai_error(replace(error, kind=error.kind or "api_error")), {}


class LlamaCpp(Vllm):
    """llama.cpp: ``reasoning_content``, any model name, arguments as an object and ids of null where ``odd_tools``."""

    reasoning_field = "reasoning_content"

    def __init__(self, *, odd_tools: bool) -> None:
        self.odd_tools = odd_tools

    @override
    def call(self, call: Call, index: int) -> dict[str, Any]:
        found = super().call(call, index)
        if not self.odd_tools:
            return found
        arguments = json.loads(found["function"]["arguments"])
        return {**found, "id": None, "function": {"name": call.name, "arguments": arguments}}

    @override
    def call_deltas(self, call: Call, index: int) -> Iterator[dict[str, Any]]:
        if self.odd_tools:
            yield {"tool_calls": [{"index": index, **self.call(call, index)}]}
        else:
            yield from super().call_deltas(call, index)

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        kind = error.kind or "invalid_request_error"
        return {"error": {"code": error.status, "message": error.message, "type": kind}}, {}


class OpenCompletions(Completions):
    """Completions that pass unknown fields over, stop at any number of words, and without a key ask for none."""

    shape: Shape = lenient({**COMPLETION, "properties": {**COMPLETION["properties"], "stop": {}}})

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        if fake.key:
            bearer(asked, fake.key)
        shaped(asked, self.shape)


class OpenEmbeddings(Embeddings):
    """Embeddings that ask for no key when there is none."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        if fake.key:
            bearer(asked, fake.key)
        shaped(asked, lenient(self.shape))


def vllm_routes(fake: Fake) -> list[Route]:
    """vLLM: chat, completions, embeddings, models and health."""
    chat = OldVllm() if fake.facts.get("old") else Vllm()
    return [*_usual(fake, chat, "vllm"), *_alive(fake, "/health", "/metrics")]


def tgi_routes(fake: Fake) -> list[Route]:
    """TGI: chat alone of OpenAI's surfaces."""
    return [route(fake, "/v1/chat/completions", Tgi()), *_alive(fake, "/health", "/info")]


def ollama_routes(fake: Fake) -> list[Route]:
    """Ollama's OpenAI side."""
    return [*_usual(fake, Ollama(), "library"), *_alive(fake, "/", "/api/version")]


def llamacpp_routes(fake: Fake) -> list[Route]:
    """llama.cpp's server."""
    return [*_usual(fake, LlamaCpp(odd_tools=bool(fake.facts.get("odd_tools"))), "llamacpp"), *_alive(fake, "/health")]


def _usual(fake: Fake, chat: Chat, owner: str) -> list[Route]:
    return [
        route(fake, "/v1/chat/completions", chat),
        route(fake, "/v1/completions", OpenCompletions()),
        route(fake, "/v1/embeddings", OpenEmbeddings()),
        listed(fake, owner=owner, key=bool(fake.key)),
    ]


def _alive(fake: Fake, *paths: str) -> list[Route]:
    async def alive(request: Request) -> Response:
        await recorded(fake, request)
        return Response(b"OK", media_type="text/plain")

    return [Route(path, alive, methods=["GET"]) for path in paths]
