"""Hub → Anthropic's answer: a completion as a ``Message``.

Source of the shape: Anthropic's Messages API reference. Thoughts without a signature of Claude's are thinking blocks
with an empty one; a call's Gemini signature travels in its id (``signatures.py``).
"""

from typing import Literal, TypedDict

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tuneway.prediction.hub.answer import AnswerMessage, ChatCompletion, FinishReason, NativeFinish, Usage
from tuneway.prediction.hub.answer import ToolCall as HubToolCall
from tuneway.prediction.hub.messages import ThinkingBlock as HubThinkingBlock
from tuneway.prediction.surfaces.messages.signatures import signed_id

StopReason = Literal["end_turn", "max_tokens", "tool_use", "refusal", "model_context_window_exceeded"]
STOP_REASONS: dict[FinishReason, StopReason] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


class Text(TypedDict):
    """Words."""

    type: Literal["text"]
    text: str


class Thinking(TypedDict):
    """A thought."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinking(TypedDict):
    """A thought nobody may read."""

    type: Literal["redacted_thinking"]
    data: str


class ToolUse(TypedDict):
    """A tool to use."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: Raw


Block = Text | Thinking | RedactedThinking | ToolUse


class OutputDetails(TypedDict):
    """What the written tokens were."""

    thinking_tokens: int


class Counts(TypedDict):
    """Tokens; the three inputs add up to the prompt."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    output_tokens_details: OutputDetails


class Message(TypedDict):
    """A whole answer, or in ``message_start`` its head."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[Block]
    stop_reason: StopReason | None
    stop_sequence: None
    usage: Counts


def encode_message(completion: ChatCompletion, *, thoughts: bool = True) -> bytes:
    """The answer's JSON; ``thoughts`` says whether the caller wants to read them."""
    return msgspec.json.encode(message_of(completion, thoughts=thoughts))


def message_of(completion: ChatCompletion, *, thoughts: bool = True) -> Message:
    """The answer; of several choices the first, since this API knows one."""
    choice = completion.choices[0]
    return {
        "id": message_id(completion.id),
        "type": "message",
        "role": "assistant",
        "model": completion.model,
        "content": _content(choice.message, thoughts=thoughts),
        "stop_reason": stop_reason(choice.finish_reason, choice.native_finish_reason),
        "stop_sequence": None,
        "usage": counts_of(completion.usage),
    }


def stop_reason(finish: FinishReason, native: NativeFinish | UnsetType) -> StopReason:
    """Anthropic's word; the host's own where it is one of them."""
    return STOP_REASONS[finish] if native is UNSET else native


def message_id(completion_id: str) -> str:
    """The id of an answer, in Anthropic's form."""
    return f"msg_{completion_id.removeprefix('chatcmpl-')}"


def counts_of(usage: Usage) -> Counts:
    """Tokens; what the cache gave and took is told apart."""
    details = usage.prompt_tokens_details
    read = 0 if details is UNSET else details.cached_tokens
    written = 0 if details is UNSET or details.cache_write_tokens is UNSET else details.cache_write_tokens
    thought = usage.completion_tokens_details
    return {
        "input_tokens": max(usage.prompt_tokens - read - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": 0 if thought is UNSET else thought.reasoning_tokens},
    }


def thinking_block(block: HubThinkingBlock, *, thoughts: bool = True) -> Thinking | RedactedThinking:
    """A thought that came with a signature."""
    if block.type == "redacted_thinking":
        return {"type": "redacted_thinking", "data": block.data or ""}
    shown = (block.thinking or "") if thoughts else ""
    return {"type": "thinking", "thinking": shown, "signature": block.signature or ""}


def _content(message: AnswerMessage, *, thoughts: bool) -> list[Block]:
    said = "".join(text for text in (message.content, message.refusal) if text)
    blocks: list[Block] = [Text(type="text", text=said)] if said else []
    if message.tool_calls is not UNSET:
        blocks += [_tool_use(call) for call in message.tool_calls]
    if kept := _signed(message):
        for place, thought in enumerate(kept):
            blocks.insert(place if thought.index is None else thought.index, thinking_block(thought, thoughts=thoughts))
    elif message.reasoning_content is not UNSET and thoughts:
        blocks.insert(0, Thinking(type="thinking", thinking=message.reasoning_content, signature=""))
    return blocks


def _signed(message: AnswerMessage) -> list[HubThinkingBlock]:
    extra = message.extra_content
    return (extra.anthropic.thinking_blocks or []) if extra is not UNSET and extra.anthropic is not None else []


def _tool_use(call: HubToolCall) -> ToolUse:
    extra = None if call.extra_content is UNSET else call.extra_content
    return {
        "type": "tool_use",
        "id": signed_id(call.id, extra),
        "name": call.function.name,
        "input": Raw(call.function.arguments.strip() or "{}"),
    }
