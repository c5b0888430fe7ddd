"""Anthropic's Messages API as a wire, at Anthropic itself and in the clouds' envelopes."""

import base64
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from typing_extensions import override

from tests.vendors.anthropic_shapes import BODY, SAMPLING
from tests.vendors.fake import Asked, Fake, Wire
from tests.vendors.listening import Heard, Image, Tool, counted, halves, pieces, words
from tests.vendors.openai_chat import sse
from tests.vendors.script import Call, Error, Reply
from tests.vendors.shapes import TEXT, Shape, fault, many, refuse

OLD, NEW = "2023-06-01", "2026-10-21"
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
SIGNATURE = Reply().signature


class Messages(Wire):
    """``POST /v1/messages``. ``envelope`` names the API versions that a cloud takes in the body, where it does."""

    stream_kind = "text/event-stream; charset=utf-8"
    envelope: tuple[str, ...] = ()

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        self.admitted(asked, fake)
        new = self.version(asked) == NEW
        shaped(asked.body, self.shape())
        _sampled(asked.body, new=new or asked.body.get("model") in fake.facts.get("without_sampling", ()))
        _ordered(asked.body["messages"])
        _paired(asked.body["messages"])
        _thought(asked.body)
        if (model := asked.body.get("model")) not in fake.facts.get("models", [model]):
            raise refuse(404, f"model: {model}")

    def admitted(self, asked: Asked, fake: Fake) -> None:
        """Refuses a request without the key."""
        by_header = asked.headers.get("x-api-key")
        if (by_header or asked.headers.get("authorization", "").removeprefix("Bearer ")) != fake.key:
            raise refuse(401, "invalid x-api-key")

    def version(self, asked: Asked) -> str:
        """The API's version, which must be there."""
        version = asked.headers.get("anthropic-version")
        if version not in {OLD, NEW}:
            raise refuse(400, f"anthropic-version: {'header is required' if version is None else 'invalid version'}")
        return version

    def shape(self) -> Shape:
        return PLAIN_BODY if not self.envelope else WRAPPED_BODIES[self.envelope]

    @override
    def streams(self, asked: Asked) -> bool:
        return bool(asked.body.get("stream"))

    @override
    def heard(self, asked: Asked) -> Heard:
        return heard(asked.body)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        return {
            **self.opening(asked),
            "content": [block for block, _ in blocks(reply)],
            "stop_reason": stop_reason(reply),
            "stop_sequence": _stopped_by(asked, reply),
            "usage": usage(reply, self.heard(asked)),
        }

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        return [sse(event, str(event["type"])) for event in self.told(asked, reply)]

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return anthropic_error(error), {"request-id": "req_of_the_fake"}

    @override
    def broken(self, error: Error) -> bytes:
        return sse(anthropic_error(Error(529, "Overloaded") if error == Error(503) else error), "error")

    def opening(self, asked: Asked) -> dict[str, Any]:
        model = asked.body.get("model") or asked.parameters.get("model")
        return {"id": "msg_of_the_fake", "type": "message", "role": "assistant", "model": model}

    def told(self, asked: Asked, reply: Reply) -> Iterator[dict[str, Any]]:
        """The events of a stream."""
        used = usage(reply, self.heard(asked))
        empty: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None}
        first = {**used, "output_tokens": 1} if reply.usage else {"input_tokens": 0, "output_tokens": 0}
        yield {"type": "message_start", "message": {**self.opening(asked), **empty, "usage": first}}
        yield {"type": "ping"}
        for index, (block, deltas) in enumerate(blocks(reply)):
            yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
            for delta in deltas:
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        end = {"stop_reason": stop_reason(reply), "stop_sequence": _stopped_by(asked, reply)}
        yield {"type": "message_delta", "delta": end, "usage": used if reply.usage else {"output_tokens": 0}}
        yield {"type": "message_stop"}


def _extended(**more: Shape) -> Shape:
    needed = [*BODY["required"], *more]
    return {**BODY, "required": needed, "properties": {**BODY["properties"], **more}}


