"""Gemini → hub: a ``generateContent`` answer as a completion.

Choices this dialect makes:
- A blocked prompt (``promptFeedback.blockReason``) is an answer, not an error: one choice, empty content,
  ``finish_reason: content_filter``.
- Thoughts are ``reasoning_content``; they come only when the request set ``reasoning_effort``.
- A part's ``thoughtSignature`` travels at ``extra_content.google.thought_signature``: a call's on the tool call, a
  text's on the message. It is to be given back there.
- Pictures that the model drew are ``images``, as LiteLLM and others give them: OpenAI's answers have no place for any.
- Answers the model itself botched (``MALFORMED_FUNCTION_CALL`` and its like) are a 502: trying again may mend them.

Source of the shape: ``GenerateContentResponse`` in Vertex AI's REST reference.
"""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.errors import UpstreamError
from tuneway.prediction.absent import read
from tuneway.prediction.dialects.gemini.pictures import Blob, pictures
from tuneway.prediction.hub.answer import (
    AnswerImage,
    AnswerMessage,
    ChatCompletion,
    Choice,
    CompletionDetails,
    Exchange,
    FinishReason,
    Logprobs,
    PromptDetails,
    TokenLogprob,
    ToolCall,
    TopLogprob,
    Usage,
)
from tuneway.prediction.hub.messages import CalledFunction, ExtraContent, GoogleExtra
from tuneway.prediction.upstream_errors import broken, from_event

FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "OTHER": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_OTHER": "content_filter",
    "NO_IMAGE": "content_filter",
}
BOTCHED = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"})
UNSIGNED = "MISSING_THOUGHT_SIGNATURE"


class FunctionCall(msgspec.Struct, gc=False):
    """A function to call, or called."""

    name: str = ""
    args: dict[str, object] = {}
    id: str | None = None


class Part(msgspec.Struct, rename="camel", gc=False):
    """One part of a turn."""

    text: str | None = None
    inline_data: Blob | None = None
    thought: bool = False
    function_call: FunctionCall | None = None
    thought_signature: str | None = None


class Content(msgspec.Struct, gc=False):
    """One turn."""

    parts: list[Part] = []


class Token(msgspec.Struct, rename="camel", gc=False):
    """A token and its log probability."""

    token: str = ""
    log_probability: float = 0.0


class TopCandidates(msgspec.Struct, gc=False):
    """What a token could have been."""

    candidates: list[Token] = []


class LogprobsResult(msgspec.Struct, rename="camel", gc=False):
    """Log probabilities of a candidate's tokens."""

    chosen_candidates: list[Token] = []
    top_candidates: list[TopCandidates] = []


class Candidate(msgspec.Struct, rename="camel", gc=False):
    """One of the answers."""

    index: int = 0
    content: Content | None = None
    finish_reason: str | None = None
    logprobs_result: LogprobsResult | None = None


class PromptFeedback(msgspec.Struct, rename="camel", gc=False):
    """Why the prompt was refused."""

    block_reason: str | None = None


class UsageMetadata(msgspec.Struct, rename="camel", gc=False):
    """Tokens; in a stream, so far."""

    prompt_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    cached_content_token_count: int = 0
    total_token_count: int = 0


class GenerateContentResponse(msgspec.Struct, rename="camel", gc=False):
    """An answer, or in a stream what is new of it."""

    candidates: list[Candidate] = []
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    error: object = None


class Said(msgspec.Struct, frozen=True, gc=False):
    """What one candidate's parts say."""

    text: str | None = None
    thoughts: str | UnsetType = UNSET
    calls: list[ToolCall] = []
    extra: ExtraContent | UnsetType = UNSET
    images: list[AnswerImage] | UnsetType = UNSET


_DECODER = msgspec.json.Decoder(GenerateContentResponse)


def from_response(body: bytes, exchange: Exchange) -> ChatCompletion:
    """The completion. Raises UpstreamError when the body is an error or no answer."""
    response = parse(body)
    return ChatCompletion(
        id=exchange.id,
        created=exchange.created,
        model=exchange.request.model,
        choices=_choices(response, exchange),
        usage=usage_of(response.usage_metadata or UsageMetadata()),
    )


def parse(body: bytes) -> GenerateContentResponse:
    """The body as an answer. Raises UpstreamError when it is anything else."""
    try:
        response = read(body, _DECODER)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None
    if response.error is not None:
        raise from_event(body)
    return response


def blocked(response: GenerateContentResponse) -> bool:
    """Whether the prompt was refused before any candidate."""
    return response.prompt_feedback is not None and response.prompt_feedback.block_reason is not None


