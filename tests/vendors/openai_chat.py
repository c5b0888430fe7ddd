"""OpenAI's chat completions as a wire: what it refuses, and how it says what it is told."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import override

from tests.vendors.fake import DONE, Asked, Fake, Refused, Wire, encoded
from tests.vendors.listening import Heard, counted, halves, pieces
from tests.vendors.openai_heard import heard
from tests.vendors.openai_shapes import CHAT
from tests.vendors.script import Call, Error, Reply
from tests.vendors.shapes import Shape, fault, refuse

CREATED = 1790000000
KINDS = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error", 429: "requests"}
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
FINISHES = {"stop_sequence": "stop", "refusal": "stop"}
REASONING_FAMILIES = ("o1", "o3", "o4", "gpt-5")
FIXED_WHERE_IT_REASONS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")


def sse(value: object, event: str | None = None) -> bytes:
    """One server-sent event."""
    named = f"event: {event}\n".encode() if event else b""
    return named + b"data: " + encoded(value) + b"\n\n"


def openai_error(error: Error) -> dict[str, object]:
    """OpenAI's error object."""
    kind = error.kind or KINDS.get(error.status, "server_error")
    code = error.code or CODES.get(error.status)
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}


def bearer(asked: Asked, key: str) -> None:
    """Refuses a request without this key."""
    if asked.headers.get("authorization") != f"Bearer {key}":
        raise refuse(401, "Incorrect API key provided.")


