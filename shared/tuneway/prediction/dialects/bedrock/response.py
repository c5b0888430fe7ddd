"""Converse → hub: an answer as a completion.

Choices this dialect makes:
- Thoughts are ``reasoning_content``. Signed and redacted ones also travel at
  ``extra_content.anthropic.thinking_blocks``, each with its place, so that a tool loop can give them back.
- Prompt tokens are all that were read: fresh ones, those from the cache, those written into it.
- Tools that AWS itself runs (``server_tool_use``) are no calls for the caller.
- Answers the model itself botched (``malformed_*``) are a 502: trying again may mend them.

Source of the shape: ``ConverseResponse`` in botocore's model of ``bedrock-runtime``.
"""

import msgspec
from msgspec import UNSET

from tuneway.errors import UpstreamError
from tuneway.prediction.absent import read
from tuneway.prediction.dialects.bedrock.capacity import Performance, Tier, tier_of
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Exchange,
    FinishReason,
    PromptDetails,
    ToolCall,
    Usage,
    native_finish,
)
from tuneway.prediction.hub.answer_form import ANSWER_TOOL
from tuneway.prediction.hub.messages import AnthropicExtra, CalledFunction, ExtraContent, ThinkingBlock
from tuneway.prediction.upstream_errors import broken, from_answer, from_event

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
BOTCHED = frozenset({"malformed_model_output", "malformed_tool_use"})
# The HTTP status that each of Bedrock's exceptions has for our caller: the model's own faults are a bad gateway.
EXCEPTIONS = {
    "accessDeniedException": 403,
    "internalServerException": 500,
    "modelErrorException": 502,
    "modelNotReadyException": 429,
    "modelStreamErrorException": 502,
    "modelTimeoutException": 504,
    "resourceNotFoundException": 404,
    "serviceQuotaExceededException": 429,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}


class ToolUse(msgspec.Struct, rename="camel", gc=False):
    """A function to call; ``input`` stays as it was written."""

    tool_use_id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    type: str | None = None


class ReasoningText(msgspec.Struct, gc=False):
    """A thought."""

    text: str = ""
    signature: str | None = None


class Reasoning(msgspec.Struct, rename="camel", gc=False):
    """A thought, or one that only the model can read."""

    reasoning_text: ReasoningText | None = None
    redacted_content: str | None = None


class Cited(msgspec.Struct, gc=False):
    """Words that rest on a source."""

    text: str = ""


class Citations(msgspec.Struct, gc=False):
    """Words with their sources, of which OpenAI's answer has no form."""

    content: list[Cited] = []


class Block(msgspec.Struct, rename="camel", gc=False):
    """One block of the answer."""

    text: str | None = None
    tool_use: ToolUse | None = None
    reasoning_content: Reasoning | None = None
    citations_content: Citations | None = None


class Message(msgspec.Struct, gc=False):
    """The answer's turn."""

    content: list[Block] = []


class Output(msgspec.Struct, gc=False):
    """What came out."""

    message: Message