def said(candidate: Candidate, exchange: Exchange, *, choice: int, calls_before: int = 0) -> Said:
    """Text, thoughts and calls of a candidate, each joined in order."""
    parts = candidate.content.parts if candidate.content is not None else ()
    if len(parts) == 1 and (only := parts[0]).text is not None and not (only.thought or only.thought_signature):
        return Said(only.text)
    texts = [part.text for part in parts if part.text is not None and not part.thought]
    thoughts = [part.text for part in parts if part.text is not None and part.thought]
    return Said(
        "".join(texts) if texts else None,
        "".join(thoughts) if thoughts else UNSET,
        _calls(parts, exchange, choice=choice, calls_before=calls_before),
        _signed([part.thought_signature for part in parts if part.function_call is None]),
        pictures([part.inline_data for part in parts if part.inline_data is not None and not part.thought]),
    )


def finish_reason(candidate: Candidate, *, called: bool) -> FinishReason:
    """Why the candidate ended; ``called`` when it called tools. Raises UpstreamError for a botched answer."""
    reason = candidate.finish_reason or ""
    if reason == UNSIGNED:
        raise UpstreamError(
            "A tool call in 'messages' lacks its thought signature. Send assistant messages back as they came, "
            "with extra_content.google.thought_signature on their tool calls.",
            status=400,
            kind="invalid_request_error",
            code="missing_thought_signature",
            param="messages",
        )
    if reason in BOTCHED:
        raise broken(f"The model ended with {reason} and gave no usable answer. Try again, or simplify the tools.")
    finish = FINISH_REASONS.get(reason, "stop")
    return "tool_calls" if called and finish == "stop" else finish


def usage_of(counts: UsageMetadata) -> Usage:
    """Tokens: thoughts count as written, results of built-in tools as read."""
    prompt = counts.prompt_token_count + counts.tool_use_prompt_token_count
    completion = counts.candidates_token_count + counts.thoughts_token_count
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=counts.total_token_count or prompt + completion,
        prompt_tokens_details=PromptDetails(cached_tokens=counts.cached_content_token_count),
        completion_tokens_details=CompletionDetails(reasoning_tokens=counts.thoughts_token_count),
    )


def logprobs_of(result: LogprobsResult | None) -> Logprobs | None:
    """Log probabilities of the chosen tokens, each with its alternatives where they were asked for."""
    if result is None:
        return None
    alternatives = [top.candidates for top in result.top_candidates]
    alternatives += [[]] * (len(result.chosen_candidates) - len(alternatives))
    return Logprobs(
        content=[
            TokenLogprob(
                token=chosen.token,
                logprob=chosen.log_probability,
                top_logprobs=[TopLogprob(token=one.token, logprob=one.log_probability) for one in top],
            )
            for chosen, top in zip(result.chosen_candidates, alternatives, strict=False)
        ]
    )


def _choices(response: GenerateContentResponse, exchange: Exchange) -> list[Choice]:
    if response.candidates:
        return [_choice(position, candidate, exchange) for position, candidate in enumerate(response.candidates)]
    if blocked(response):
        return [Choice(index=0, message=AnswerMessage(content=""), finish_reason="content_filter")]
    raise broken("The model's host answered without a candidate. Try again.")


def _choice(position: int, candidate: Candidate, exchange: Exchange) -> Choice:
    """Google leaves an index of 0 out, so the position is the surer index."""
    heard = said(candidate, exchange, choice=position)
    message = AnswerMessage(
        content="" if heard.text is None and not heard.calls else heard.text,
        reasoning_content=heard.thoughts,
        tool_calls=heard.calls or UNSET,
        images=heard.images,
        extra_content=heard.extra,
    )
    return Choice(
        index=position,
        message=message,
        logprobs=logprobs_of(candidate.logprobs_result),
        finish_reason=finish_reason(candidate, called=bool(heard.calls)),
    )


def _calls(parts: Iterable[Part], exchange: Exchange, *, choice: int, calls_before: int) -> list[ToolCall]:
    called = [(part.function_call, part.thought_signature) for part in parts if part.function_call is not None]
    return [
        ToolCall(
            id=call.id or exchange.call_id(choice, position),
            function=CalledFunction(name=call.name, arguments=msgspec.json.encode(call.args).decode()),
            extra_content=_signed([signature]),
        )
        for position, (call, signature) in enumerate(called, calls_before)
    ]


def _signed(signatures: list[str | None]) -> ExtraContent | UnsetType:
    """Where the last of the signatures travels."""
    found = [signature for signature in signatures if signature]
    return ExtraContent(google=GoogleExtra(thought_signature=found[-1])) if found else UNSET
