"""Bedrock's Converse as a wire, whole and as an event stream."""

import base64
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from typing_extensions import override

from tests.vendors.anthropic_messages import SIGNATURE
from tests.vendors.bedrock_shapes import BODY
from tests.vendors.converse_heard import heard
from tests.vendors.event_stream import event, exception
from tests.vendors.fake import Asked, Fake, Wire, encoded
from tests.vendors.listening import Heard, counted, halves, pieces
from tests.vendors.script import Error, Reply
from tests.vendors.shapes import Shape, fault, refuse
from tests.vendors.sigv4 import Account, verify

STREAM = "application/vnd.amazon.eventstream"


KINDS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered"}


class Bedrock(Wire):
    """What all of Bedrock's calls share: credentials, errors, frames."""

    stream_kind = STREAM
    streamed = False

    def admitted(self, asked: Asked, fake: Fake) -> None:
        """Refuses a request that bears neither a verified signature nor the API key."""
        if asked.headers.get("authorization") != f"Bearer {fake.key}":
            verify(asked, fake.facts.get("account", Account()))
        model = asked.parameters["model"]
        if model not in fake.facts.get("models", [model]):
            raise refuse(400, "The provided model identifier is invalid.")

    @override
    def streams(self, asked: Asked) -> bool:
        return self.streamed

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        kind = error.kind or KINDS.get(error.status, "InternalServerException")
        named = f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"
        return {"message": error.message}, {"x-amzn-errortype": named}

    @override
    def broken(self, error: Error) -> bytes:
        kind = error.kind or KINDS.get(error.status, "InternalServerException")
        return exception(kind[0].lower() + kind[1:], encoded({"message": error.message}))


class Converse(Bedrock):
    """``POST /model/{id}/converse`` and, streamed, ``/converse-stream``."""

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        self.admitted(asked, fake)
        shaped(asked.body, BODY)
        _filled(asked.body)
        _alternating(asked.body["messages"])
        _paired(asked.body)

    @override
    def heard(self, asked: Asked) -> Heard:
        return heard(asked.body)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        content = [whole for whole, _, _ in blocks(reply)]
        counts = {"usage": self.usage(asked, reply)} if reply.usage else {}
        message = {"role": "assistant", "content": content}
        said = {"output": {"message": message}, "stopReason": stop_reason(reply), "metrics": {"latencyMs": 12}}
        return {**said, **counts}

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        return [event(kind, encoded({**payload, "p": "abcdefgh"})) for kind, payload in self.told(asked, reply)]

    def told(self, asked: Asked, reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events of a stream; the counts come after the end."""
        yield "messageStart", {"role": "assistant"}
        for index, (_, start, deltas) in enumerate(blocks(reply)):
            at = {"contentBlockIndex": index}
            if start is not None:  # only tool uses are announced
                yield "contentBlockStart", {"start": start, **at}
            for delta in deltas:
                yield "contentBlockDelta", {"delta": delta, **at}
            yield "contentBlockStop", at
        yield "messageStop", {"stopReason": stop_reason(reply)}
        if reply.usage:
            yield "metadata", {"usage": self.usage(asked, reply), "metrics": {"latencyMs": 12}}

    def usage(self, asked: Asked, reply: Reply) -> dict[str, int]:
        prompt, completion, _ = counted(reply, self.heard(asked))
        cached, written = reply.tokens.cached, reply.tokens.cache_written
        named = {"inputTokens": prompt, "outputTokens": completion, "totalTokens": prompt + completion}
        return {**named, "cacheReadInputTokens": cached, "cacheWriteInputTokens": written}


def shaped(body: object, shape: Shape) -> None:
    """Refuses a body of another shape, as Bedrock words it."""
    if (found := fault(body, shape)) is None:
        return
    path, unknown, said = found
    raise refuse(400, f"Malformed input request: #/{path.replace('.', '/')}: {unknown or said}, please reformat.")


def stop_reason(reply: Reply) -> str:
    """Bedrock's word for why it ended."""
    if reply.blocked:
        return "guardrail_intervened"
    return "end_turn" if reply.refusal and not reply.finish else STOPS.get(reply.ended, reply.ended)


def blocks(reply: Reply) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None, list[dict[str, Any]]]]:
    """Each content block whole, its announcement, and its deltas."""
    if reply.reasoning:
        signed = {"text": reply.reasoning, "signature": reply.signature}
        deltas = [*({"text": piece} for piece in pieces(reply.reasoning)), {"signature": reply.signature}]
        yield {"reasoningContent": {"reasoningText": signed}}, None, [{"reasoningContent": one} for one in deltas]
    if reply.redacted:
        hidden = {"reasoningContent": {"redactedContent": base64.b64encode(reply.redacted.encode()).decode()}}
        yield hidden, None, [hidden]
    if text := reply.text or reply.refusal:
        yield {"text": text}, None, [{"text": piece} for piece in pieces(text)]
    for index, call in enumerate(reply.calls):
        named: dict[str, Any] = {"toolUseId": call.id or f"tooluse_{index}_{call.name}", "name": call.name}
        fragments: list[dict[str, Any]] = [
            {"toolUse": {"input": part}} for part in halves(json.dumps(dict(call.arguments)))
        ]
        used: dict[str, Any] = {**named, "input": dict(call.arguments)}
        yield {"toolUse": used}, {"toolUse": named}, fragments


def _filled(body: Mapping[str, Any]) -> None:
    for at, message in enumerate(body["messages"]):
        for index, block in enumerate(message["content"]):
            if "text" in block and not block["text"].strip():
                place = f"messages.{at}.content.{index}"
                raise refuse(400, f"The text field in the ContentBlock object at {place} is blank.")
            signed = (block.get("reasoningContent") or {}).get("reasoningText")
            if signed is not None and signed.get("signature") != SIGNATURE:
                raise refuse(400, f"messages.{at}.content.{index}: Invalid `signature` in `thinking` block")


def _alternating(messages: list[dict[str, Any]]) -> None:
    roles = [message["role"] for message in messages if message["role"] != "system"]
    if roles[:1] != ["user"]:
        raise refuse(400, "A conversation must start with a user message.")
    if any(one == other for one, other in pairwise(roles)):
        raise refuse(400, "messages: roles must alternate between user and assistant")


def _paired(body: Mapping[str, Any]) -> None:
    blocks_ = [block for message in body["messages"] for block in message["content"]]
    if "toolConfig" not in body and any("toolUse" in block or "toolResult" in block for block in blocks_):
        said = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        raise refuse(400, said)
    empty: list[dict[str, Any]] = [{"content": []}]
    for at, (before, after) in enumerate(pairwise([*empty, *body["messages"], *empty])):
        asked = sorted(block["toolUse"]["toolUseId"] for block in before["content"] if "toolUse" in block)
        answered = sorted(block["toolResult"]["toolUseId"] for block in after["content"] if "toolResult" in block)
        if asked != answered:
            said = f"Expected toolResult blocks at messages.{at}.content for the following Ids: {', '.join(asked)}"
            raise refuse(400, f"{said}; found: {', '.join(answered)}")
