"""Hub → Anthropic's stream: chunks as ``message_start … message_stop``.

Blocks are told one after the other; what a chunk says decides which is open. Tokens are known at the end, so
``message_delta`` bears them all. Source: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.hub.answer import Chunk, Delta, FinishReason, NativeFinish, ToolCallDelta, Usage
from tuneway.prediction.hub.messages import ExtraContent, ThinkingBlock
from tuneway.prediction.surfaces.messages.message import (
    Message,
    counts_of,
    message_id,
    stop_reason,
    thinking_block,
)
from tuneway.prediction.surfaces.messages.signatures import signed_id

_NOTHING = Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0)
_ENCODER = msgspec.json.Encoder()

Kind = Literal["text", "thinking", "redacted_thinking", "tool_use"]


def sse(kind: str, data: bytes) -> bytes:
    """One event on the wire."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


class MessageEvents:
    """Chunks in, events out; ``thoughts`` says whether the caller wants to read them."""

    def __init__(self, *, thoughts: bool = True) -> None:
        self._thoughts = thoughts
        self._started = False
        self._index = -1
        self._open: Kind | None = None
        self._calls: dict[int, int] = {}
        self._finish: FinishReason = "stop"
        self._native: NativeFinish | UnsetType = UNSET

    def encode(self, chunks: Iterable[Chunk]) -> bytes:
        """The events that chunks bring, joined."""
        return b"".join([self._chunk(chunk) for chunk in chunks])

    def flush(self, usage: Usage) -> bytes:
        """The end: the open block's, why the message stopped, its tokens."""
        delta = {"stop_reason": stop_reason(self._finish, self._native), "stop_sequence": None}
        last = _event("message_delta", {"delta": delta, "usage": counts_of(usage)})
        return self._closed() + last + _event("message_stop", {})

    def _chunk(self, chunk: Chunk) -> bytes:
        told = b"" if self._started else self._start(chunk)
        for choice in chunk.choices:
            if choice.index == 0:
                self._finish = choice.finish_reason or self._finish
                self._native = choice.native_finish_reason or self._native
                told += self._delta(choice.delta)
        return told

    def _start(self, chunk: Chunk) -> bytes:
        self._started = True
        head: Message = {
            "id": message_id(chunk.id),
            "type": "message",
            "role": "assistant",
            "model": chunk.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": counts_of(_NOTHING),
        }
        return _event("message_start", {"message": head})

    def _delta(self, delta: Delta) -> bytes:
        if signed := _signed(delta.extra_content):
            told = b"".join([self._thought(block) for block in signed])
        else:
            told = self._thinking("" if delta.reasoning_content is UNSET else delta.reasoning_content)
        for text in (delta.content, delta.refusal):
            if isinstance(text, str) and text:
                told += self._within("text", {"type": "text_delta", "text": text})
        if delta.tool_calls is not UNSET:
            told += b"".join([self._call(call) for call in delta.tool_calls])
        return told

    def _thinking(self, thought: str) -> bytes:
        shown = thought if self._thoughts else ""
        return self._within("thinking", {"type": "thinking_delta", "thinking": shown}) if shown else b""

    def _thought(self, block: ThinkingBlock) -> bytes:
        """A thought that was told in pieces gets its signature; one that was not is told at once."""
        if block.type == "redacted_thinking":
            return self._opened("redacted_thinking", thinking_block(block)) + self._closed()
        told = b"" if self._open == "thinking" else self._thinking(block.thinking or "")
        told += self._within("thinking", {"type": "signature_delta", "signature": block.signature or ""})
        return told + self._closed()

    def _call(self, call: ToolCallDelta) -> bytes:
        told = b""
        if call.index not in self._calls:
            told = self._opened("tool_use", _tool_use(call))
            self._calls[call.index] = self._index
        piece = call.function.arguments
        if isinstance(piece, str) and piece:
            news = {"type": "input_json_delta", "partial_json": piece}
            told += _event("content_block_delta", {"index": self._calls[call.index], "delta": news})
        return told

    def _within(self, kind: Literal["text", "thinking"], news: Mapping[str, str]) -> bytes:
        told = b"" if self._open == kind else self._opened(kind, _EMPTY[kind])
        return told + self._news(news)

    def _opened(self, kind: Kind, block: Mapping[str, object]) -> bytes:
        told = self._closed()
        self._index += 1
        self._open = kind
        return told + _event("content_block_start", {"index": self._index, "content_block": block})

    def _closed(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", {"index": self._index})

    def _news(self, news: Mapping[str, str]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": news})


_EMPTY: dict[Literal["text", "thinking"], Mapping[str, str]] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


def _signed(extra: ExtraContent | UnsetType) -> list[ThinkingBlock]:
    return (extra.anthropic.thinking_blocks or []) if extra is not UNSET and extra.anthropic is not None else []


def _event(kind: str, fields: Mapping[str, object]) -> bytes:
    return sse(kind, _ENCODER.encode({"type": kind, **fields}))


def _tool_use(call: ToolCallDelta) -> Mapping[str, object]:
    shown = signed_id(call.id or "", None if call.extra_content is UNSET else call.extra_content)
    name = call.function.name
    return {"type": "tool_use", "id": shown, "name": "" if name is UNSET else name, "input": {}}