def shaped(asked: Asked, shape: Shape) -> None:
    """Refuses a body that is no JSON object of this shape, as OpenAI words it."""
    if not isinstance(asked.body, dict):
        raise refuse(400, "We could not parse the JSON body of your request.")
    if (found := fault(asked.body, shape)) is not None:
        path, unknown, said = found
        if unknown:
            param = f"{path}.{unknown}".strip(".")
            raise refuse(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
        raise refuse(400, f"Invalid value: '{path}'. {said[:300]}", param=path or None, code="invalid_value")


def paired(messages: list[dict[str, Any]]) -> None:
    """Refuses tool calls and results that do not follow each other."""
    open_calls: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise _unpaired(at, "messages with role 'tool' must be a response to a preceding message")
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            raise _unpaired(at, f"tool_call_ids did not have response messages: {', '.join(open_calls)}")
        open_calls += [call["id"] for call in message.get("tool_calls") or []]
    if open_calls:
        raise _unpaired(len(messages), f"tool_call_ids did not have response messages: {', '.join(open_calls)}")


def _unpaired(at: int, said: str) -> Refused:
    return refuse(400, f"Invalid parameter: {said}.", param=f"messages.[{at}].role")


class Chat(Wire):
    """``POST /v1/chat/completions`` of OpenAI; others differ in the hooks below."""

    stream_kind = "text/event-stream; charset=utf-8"
    shape: Shape = CHAT
    reasoning_field: str | None = None

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        bearer(asked, fake.key)
        shaped(asked, self.shape)
        self.agrees(asked.body, fake)

    def agrees(self, body: dict[str, Any], fake: Fake) -> None:
        """What a shape cannot say."""
        paired(body["messages"])
        if body.get("stream_options") and not body.get("stream"):
            said = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise refuse(400, said, param="stream_options")
        if body["model"].startswith(REASONING_FAMILIES):
            _reasoning_model(body)
        if body["model"] not in fake.facts.get("models", [body["model"]]):
            raise refuse(404, f"The model `{body['model']}` does not exist or you do not have access to it.")

    @override
    def streams(self, asked: Asked) -> bool:
        return bool(asked.body.get("stream"))

    @override
    def heard(self, asked: Asked) -> Heard:
        return heard(asked.body)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        if reply.blocked:
            raise self.blocked()
        choices = [
            {
                "index": index,
                "message": self.message(reply),
                "finish_reason": finish(reply),
                "logprobs": logprobs(asked.body, pieces(reply.text)),
            }
            for index in range(asked.body.get("n") or 1)
        ]
        head = self.head(asked, "chat.completion")
        return {**head, "choices": choices, **({"usage": self.usage(asked, reply)} if reply.usage else {})}

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        if reply.blocked:
            raise self.blocked()
        return [sse(chunk) for chunk in self.chunks(asked, reply)] + [DONE]

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        limits = {"x-ratelimit-remaining-requests": "0"} if error.status == 429 else {}
        return openai_error(error), limits

    @override
    def broken(self, error: Error) -> bytes:
        return sse(openai_error(error))

    def blocked(self) -> Refused:
        """What is answered when the prompt's filter strikes."""
        said = "Invalid prompt: we've limited access to this content for safety reasons."
        return refuse(400, said, code="invalid_prompt")

    def head(self, asked: Asked, kind: str) -> dict[str, Any]:
        return {
            "id": "chatcmpl-of-the-fake",
            "object": kind,
            "created": CREATED,
            "model": asked.body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
        }

    def message(self, reply: Reply) -> dict[str, Any]:
        said: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": reply.refusal or None}
        if self.reasoning_field and reply.reasoning:
            said[self.reasoning_field] = reply.reasoning
        if reply.calls:
            said["tool_calls"] = [self.call(call, index) for index, call in enumerate(reply.calls)]
        return {**said, "annotations": []}

    def call(self, call: Call, index: int) -> dict[str, Any]:
        function = {"name": call.name, "arguments": json.dumps(dict(call.arguments))}
        return {"id": call.id or f"call_{index}_{call.name}", "type": "function", "function": function}

    def usage(self, asked: Asked, reply: Reply) -> dict[str, Any]:
        prompt, completion, reasoning = counted(reply, self.heard(asked))
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": reply.tokens.cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
        }

    def chunks(self, asked: Asked, reply: Reply) -> Iterator[dict[str, Any]]:
        counts = bool((asked.body.get("stream_options") or {}).get("include_usage"))
        null = {"usage": None} if counts else {}
        head = self.head(asked, "chat.completion.chunk")
        for index in range(asked.body.get("n") or 1):
            choice: dict[str, Any] = {"index": index, "logprobs": None, "finish_reason": None}
            for delta in self.deltas(reply):
                spoken = logprobs(asked.body, [delta["content"]] if delta.get("content") else [])
                yield {**head, "choices": [{**choice, "delta": delta, "logprobs": spoken}], **null}
            yield {**head, "choices": [{**choice, "delta": {}, "finish_reason": finish(reply)}], **null}
        if counts and reply.usage:
            yield {**head, "choices": [], "usage": self.usage(asked, reply)}

    def deltas(self, reply: Reply) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "content": "", "refusal": None}
        if self.reasoning_field:
            yield from ({self.reasoning_field: piece} for piece in pieces(reply.reasoning))
        yield from ({"content": piece} for piece in pieces(reply.text))
        yield from ({"refusal": piece} for piece in pieces(reply.refusal))
        for index, call in enumerate(reply.calls):
            yield from self.call_deltas(call, index)

    def call_deltas(self, call: Call, index: int) -> Iterator[dict[str, Any]]:
        whole = self.call(call, index)
        first = {**whole, "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": index, **first}]}
        for part in halves(whole["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


def finish(reply: Reply) -> str:
    """OpenAI's word for why it ended."""
    return FINISHES.get(reply.ended, reply.ended)


def logprobs(body: Mapping[str, Any], tokens: list[str]) -> dict[str, Any] | None:
    """Log probabilities where they were asked for."""
    if not body.get("logprobs"):
        return None
    content = [
        {
            "token": token,
            "logprob": -0.25,
            "bytes": list(token.encode()),
            "top_logprobs": _ranked(token, body.get("top_logprobs") or 0),
        }
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _ranked(token: str, most: int) -> list[dict[str, Any]]:
    names = [token, *(f"other{rank}" for rank in range(1, most))][:most]
    return [{"token": name, "logprob": -0.25 - rank, "bytes": None} for rank, name in enumerate(names)]


def _reasoning_model(body: Mapping[str, Any]) -> None:
    if body.get("max_tokens") is not None:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise refuse(400, said, param="max_tokens", code="unsupported_parameter")
    for name in FIXED_WHERE_IT_REASONS:
        if body.get(name) not in {None, 1, 0 if "penalty" in name else 1}:
            said = f"Unsupported value: '{name}' does not support {body[name]} with this model."
            raise refuse(400, said, param=name, code="unsupported_value")