def _optional(shape: Shape, **more: Shape) -> Shape:
    return {**shape, "properties": {**shape["properties"], **more}}


PLAIN_BODY = _extended(model=TEXT)
VERTEX_VERSIONS = ("vertex-2023-10-16", NEW)
BEDROCK_VERSIONS = ("bedrock-2023-05-31", NEW)
WRAPPED_BODIES: dict[tuple[str, ...], Shape] = {
    VERTEX_VERSIONS: _extended(anthropic_version={"enum": list(VERTEX_VERSIONS)}),
    BEDROCK_VERSIONS: _optional(
        _extended(anthropic_version={"enum": list(BEDROCK_VERSIONS)}), anthropic_beta=many(TEXT)
    ),
}


def shaped(body: object, shape: Shape) -> None:
    """Refuses a body of another shape, as Anthropic words it."""
    found = fault(body, shape)
    if found is None:
        return
    path, unknown, said = found
    raise refuse(400, f"{path}.{unknown}: Extra inputs are not permitted".strip(".") if unknown else f"{path}: {said}")


def anthropic_error(error: Error) -> dict[str, object]:
    """Anthropic's error object."""
    inside = {"type": error.kind or KINDS.get(error.status, "api_error"), "message": error.message}
    return {"type": "error", "error": inside, "request_id": "req_of_the_fake"}


def stop_reason(reply: Reply) -> str:
    """Anthropic's word for why it ended."""
    return "refusal" if reply.blocked else STOPS.get(reply.ended, reply.ended)


def usage(reply: Reply, heard_: Heard) -> dict[str, Any]:
    """Tokens as Anthropic counts them: cached ones apart from ``input_tokens``."""
    prompt, completion, _ = counted(reply, heard_)
    return {
        "input_tokens": prompt,
        "cache_creation_input_tokens": reply.tokens.cache_written,
        "cache_read_input_tokens": reply.tokens.cached,
        "output_tokens": completion,
        "service_tier": "standard",
    }


def blocks(reply: Reply) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each content block whole, and its deltas."""
    if reply.reasoning:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(reply.reasoning)]
        signed = {"type": "signature_delta", "signature": reply.signature}
        yield {"type": "thinking", "thinking": reply.reasoning, "signature": reply.signature}, [*deltas, signed]
    if reply.redacted:
        yield {"type": "redacted_thinking", "data": reply.redacted}, []
    if text := reply.text or reply.refusal:
        yield {"type": "text", "text": text}, [{"type": "text_delta", "text": piece} for piece in pieces(text)]
    for index, call in enumerate(reply.calls):
        yield _call(call, index)


def heard(body: Mapping[str, Any]) -> Heard:
    """A Messages request in the fakes' words."""
    messages = body["messages"]
    users = [content(message) for message in messages if message["role"] == "user"]
    last = users[-1] if users and messages[-1]["role"] == "user" else []
    texts = [[block for block in blocks_ if block["type"] != "tool_result"] for blocks_ in users]
    asked: list[dict[str, Any]] = next((found for found in reversed(texts) if found), [])
    config = body.get("output_config") or {}
    return Heard(
        text=" ".join(block["text"] for block in asked if block["type"] == "text"),
        words=words(body.get("system"), [message["content"] for message in messages]),
        media=tuple(_media(block) for block in asked if block["type"] in {"image", "document"}),
        tools=tuple(Tool(name=tool["name"], schema=tool["input_schema"]) for tool in body.get("tools") or []),
        choice=_choice(body.get("tool_choice") or {"type": "auto"}),
        results=tuple(_result(block) for block in last if block["type"] == "tool_result"),
        schema=(config.get("format") or {}).get("schema"),
        reasons=(body.get("thinking") or {}).get("type", "disabled") != "disabled",
        most_tokens=body["max_tokens"],
        stops=tuple(body.get("stop_sequences") or ()),
    )


