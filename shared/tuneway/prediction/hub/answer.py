"""The hub's answer: OpenAI completions, chunks, usage and the error event, with their encoders.

Shapes: OpenAI's published OpenAPI document, ``CreateChatCompletion(Stream)Response``.
Fields without a default stand in every answer, null included, because the document requires them; UNSET is absent.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.errors import TunewayError, UpstreamError
from tuneway.prediction.hub.messages import CalledFunction, ExtraContent, ImageUrl
from tuneway.prediction.hub.request import ChatRequest

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
NativeFinish = Literal["model_context_window_exceeded"]
ServiceTier = Literal["default", "flex", "scale", "priority", "fast"]
WINDOW_FULL: NativeFinish = "model_context_window_exceeded"
DONE = b"data: [DONE]\n\n"


class Exchange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call: what was asked, and the id (``chatcmpl-…``) and Unix time its answer bears."""

    request: ChatRequest
    id: str
    created: int

    def call_id(self, choice: int, position: int) -> str:
        """An id for a tool call that came without one: unique over all exchanges, the same on every replay."""
        return f"call_{self.id.removeprefix('chatcmpl-')}_{choice}_{position}"


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A function the model calls."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction
    extra_content: ExtraContent | UnsetType = UNSET


class AnswerImage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A picture that the model drew, as a ``data:`` URL."""

    index: int
    type: Literal["image_url"] = "image_url"
    image_url: ImageUrl


class OlderCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call as those know it who call tools functions: without an id; ``extra_content`` is to come back with it."""

    name: str
    arguments: str
    extra_content: ExtraContent | UnsetType = UNSET


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``reasoning_content`` holds returned thoughts, under the name most clients read; ``images`` those it drew.

    ``annotations`` and ``audio`` are as OpenAI's own models give them.
    """

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET
    function_call: OlderCall | UnsetType = UNSET
    annotations: list[dict[str, object]] | UnsetType = UNSET
    audio: dict[str, object] | UnsetType = UNSET
    images: list[AnswerImage] | UnsetType = UNSET
    extra_content: ExtraContent | UnsetType = UNSET


class TopLogprob(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``bytes`` is null: no dialect here gives the bytes of a token."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A chosen token, and what else it could have been."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob]


class Logprobs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Log probabilities of an answer's tokens."""

    content: list[TokenLogprob] | None
    refusal: list[TokenLogprob] | None = None


class PromptDetails(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the prompt's tokens were."""

    cached_tokens: int = 0
    cache_write_tokens: int | UnsetType = UNSET
    audio_tokens: int = 0


class CompletionDetails(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the answer's tokens were."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens. ``estimated`` is there, and true, where the model's host counted none and these are a guess."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails | UnsetType = UNSET
    completion_tokens_details: CompletionDetails | UnsetType = UNSET
    estimated: Literal[True] | UnsetType = UNSET


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of the answers; ``native_finish_reason`` is the host's own word where OpenAI's ``length`` says too little."""

    index: int
    message: AnswerMessage
    logprobs: Logprobs | None = None
    finish_reason: FinishReason
    native_finish_reason: NativeFinish | UnsetType = UNSET


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    service_tier: ServiceTier | UnsetType = UNSET


class FunctionDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A piece of a function call: ``arguments`` goes on where the last piece ended."""

    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class OlderDelta(FunctionDelta, frozen=True, kw_only=True, gc=False):
    """A piece of a call for those who call tools functions."""

    extra_content: ExtraContent | UnsetType = UNSET


class ToolCallDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A function the model calls, whole in one delta, or a piece of one: only its first bears ``id`` and ``type``."""

    index: int
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = "function"
    function: CalledFunction | FunctionDelta
    extra_content: ExtraContent | UnsetType = UNSET


class Delta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is new of a choice."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCallDelta] | UnsetType = UNSET
    function_call: OlderDelta | UnsetType = UNSET
    annotations: list[dict[str, object]] | UnsetType = UNSET
    audio: dict[str, object] | UnsetType = UNSET
    images: list[AnswerImage] | UnsetType = UNSET
    extra_content: ExtraContent | UnsetType = UNSET


class ChunkChoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a chunk says of one choice."""

    index: int
    delta: Delta
    logprobs: Logprobs | None = None
    finish_reason: FinishReason | None = None
    native_finish_reason: NativeFinish | UnsetType = UNSET


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``usage`` is absent unless asked for; then null, and in a last chunk without choices the sum."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | UnsetType | None = UNSET
    service_tier: ServiceTier | UnsetType = UNSET


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's four words about an error."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct, frozen=True):
    """An error as OpenAI sends it."""

    error: ErrorDetail


_ENCODER = msgspec.json.Encoder()


def native_finish(reason: str | None) -> NativeFinish | UnsetType:
    """The host's own word for the end, where it is to be told."""
    return WINDOW_FULL if reason == WINDOW_FULL else UNSET


def encode_completion(completion: ChatCompletion) -> bytes:
    """The answer's JSON."""
    return _ENCODER.encode(completion)


def encode_chunks(chunks: Iterable[Chunk]) -> bytes:
    """Chunks as server-sent events, joined; nothing when there are none."""
    return b"".join([b"data: %b\n\n" % _ENCODER.encode(chunk) for chunk in chunks])


def encode_error_event(error: TunewayError) -> bytes:
    """The one event that tells of an error after the first chunk."""
    kind = error.kind if isinstance(error, UpstreamError) else "server_error"
    detail = ErrorDetail(message=error.message, type=kind, param=error.param, code=error.code)
    return b"data: %b\n\n" % _ENCODER.encode(ErrorBody(detail))
