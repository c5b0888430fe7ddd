"""What a model says in each vendor's words, whole and in events: for hosts that need no ears."""

import json
from collections.abc import Sequence

import msgspec

from tests.vendors.event_stream import event

JSON, EVENTS, FRAMES = "application/json", "text/event-stream", "application/vnd.amazon.eventstream"
WORDS = ("Well, ", "this ", "is ", "an ", "answer.")
TEXT = "".join(WORDS)


class Speech(msgspec.Struct, frozen=True):
    """An answer in parts: one, or one for each event."""

    kind: str
    parts: tuple[bytes, ...]

    @property
    def streams(self) -> bool:
        """Whether it comes in events."""
        return self.kind != JSON

    @property
    def half(self) -> bytes:
        """Where it may be broken off."""
        return b"".join(self.parts[: len(self.parts) // 2]) or self.parts[0][: len(self.parts[0]) // 2]


def whole(body: object) -> Speech:
    """One JSON value."""
    return Speech(JSON, (json.dumps(body).encode(),))


def events(bodies: Sequence[object], *, named: bool = False, last: tuple[bytes, ...] = ()) -> Speech:
    """Server-sent events; ``named`` by the type in their data."""
    written = []
    for body in bodies:
        name = f"event: {body['type']}\n" if named and isinstance(body, dict) else ""
        written.append(f"{name}data: {json.dumps(body)}\n\n".encode())
    return Speech(EVENTS, (*written, *last))


def frames(bodies: Sequence[tuple[str, object]]) -> Speech:
    """AWS's event stream."""
    return Speech(FRAMES, tuple(event(kind, json.dumps(body).encode()) for kind, body in bodies))


def _choice(**fields: object) -> dict[str, object]:
    return {"index": 0, "logprobs": None, **fields}


def _openai(kind: str, choice: dict[str, object]) -> dict[str, object]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "m", "choices": [choice]}


_COUNTED = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
_MESSAGE = {"role": "assistant", "content": TEXT, "refusal": None}
_DELTAS = [_choice(delta={"role": "assistant", "content": word}, finish_reason=None) for word in WORDS]
_OPENAI = {**_openai("chat.completion", _choice(message=_MESSAGE, finish_reason="stop")), "usage": _COUNTED}
_OPENAI_CHUNKS = [
    _openai("chat.completion.chunk", delta) for delta in [*_DELTAS, _choice(delta={}, finish_reason="stop")]
]


def _gemini(text: str, **fields: object) -> dict[str, object]:
    counted = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, **fields}],
        "usageMetadata": counted,
    }


_GEMINI_CHUNKS = [*(_gemini(word) for word in WORDS), _gemini("", finishReason="STOP")]
_CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5},
}
_CLAUDE_EVENTS = [
    {"type": "message_start", "message": {**_CLAUDE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in WORDS),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]
_SPENT = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
_CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": TEXT}]}},
    "stopReason": "end_turn",
    "usage": _SPENT,
    "metrics": {"latencyMs": 1},
}
_CONVERSE_EVENTS: list[tuple[str, object]] = [
    ("messageStart", {"role": "assistant"}),
    *(("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in WORDS),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": _SPENT, "metrics": {"latencyMs": 1}}),
]
_PREDICTED = whole({"predictions": [TEXT], "deployedModelId": "1"})

# By the verb in the path, and whether a stream was asked for.
SPEECHES: dict[tuple[str, bool], Speech] = {
    ("chat/completions", False): whole(_OPENAI),
    ("chat/completions", True): events(_OPENAI_CHUNKS, last=(b"data: [DONE]\n\n",)),
    ("enerateContent", False): whole(_gemini(TEXT, finishReason="STOP")),
    ("enerateContent", True): events(_GEMINI_CHUNKS),
    ("predict", False): _PREDICTED,
    ("predict", True): _PREDICTED,
    ("messages", False): whole(_CLAUDE),
    ("messages", True): events(_CLAUDE_EVENTS, named=True),
    ("converse", False): whole(_CONVERSE),
    ("converse", True): frames(_CONVERSE_EVENTS),
}