def content(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A message's blocks, however it was written."""
    said = message["content"]
    return [{"type": "text", "text": said}] if isinstance(said, str) else list(said)


def _sampled(body: Mapping[str, Any], *, new: bool) -> None:
    if new and (given := [name for name in SAMPLING if name in body]):
        raise refuse(400, f"{given[0]}: Extra inputs are not permitted")


def _ordered(messages: list[dict[str, Any]]) -> None:
    if messages[0]["role"] == "assistant":
        raise refuse(400, 'messages: first message must use the "user" role')
    last = content(messages[-1])[-1]
    if messages[-1]["role"] == "assistant" and last["type"] == "text" and last["text"] != last["text"].rstrip():
        raise refuse(400, "messages: final assistant content cannot end with trailing whitespace")


def _paired(messages: list[dict[str, Any]]) -> None:
    """Each tool_use is answered at once, at the head of the next message, and nothing else is."""
    for at, (before, after) in enumerate(pairwise([{"role": "user", "content": []}, *messages, None])):
        asked: set[str] = {block["id"] for block in content(before) if block["type"] == "tool_use"} if before else set()
        following = content(after) if after else []
        results = [block["type"] == "tool_result" for block in following]
        answered = {block["tool_use_id"] for block in following if block["type"] == "tool_result"}
        if asked - answered or (asked and sorted(results, reverse=True) != results):
            missing = ", ".join(sorted(asked - answered))
            said = f"`tool_use` ids were found without `tool_result` blocks immediately after: {missing}"
            raise refuse(400, f"messages.{at - 1}: {said}.")
        if answered - asked:
            raise refuse(400, f"messages.{at}.content: unexpected `tool_use_id` found in `tool_result` blocks")


def _thought(body: Mapping[str, Any]) -> None:
    thinking = body.get("thinking") or {"type": "disabled"}
    if thinking["type"] == "enabled" and thinking["budget_tokens"] >= body["max_tokens"]:
        raise refuse(400, "`max_tokens` must be greater than `thinking.budget_tokens`")
    if thinking["type"] != "disabled" and (body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        raise refuse(400, "Thinking may not be enabled when tool_choice forces tool use.")
    if thinking["type"] != "disabled" and body.get("temperature", 1) != 1:
        raise refuse(400, "`temperature` may only be set to 1 when thinking is enabled.")
    for at, message in enumerate(body["messages"]):
        found = content(message)
        if any(block["type"] == "thinking" and block["signature"] != SIGNATURE for block in found):
            raise refuse(400, f"messages.{at}.content.0: Invalid `signature` in `thinking` block")
        calls = any(block["type"] == "tool_use" for block in found)
        if thinking["type"] == "enabled" and calls and not found[0]["type"].endswith("thinking"):
            said = f"Expected `thinking` or `redacted_thinking`, but found `{found[0]['type']}`."
            raise refuse(400, f"messages.{at}.content.0.type: {said}")


def _stopped_by(asked: Asked, reply: Reply) -> str | None:
    return (asked.body.get("stop_sequences") or [None])[0] if reply.ended == "stop_sequence" else None


def _call(call: Call, index: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    whole = {"type": "tool_use", "id": call.id or f"toolu_{index}_{call.name}", "name": call.name}
    fragments = ["", *halves(json.dumps(dict(call.arguments)))]
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in fragments]
    return {**whole, "input": dict(call.arguments)}, deltas


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    bare: dict[str, dict[str, Any]] = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}
    return {**block, **bare.get(block["type"], {}), **({"input": {}} if "input" in block else {})}


def _media(block: Mapping[str, Any]) -> Image:
    source = block["source"]
    if source["type"] == "base64":
        return Image(kind=source["media_type"], size=len(base64.b64decode(source["data"], validate=True)))
    return Image(kind="link", address=str(source.get("url") or source.get("file_id") or source["type"]))


def _choice(choice: Mapping[str, Any]) -> str:
    return {"any": "required", "tool": str(choice.get("name"))}.get(choice["type"], str(choice["type"]))


def _result(block: Mapping[str, Any]) -> str:
    said = block.get("content") or ""
    return said if isinstance(said, str) else " ".join(part.get("text", part["type"]) for part in said)
