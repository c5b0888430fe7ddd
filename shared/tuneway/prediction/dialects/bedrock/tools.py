"""Hub → Converse: the tools, and how they may be called.

A schema for the answer is ``outputConfig`` where the model keeps to one by itself. Other models that can be made to use
a tool get it as one that they must use, whose input is told to the caller as the answer's text.
"""

from typing import NotRequired, TypedDict, assert_never

from tuneway.errors import BadInput
from tuneway.prediction.dialects.bedrock.blocks import CachePoint, cache_point
from tuneway.prediction.dialects.bedrock.turns import called_functions
from tuneway.prediction.hub.answer_form import ANSWER_TOOL, ANSWER_TOOL_SAYS, answer_schema
from tuneway.prediction.hub.fit import allows_no_tool, unsupported_parameter
from tuneway.prediction.hub.grammar import grammatical
from tuneway.prediction.hub.request import (
    AllowedTools,
    ChatRequest,
    CustomTool,
    FunctionTool,
    NamedCustomTool,
    NamedTool,
)
from tuneway.prediction.profiles import Profile, ToolChoiceForm


class InputSchema(TypedDict):
    """What a function takes, as a JSON schema."""

    json: dict[str, object]


class ToolSpec(TypedDict):
    """A function the model may call."""

    name: str
    description: NotRequired[str]
    inputSchema: InputSchema
    strict: NotRequired[bool]


class Tool(TypedDict, total=False):
    """A tool, or that those before it may be kept."""

    toolSpec: ToolSpec
    cachePoint: CachePoint


class Empty(TypedDict):
    """Nothing more to say."""


class NamedChoice(TypedDict):
    """A function's name."""

    name: str


class ToolChoice(TypedDict, total=False):
    """One of two; ``auto`` is said by saying nothing."""

    any: Empty
    tool: NamedChoice


class ToolConfig(TypedDict):
    """What may be called, and how."""

    tools: list[Tool]
    toolChoice: NotRequired[ToolChoice]


NO_CALLS = "Do not call any tool now. Answer in words, from what is known already."
_NO_ARGUMENTS: dict[str, object] = {"type": "object", "properties": {}}
_ANY_ARGUMENTS: dict[str, object] = {"type": "object"}


def forbids_calls(request: ChatRequest) -> bool:
    """Whether calls are forbidden, or not offered, although the conversation's own make Converse demand their tools."""
    return (request.tool_choice == "none" or not request.tools) and bool(called_functions(request.messages))


def tool_config(request: ChatRequest, profile: Profile) -> ToolConfig | None:
    """The tools; also those of earlier calls where the request brings none, since Converse demands them."""
    tools = _tools(request.tools or [], profile)
    called = called_functions(request.messages)
    if answers_by_tool(request, profile):
        return _until_answered(request, tools or [_known_by_name(name) for name in called], profile)
    if not tools and request.tool_choice not in (None, "none", "auto"):
        raise BadInput("'tool_choice' needs 'tools'. Send the tools, or leave it out.", param="tool_choice")
    if not tools or request.tool_choice == "none":
        return {"tools": tools or [_known_by_name(name) for name in called]} if called else None
    return _chosen(request, tools, profile)


def answers_by_tool(request: ChatRequest, profile: Profile) -> bool:
    """Whether the answer's schema is a tool's."""
    forced = {"named", "required"}.intersection(profile.tool_choices)
    return answer_schema(request) is not None and not profile.json_schema and profile.tools and bool(forced)


def _until_answered(request: ChatRequest, tools: list[Tool], profile: Profile) -> ToolConfig:
    """One tool must be used: the caller's choice, or the one that takes the answer. Claude does not think before it."""
    if request.reasoning_effort not in (None, "none") and profile.reasoning in {"budget", "adaptive"}:
        raise BadInput(
            f"'{request.model}' cannot think and keep to a JSON schema at once. Leave 'reasoning_effort' out.",
            param="reasoning_effort",
            code="unsupported_parameter",
        )
    schema = answer_schema(request) or _ANY_ARGUMENTS
    answer: Tool = {"toolSpec": {"name": ANSWER_TOOL, "description": ANSWER_TOOL_SAYS, "inputSchema": {"json": schema}}}
    if not request.tools or request.tool_choice == "none":
        choice: ToolChoice = {"tool": {"name": ANSWER_TOOL}} if "named" in profile.tool_choices else {"any": {}}
        return {"tools": [*tools, answer], "toolChoice": choice}
    chosen = _chosen(request, tools, profile)
    return {"tools": [*chosen["tools"], answer], "toolChoice": chosen.get("toolChoice", ToolChoice(any={}))}


def _tools(tools: list[FunctionTool | CustomTool], profile: Profile) -> list[Tool]:
    told: list[Tool] = []
    for place, tool in enumerate(tools):
        told.append(_tool(tool, profile, param=f"tools[{place}]"))
        if isinstance(tool, FunctionTool) and tool.cache_control is not None and profile.cache_points:
            told.append({"cachePoint": cache_point(tool.cache_control)})
    return told


def _tool(tool: FunctionTool | CustomTool, profile: Profile, *, param: str) -> Tool:
    match tool:
        case CustomTool():
            raise BadInput("Custom tools are not supported by this model. Use functions.", param=param)
        case FunctionTool(function=function):
            spec = ToolSpec(name=function.name, inputSchema={"json": function.parameters or _NO_ARGUMENTS})
        case _:
            assert_never(tool)
    if function.description:
        spec["description"] = function.description
    if function.strict and profile.strict_tools:
        spec["strict"] = True
        spec["inputSchema"] = {"json": grammatical(spec["inputSchema"]["json"], param=f"{param}.function.parameters")}
    return {"toolSpec": spec}


def _known_by_name(name: str) -> Tool:
    return {"toolSpec": {"name": name, "inputSchema": {"json": _ANY_ARGUMENTS}}}


def _chosen(request: ChatRequest, tools: list[Tool], profile: Profile) -> ToolConfig:
    """The tools with the choice among them; a choice among some is a shorter list."""
    choice = request.tool_choice
    match choice:
        case None | "auto" | "none":
            # Auto is what happens anyway, and models that take no choice refuse even that one.
            return {"tools": tools}
        case "required":
            return _required(request, tools, profile)
        case NamedTool(function=function):
            config = ToolConfig(tools=tools, toolChoice={"tool": {"name": function.name}})
            return _having(config, "named", request=request, profile=profile)
        case AllowedTools(allowed_tools=allowed):
            names = {tool.function.name for tool in allowed.tools}
            some = [tool for tool in tools if "toolSpec" in tool and tool["toolSpec"]["name"] in names]
            return _allowed(request, some, profile, required=allowed.mode == "required")
        case NamedCustomTool():
            raise BadInput("Custom tools are not supported by this model. Use functions.", param="tool_choice")
        case _:
            assert_never(choice)


def _allowed(request: ChatRequest, tools: list[Tool], profile: Profile, *, required: bool) -> ToolConfig:
    if not tools:
        raise allows_no_tool()
    return _required(request, tools, profile) if required else {"tools": tools}


def _required(request: ChatRequest, tools: list[Tool], profile: Profile) -> ToolConfig:
    config = ToolConfig(tools=tools, toolChoice={"any": {}})
    return _having(config, "required", request=request, profile=profile)


def _having(config: ToolConfig, form: ToolChoiceForm, *, request: ChatRequest, profile: Profile) -> ToolConfig:
    """The configuration, if the model takes this form of choice."""
    if form not in profile.tool_choices:
        raise unsupported_parameter(request, "tool_choice")
    return config
