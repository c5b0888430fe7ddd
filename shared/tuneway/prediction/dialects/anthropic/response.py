"""Anthropic → hub: a Messages API answer as a completion.

Choices this dialect makes:
- Thoughts are ``reasoning_content``; as they must come back in a tool loop, they also travel whole, with signatures, at
  ``extra_content.anthropic.thinking_blocks`` of the message. Send assistant messages back as they came.
- A refusal is ``content_filter``; Anthropic's explanation, where it gives one, is ``refusal``.
- ``pause_turn`` (a server tool ran long) is ``stop``: sending the answer back goes on.
- Blocks of Anthropic's own server tools have no place in a completion and are passed over.

Source of the shape: Anthropic's Messages API reference, ``Message``.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tuneway.errors import UpstreamError
from tuneway.prediction.absent import read
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    CompletionDetails,
    Exchange,
    FinishReason,
    PromptDetails,
    ToolCall,
    Usage,
    native_finish,
)
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.prediction.hub.messages import AnthropicExtra, CalledFunction, ExtraContent, ThinkingBlock
from tuneway.prediction.upstream_errors import from_answer, from_event

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
# The HTTP status of each error type, for those that come with a 200: https://platform.claude.com/docs/en/api/errors
ERROR_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Block(msgspec.Struct, gc=False):
    """One block of an answer, or what is new of one; which fields it has depends on ``type``."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")
    partial_json: str = ""


class OutputDetails(msgspec.Struct, gc=False):
    """What the written tokens were."""

    thinking_tokens: int = 0


class Counts(msgspec.Struct, frozen=True, gc=False):
    """Tokens; in a stream, so far. None is not told."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


class StopDetails(msgspec.Struct, gc=False):
    """Why it refused."""

    explanation: str | None = None


class Message(msgspec.Struct, gc=False):
    """An answer."""

    content: list[Block] | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    usage: Counts | None = None


class _Fault(msgspec.Struct):
    type: str = ""


class _FaultBody(msgspec.Struct):
    error: _Fault


_DECODER = msgspec.json.Decoder(Message)
_FAULTS = msgspec.json.Decoder(_FaultBody)


def from_response(body: bytes, exchange: Exchange) -> ChatCompletion:
    """The completion. Raises UpstreamError when the body is an error or no answer."""
    message = _parse(body)
    return ChatCompletion(
        id=exchange.id,
        created=exchange.created,
        model=exchange.request.model,
        choices=[_choice(message, message.content or [])],
        usage=usage_of(message.usage or Counts()),
    )


def fault_of(body: bytes) -> UpstreamError:
    """The error for a body or event that is no answer."""
    try:
        kind = _FAULTS.decode(body).error.type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return from_event(body)
    return from_answer(ERROR_STATUSES[kind], {}, body) if kind in ERROR_STATUSES else from_event(body)


def usage_of(counts: Counts) -> Usage:
    """Tokens: what the cache held and what was written to it count as read, thoughts as written."""
    read, written = counts.cache_read_input_tokens or 0, counts.cache_creation_input_tokens or 0
    prompt, completion = (counts.input_tokens or 0) + read + written, counts.output_tokens or 0
    details = counts.output_tokens_details
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptDetails(cached_tokens=read, cache_write_tokens=written or UNSET),
        completion_tokens_details=CompletionDetails(reasoning_tokens=details.thinking_tokens if details else 0),
    )


def finish_reason(reason: str | None, *, called: bool) -> FinishReason:
    """Why the answer ended; a tool that only took the answer's JSON was no call."""
    finish = FINISH_REASONS.get(reason or "", "stop")
    return "stop" if finish == "tool_calls" and not called else finish


class Places:
    """Where thoughts stood in what comes back: the thoughts before them, the one text, the caller's calls."""

    __slots__ = ("_calls", "_kept", "_worded")

    def __init__(self) -> None:
        self._kept = self._calls = 0
        self._worded = False

    @property
    def next(self) -> int:
        """The place of what comes next."""
        return self._kept + self._worded + self._calls

    def passed(self, block: Block) -> None:
        """What a block is, as far as it is told, and adds to the places behind it."""
        self._kept += bool(block.signature or block.data)
        self._worded = self._worded or bool(block.text.strip()) or block.name == ANSWER_TOOL
        self._calls += block.type == "tool_use" and block.name != ANSWER_TOOL


def thoughts_of(blocks: Iterable[tuple[int, Block]]) -> ExtraContent | UnsetType:
    """The thoughts that must come back, as they must, each with its place; one without a signature need not."""
    kept = [_thought(index, block) for index, block in blocks if block.signature or block.data]
    return ExtraContent(anthropic=AnthropicExtra(thinking_blocks=kept)) if kept else UNSET


def _placed(blocks: Iterable[Block]) -> Iterator[tuple[int, Block]]:
    places = Places()
    for block in blocks:
        yield places.next, block
        places.passed(block)


def _thought(index: int, block: Block) -> ThinkingBlock:
    if block.type == "redacted_thinking":
        return ThinkingBlock(type="redacted_thinking", index=index, data=block.data)
    return ThinkingBlock(type="thinking", index=index, thinking=block.thinking, signature=block.signature)


def _parse(body: bytes) -> Message:
    try:
        message = read(body, _DECODER)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise fault_of(body) from None
    if message.content is None:
        raise fault_of(body)
    return message


def _choice(message: Message, blocks: list[Block]) -> Choice:
    calls = [_call(block) for block in blocks if block.type == "tool_use" and block.name != ANSWER_TOOL]
    texts = [_text(block) for block in blocks if block.type == "text" or block.name == ANSWER_TOOL]
    thoughts = "".join(block.thinking for block in blocks)
    return Choice(
        index=0,
        message=AnswerMessage(
            content="".join(texts) if texts or not calls else None,
            refusal=message.stop_details.explanation if message.stop_details is not None else None,
            reasoning_content=thoughts or UNSET,
            tool_calls=calls or UNSET,
            extra_content=thoughts_of(_placed(blocks)),
        ),
        finish_reason=finish_reason(message.stop_reason, called=bool(calls)),
        native_finish_reason=native_finish(message.stop_reason),
    )


def _text(block: Block) -> str:
    return bytes(block.input).decode() if block.name == ANSWER_TOOL else block.text


def _call(block: Block) -> ToolCall:
    return ToolCall(id=block.id, function=CalledFunction(name=block.name, arguments=bytes(block.input).decode()))
