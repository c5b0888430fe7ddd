"""Anthropic's request → hub: what any target can be asked.

| Anthropic | hub |
|---|---|
| ``thinking`` enabled with a budget | ``reasoning_effort``: low up to 2,048 tokens, medium up to 16,384, else high |
| ``thinking`` adaptive | the effort of ``output_config``, else medium |
| ``thinking`` disabled or between_tools | ``reasoning_effort`` none |
| ``tool_choice.disable_parallel_tool_use`` | ``parallel_tool_calls`` false |
| ``output_config.format`` | ``response_format`` json_schema, strict |
| ``metadata.user_id`` | ``safety_identifier``, which like it is there to find abuse |
| ``service_tier`` | nothing: it names Anthropic's own capacity; left out and told of |
| ``cache_control`` beside the messages | nothing: other hosts keep prompts by themselves; left out and told of |

What the target cannot express is refused by its dialect, as for every other surface.
"""

from typing import assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.fit import refuse_unknown
from tuneway.prediction.hub.messages import Message
from tuneway.prediction.hub.request import (
    ChatRequest,
    CustomTool,
    Effort,
    ExtendedRequest,
    FunctionDefinition,
    FunctionTool,
    JsonSchema,
    JsonSchemaFormat,
    Named,
    NamedTool,
    StreamOptions,
)
from tuneway.prediction.hub.request import ToolChoice as HubToolChoice
from tuneway.prediction.surfaces.messages.request import (
    Adaptive,
    AnyChoice,
    AutoChoice,
    BetweenTools,
    Disabled,
    Enabled,
    MessagesRequest,
    NoneChoice,
    Tool,
    ToolChoice,
    bad_field,
)
from tuneway.prediction.surfaces.messages.turns import messages_of, system_message
from tuneway.routing.routes import Target

_LOW_BUDGET, _MEDIUM_BUDGET = 2_048, 16_384
_DEFAULT_EFFORT: Effort = "medium"
_SENT_AS = {
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
    "safety_identifier": "metadata",
    "stop": "stop_sequences",
}


def to_chat(request: MessagesRequest) -> ChatRequest:
    """The request in the hub's words. Raises BadInput naming the field."""
    if not request.max_tokens:
        raise BadInput(
            "max_tokens: 0 only warms Claude's cache, which this model has not. Ask for at least 1.",
            param="max_tokens",
            code="invalid_value",
        )
    return ExtendedRequest(
        model=request.model,
        messages=_messages(request),
        max_tokens=request.max_tokens,
        stream=request.stream,
        stream_options=StreamOptions(include_usage=True) if request.stream else None,
        stop=request.stop_sequences or None,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        tools=_tools(request),
        tool_choice=_tool_choice(request),
        parallel_tool_calls=_parallel(request),
        response_format=_response_format(request),
        reasoning_effort=_effort(request),
        safety_identifier=request.metadata.user_id if request.metadata is not None else None,
        unknown=request.unknown,
        sent_as=_sent_as(request),
        left_out=tuple(name for name, value in _hints(request).items() if value is not None),
    )


def refuse_foreign(chat: ChatRequest, target: Target) -> None:
    """Raises BadInput naming a field of Anthropic's that only Claude knows (``container``, ``mcp_servers`` …)."""
    if isinstance(chat, ExtendedRequest):
        refuse_unknown(chat, target.drop_params)


def shows_thoughts(request: MessagesRequest) -> bool:
    """Whether the caller wants to read thoughts, should there be any."""
    return not (isinstance(request.thinking, Enabled | Adaptive) and request.thinking.display == "omitted")


def _hints(request: MessagesRequest) -> dict[str, object]:
    """What changes no answer; a tier that is asked for anyway asks for nothing."""
    tier = None if request.service_tier == "auto" else request.service_tier
    return {"service_tier": tier, "cache_control": request.cache_control}


def _sent_as(request: MessagesRequest) -> dict[str, str]:
    """What the caller knows the hub's parameters as."""
    effort = "output_config" if request.thinking is None else "thinking"
    return {**_SENT_AS, "reasoning_effort": effort}


def _messages(request: MessagesRequest) -> list[Message]:
    system = [system_message(request.system)] if request.system else []
    told = [
        message
        for position, turn in enumerate(request.messages)
        for message in messages_of(turn, param=f"messages[{position}]")
    ]
    return [*system, *told]


def _tools(request: MessagesRequest) -> list[FunctionTool | CustomTool] | None:
    return [_tool(tool, param=f"tools[{place}]") for place, tool in enumerate(request.tools or ())] or None


def _tool(given: dict[str, object], *, param: str) -> FunctionTool:
    if given.get("type") not in (None, "custom"):
        raise BadInput(
            f"{param}.type: '{str(given['type'])[:100]}' is a tool of Anthropic's own, which only Claude has. "
            "Describe a tool of your own (name, description, input_schema).",
            param=f"{param}.type",
            code="unsupported_value",
        )
    try:
        tool = msgspec.convert(given, Tool)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc), under=param) from exc
    function = FunctionDefinition(
        name=tool.name, description=tool.description, parameters=tool.input_schema, strict=tool.strict
    )
    return FunctionTool(function=function, cache_control=tool.cache_control)


def _tool_choice(request: MessagesRequest) -> HubToolChoice | None:
    choice = request.tool_choice
    match choice:
        case None:
            return None
        case AutoChoice():
            return "auto"
        case AnyChoice():
            return "required"
        case NoneChoice():
            return "none"
        case ToolChoice(name=name):
            return NamedTool(function=Named(name))
        case _:
            assert_never(choice)


def _parallel(request: MessagesRequest) -> bool | None:
    choice = request.tool_choice
    if choice is None or isinstance(choice, NoneChoice):
        return None
    return False if choice.disable_parallel_tool_use else None


def _response_format(request: MessagesRequest) -> JsonSchemaFormat | None:
    if request.output_config is None or request.output_config.format is None:
        return None
    return JsonSchemaFormat(json_schema=JsonSchema("answer", schema=request.output_config.format.schema, strict=True))


def _effort(request: MessagesRequest) -> Effort | None:
    asked = request.output_config.effort if request.output_config is not None else None
    match request.thinking:
        case None:
            return asked
        case Enabled(budget_tokens=budget):
            return asked or _effort_of(budget)
        case Adaptive():
            return asked or _DEFAULT_EFFORT
        case Disabled() | BetweenTools():
            return "none"
        case _:
            assert_never(request.thinking)


def _effort_of(budget: int) -> Effort:
    if budget <= _LOW_BUDGET:
        return "low"
    return "medium" if budget <= _MEDIUM_BUDGET else "high"
