"""openai → hub: a server's answer as a completion, or passed back with only the name of the model new.

An answer that already is what OpenAI's document says passes unread but for its frame; any other is made so
(``cleaning.py``). Tokens the server did not count are estimated and marked.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.openai import faults
from tuneway.prediction.dialects.openai.cleaning import clean_completion
from tuneway.prediction.dialects.openai.counts import estimated, usage_in, usage_of
from tuneway.prediction.dialects.openai.exact import ExactLogprobs, ExactUsage
from tuneway.prediction.dialects.openai.passage import Kind, Passage
from tuneway.prediction.dialects.openai.values import Fields, is_object, objects_in
from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Exchange,
    FinishReason,
    Logprobs,
    NativeFinish,
    ToolCall,
    Usage,
)
from tuneway.prediction.hub.messages import CalledFunction, ExtraContent
from tuneway.prediction.hub.request import wants_usage
from tuneway.prediction.upstream_errors import broken

TOLD_FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
}


class Passed(msgspec.Struct, frozen=True, gc=False):
    """An answer for the caller, and its tokens for whoever counts."""

    body: bytes
    usage: Usage


class _Function(msgspec.Struct, gc=False):
    name: str
    arguments: str


class _Call(msgspec.Struct, gc=False):
    id: str
    type: Literal["function", "custom"]
    function: _Function | UnsetType = UNSET
    extra_content: ExtraContent | UnsetType = UNSET


class _Message(msgspec.Struct, gc=False):
    """A message as the document has it; thoughts under another name make it another."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    tool_calls: list[_Call] | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning: UnsetType = UNSET
    annotations: list[Raw] | UnsetType = UNSET
    function_call: dict[str, str] | UnsetType = UNSET


class _Choice(msgspec.Struct, gc=False):
    index: int
    message: _Message
    logprobs: ExactLogprobs | None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class _TextChoice(msgspec.Struct, gc=False):
    index: int
    text: str
    logprobs: Raw | None
    finish_reason: Literal["stop", "length", "content_filter"]


class _Head(msgspec.Struct, gc=False):
    id: Annotated[str, Meta(min_length=1)]
    created: int
    model: str
    usage: ExactUsage
    system_fingerprint: str | UnsetType = UNSET
    error: UnsetType = UNSET


class _Completion(_Head, kw_only=True, gc=False):
    object: Literal["chat.completion"]
    choices: list[_Choice]


class _TextCompletion(_Head, kw_only=True, gc=False):
    object: Literal["text_completion"]
    choices: list[_TextChoice]


class _ToldCall(msgspec.Struct, gc=False):
    id: str
    function: _Function
    extra_content: ExtraContent | UnsetType = UNSET


class _ToldMessage(msgspec.Struct, gc=False):
    content: str | None
    refusal: str | None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[_ToldCall] | UnsetType = UNSET
    annotations: list[dict[str, object]] | UnsetType = UNSET
    audio: dict[str, object] | UnsetType | None = UNSET


class _ToldChoice(msgspec.Struct, gc=False):
    index: int
    message: _ToldMessage
    logprobs: Logprobs | None
    finish_reason: str
    native_finish_reason: NativeFinish | UnsetType = UNSET


_CLEAN: dict[Kind, msgspec.json.Decoder[_Completion] | msgspec.json.Decoder[_TextCompletion]] = {
    "chat": msgspec.json.Decoder(_Completion),
    "text": msgspec.json.Decoder(_TextCompletion),
}
_RAW_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_ENCODER = msgspec.json.Encoder()
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def from_response(body: bytes, exchange: Exchange) -> ChatCompletion:
    """The completion. Raises UpstreamError when the body is an error or no answer."""
    passage = passage_of_exchange(exchange)
    fields = fields_of(body)
    try:
        choices = msgspec.convert(clean_completion(fields, passage)["choices"], list[_ToldChoice])
    except msgspec.ValidationError as exc:
        raise broken(f"The model's host sent an answer that cannot be read ({exc}). Try again.") from exc
    if not choices:
        raise _choiceless()
    return ChatCompletion(
        id=exchange.id,
        created=exchange.created,
        model=exchange.request.model,
        choices=[_told(choice) for choice in choices],
        usage=usage_in(fields.get("usage")) or estimated(passage.body, _written(fields)),
    )


def passed_back(body: bytes, passage: Passage) -> Passed:
    """The answer under the caller's name of the model. Raises UpstreamError when the body is an error or no answer."""
    try:
        clean = _CLEAN[passage.kind].decode(body)
    except _BROKEN:
        return _mended(fields_of(body), passage)
    if not clean.choices:
        raise _choiceless()
    fields = _RAW_FIELDS.decode(body)
    fields["model"] = Raw(_ENCODER.encode(passage.model))
    return Passed(_ENCODER.encode(fields), usage_of(clean.usage))


def passage_of_exchange(exchange: Exchange) -> Passage:
    """The passage of a hub exchange, whose answer bears the exchange's own id and time."""
    return Passage(
        body=_ENCODER.encode(exchange.request),
        model=exchange.request.model,
        id=exchange.id,
        created=exchange.created,
        shows_usage=wants_usage(exchange.request),
    )


def fields_of(body: bytes) -> Fields:
    """A body or event with choices, decoded. Raises UpstreamError when it is an error or no answer."""
    try:
        decoded: object = msgspec.json.decode(body)
    except _BROKEN:
        raise faults.from_event(body) from None
    if not is_object(decoded) or decoded.get("error") or not isinstance(decoded.get("choices"), list):
        raise faults.from_event(body)
    return decoded


def _mended(fields: Fields, passage: Passage) -> Passed:
    clean = clean_completion(fields, passage)
    if not clean["choices"]:
        raise _choiceless()
    if (usage := usage_in(fields.get("usage"))) is None:
        usage = estimated(passage.body, _written(clean))
        clean = {**clean, "usage": usage}
    return Passed(_ENCODER.encode(clean), usage)


def _choiceless() -> UpstreamError:
    return broken("The model's host answered without a choice. Try again.")


def _written(fields: Fields) -> int:
    """The characters of an answer."""
    messages = [choice.get("message", choice) for choice in objects_in(fields.get("choices"))]
    texts = [message.get(name) for message in objects_in(messages) for name in ("content", "text", "reasoning_content")]
    return sum(len(text) for text in texts if isinstance(text, str))


def _told(choice: _ToldChoice) -> Choice:
    message = choice.message
    calls = UNSET if message.tool_calls is UNSET else [_told_call(call) for call in message.tool_calls]
    return Choice(
        index=choice.index,
        message=AnswerMessage(
            content=message.content,
            refusal=message.refusal,
            reasoning_content=message.reasoning_content,
            tool_calls=calls,
            annotations=message.annotations or UNSET,
            audio=message.audio or UNSET,
        ),
        logprobs=choice.logprobs,
        finish_reason=TOLD_FINISHES[choice.finish_reason],
        native_finish_reason=choice.native_finish_reason,
    )


def _told_call(call: _ToldCall) -> ToolCall:
    function = CalledFunction(name=call.function.name, arguments=call.function.arguments)
    return ToolCall(id=call.id, function=function, extra_content=call.extra_content)
