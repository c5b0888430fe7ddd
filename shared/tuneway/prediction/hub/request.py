"""The hub's question: an OpenAI chat request, its tools, formats and choices as variants by type.

Shapes and limits: OpenAI's published OpenAPI document, ``CreateChatCompletionRequest``. Nested objects refuse fields
they do not know; ``decode.py`` collects unknown *top-level* fields, so that a route may drop them by name.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tuneway.prediction.hub.messages import Message, Variant


class FunctionDefinition(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A function the model may call; ``parameters`` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class FunctionTool(Variant, frozen=True, kw_only=True, tag="function"):
    """A tool that is a function."""

    function: FunctionDefinition
    cache_control: object = None


class CustomTool(Variant, frozen=True, kw_only=True, tag="custom"):
    """A tool that takes free text, which no dialect here has."""

    custom: object


class Named(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name."""

    name: str


class NamedTool(Variant, frozen=True, kw_only=True, tag="function"):
    """This function must be called."""

    function: Named


class NamedCustomTool(Variant, frozen=True, kw_only=True, tag="custom"):
    """This custom tool must be called."""

    custom: Named


class AllowedTool(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the functions that may be called."""

    function: Named
    type: Literal["function"] = "function"


class Allowed(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which functions may, or one of which must, be called."""

    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class AllowedTools(Variant, frozen=True, kw_only=True, tag="allowed_tools"):
    """A choice among some of the tools."""

    allowed_tools: Allowed


ToolChoice = Literal["none", "auto", "required"] | NamedTool | NamedCustomTool | AllowedTools


class TextFormat(Variant, frozen=True, kw_only=True, tag="text"):
    """The default."""


class JsonObjectFormat(Variant, frozen=True, kw_only=True, tag="json_object"):
    """Any JSON object."""


class JsonSchema(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The schema of the answer."""

    name: str
    description: str | None = None
    schema: dict[str, object] | None = None
    strict: bool | None = None


class JsonSchemaFormat(Variant, frozen=True, kw_only=True, tag="json_schema"):
    """A JSON object that follows a schema."""

    json_schema: JsonSchema


class StreamOptions(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a stream holds besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Positive = Annotated[int, Meta(ge=1)]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One chat request; None is an absent field. ``top_k`` is tuneway's (an SDK sends it with ``extra_body``).

    ``functions`` and ``function_call`` are what tools were called once: ``older.py`` reads them as tools.
    """

    model: Annotated[str, Meta(min_length=1)]
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Positive | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: dict[str, float] | None = None
    response_format: TextFormat | JsonObjectFormat | JsonSchemaFormat | None = None
    tools: list[FunctionTool | CustomTool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    modalities: list[str] | None = None
    audio: object = None
    prediction: object = None
    moderation: object = None
    web_search_options: object = None
    functions: None = None
    function_call: None = None
    service_tier: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: object = None
    prompt_cache_retention: str | None = None


class ExtendedRequest(ChatRequest, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A chat request with top-level fields that OpenAI does not know: a host may (its dialect says which).

    ``older`` says that its tools came as ``functions``. ``sent_as`` are the caller's own names of parameters that came
    in another API's words, ``left_out`` those that change no answer and have no word here.
    """

    unknown: dict[str, object] = {}
    older: bool = False
    sent_as: dict[str, str] = {}
    left_out: tuple[str, ...] = ()


def wants_usage(request: ChatRequest) -> bool:
    """Whether a stream is to end with a usage chunk."""
    return request.stream_options is not None and request.stream_options.include_usage is True


def speaks_older(request: ChatRequest) -> bool:
    """Whether the caller calls tools functions, and reads calls only so."""
    return isinstance(request, ExtendedRequest) and request.older


def sent_name(request: ChatRequest, name: str) -> str:
    """A parameter's name in the caller's words."""
    return request.sent_as.get(name, name) if isinstance(request, ExtendedRequest) else name


def one_call_at_most(request: ChatRequest) -> bool:
    """Whether an answer may hold no more than one call: the older words have no place for a second."""
    return request.parallel_tool_calls is False or speaks_older(request)


def output_limit(request: ChatRequest) -> int | None:
    """The most tokens to write; ``max_tokens`` is the older name."""
    return request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens


def stop_sequences(request: ChatRequest) -> list[str]:
    """``stop`` as a list, whichever form was sent."""
    return [request.stop] if isinstance(request.stop, str) else request.stop or []