class TokenUsage(msgspec.Struct, rename="camel", gc=False):
    """Tokens; those read from and written into the cache stand beside ``inputTokens``."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None


class ConverseResponse(msgspec.Struct, rename="camel", gc=False):
    """The body."""

    output: Output
    stop_reason: str = ""
    usage: TokenUsage = msgspec.field(default_factory=TokenUsage)
    service_tier: Tier | None = None
    performance_config: Performance | None = None


_DECODER = msgspec.json.Decoder(ConverseResponse)


def from_response(body: bytes, exchange: Exchange) -> ChatCompletion:
    """The completion. Raises UpstreamError when the body is an error or no answer."""
    try:
        response = read(body, _DECODER)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None
    blocks = response.output.message.content
    calls = [call_of(block.tool_use) for block in blocks if block.tool_use is not None and is_callers(block.tool_use)]
    return ChatCompletion(
        id=exchange.id,
        created=exchange.created,
        model=exchange.request.model,
        choices=[
            Choice(
                index=0,
                message=_message(blocks, calls),
                finish_reason=finish_reason(response.stop_reason, called=bool(calls)),
                native_finish_reason=native_finish(response.stop_reason),
            )
        ],
        usage=usage_of(response.usage),
        service_tier=tier_of(response.service_tier, response.performance_config),
    )


def finish_reason(reason: str, *, called: bool) -> FinishReason:
    """Why the answer ended; ``called`` when it called tools. Raises UpstreamError for a botched answer."""
    if reason in BOTCHED:
        raise broken(f"The model ended with {reason} and gave no usable answer. Try again, or simplify the tools.")
    finish = FINISH_REASONS.get(reason, "stop")
    if called and finish == "stop":
        return "tool_calls"
    return "stop" if finish == "tool_calls" and not called else finish


def usage_of(counts: TokenUsage) -> Usage:
    """Tokens as OpenAI counts them."""
    read, written = counts.cache_read_input_tokens or 0, counts.cache_write_input_tokens
    prompt = counts.input_tokens + read + (written or 0)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=counts.output_tokens,
        total_tokens=prompt + counts.output_tokens,
        prompt_tokens_details=PromptDetails(
            cached_tokens=read, cache_write_tokens=UNSET if written is None else written
        ),
    )


def is_callers(tool: ToolUse) -> bool:
    """Whether the caller is to run the tool; the one that takes the answer only takes it."""
    return tool.type != "server_tool_use" and tool.name != ANSWER_TOOL


def call_of(tool: ToolUse) -> ToolCall:
    """A call, with its arguments as text."""
    function = CalledFunction(name=tool.name, arguments=_compact(tool.input))
    return ToolCall(id=tool.tool_use_id, function=function)


def _compact(arguments: msgspec.Raw) -> str:
    return msgspec.json.format(bytes(arguments), indent=-1).decode()


def thinking_block(reasoning: Reasoning, *, index: int) -> ThinkingBlock | None:
    """A thought that must be given back as it came; one without a signature need not be."""
    if reasoning.redacted_content is not None:
        return ThinkingBlock(type="redacted_thinking", index=index, data=reasoning.redacted_content)
    text = reasoning.reasoning_text
    if text is None or not text.signature:
        return None
    return ThinkingBlock(type="thinking", index=index, thinking=text.text, signature=text.signature)


def carried(blocks: list[ThinkingBlock]) -> ExtraContent:
    """Thoughts to give back, where the hub carries them."""
    return ExtraContent(anthropic=AnthropicExtra(thinking_blocks=blocks))


def raised(name: str, payload: bytes) -> UpstreamError:
    """The error for one of Bedrock's exceptions, by its name and its JSON."""
    return from_answer(EXCEPTIONS.get(name, 502), {}, payload)


def _message(blocks: list[Block], calls: list[ToolCall]) -> AnswerMessage:
    texts = [text for block in blocks if (text := _text(block)) is not None]
    thoughts = [block.reasoning_content.reasoning_text for block in blocks if block.reasoning_content is not None]
    told = [thought.text for thought in thoughts if thought is not None]
    kept = _kept(blocks)
    return AnswerMessage(
        content="".join(texts) if texts or not calls else None,
        reasoning_content="".join(told) if told else UNSET,
        tool_calls=calls or UNSET,
        extra_content=carried(kept) if kept else UNSET,
    )


def _text(block: Block) -> str | None:
    if block.tool_use is not None and block.tool_use.name == ANSWER_TOOL:
        return _compact(block.tool_use.input)
    if block.citations_content is not None:
        return "".join(cited.text for cited in block.citations_content.content)
    return block.text


def _kept(blocks: list[Block]) -> list[ThinkingBlock]:
    """The thoughts to give back, each at its place among them, the one text and the calls."""
    kept: list[ThinkingBlock] = []
    worded, calls = False, 0
    for block in blocks:
        if block.reasoning_content is not None:
            thought = thinking_block(block.reasoning_content, index=len(kept) + worded + calls)
            kept += [thought] if thought is not None else []
        worded = worded or bool((_text(block) or "").strip())
        calls += block.tool_use is not None and is_callers(block.tool_use)
    return kept
