"""Hub → Anthropic: tools, how they may be used, and the shape of the answer.

A schema for the answer is ``output_config.format`` where the model keeps to one by itself. Older models get it as a
tool that they must use (``ANSWER_TOOL``), whose input is told to the caller as the answer's text. ``json_object`` has
no equivalent: it becomes a sentence at the end of the system texts.
"""

from typing import Literal, TypedDict, assert_never

from tuneway.errors import BadInput
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
    one_call_at_most,
)
from tuneway.prediction.profiles import Profile

_CUSTOM = "Custom tools are not supported by this model. Use functions."


class Tool(TypedDict, total=False):
    """A tool the model may use."""

    name: str
    description: str
    input_schema: dict[str, object]
    strict: bool
    cache_control: object


class ToolChoice(TypedDict, total=False):
    """How tools may be used."""

    type: Literal["auto", "any", "tool", "none"]
    name: str
    disable_parallel_tool_use: bool


class Format(TypedDict):
    """The schema of the answer."""

    type: Literal["json_schema"]
    schema: dict[str, object]


def output_format(request: ChatRequest, profile: Profile) -> Format | None:
    """The answer's schema, for models that keep to it by themselves. Raises BadInput for one that nobody could read."""
    schema = answer_schema(request) if profile.json_schema else None
    if schema is None:
        return None
    return {"type": "json_schema", "schema": grammatical(schema, param="response_format.json_schema.schema")}


def tools(request: ChatRequest, profile: Profile) -> list[Tool]:
    """The tools, narrowed to those that may be used, and the one that takes the answer. Raises BadInput."""
    described = [_tool(tool, profile, param=f"tools[{place}]") for place, tool in enumerate(request.tools or ())]
    if isinstance(request.tool_choice, AllowedTools):
        names = {tool.function.name for tool in request.tool_choice.allowed_tools.tools}
        described = [tool for tool in described if tool.get("name") in names]
        if not described:
            raise allows_no_tool()
    schema = answer_schema(request)
    if schema is None or profile.json_schema:
        return described
    return [*described, {"name": ANSWER_TOOL, "description": ANSWER_TOOL_SAYS, "input_schema": schema}]


def tool_choice(request: ChatRequest, profile: Profile) -> ToolChoice | None:
    """How tools may be used; None leaves it to Claude, whose default is auto. Raises BadInput."""
    if answer_schema(request) is not None and not profile.json_schema:
        return _until_answered(request)
    if not request.tools:
        _refuse_choice_without_tools(request)
        return None
    choice = _choice(request)
    if choice.get("type") in {"any", "tool"} and "required" not in profile.tool_choices:
        raise unsupported_parameter(request, "tool_choice")
    if one_call_at_most(request) and choice.get("type") != "none":
        return {**choice, "disable_parallel_tool_use": True}
    return choice if request.tool_choice is not None else None


def _choice(request: ChatRequest) -> ToolChoice:
    match request.tool_choice:
        case None | "auto":
            return {"type": "auto"}
        case "none":
            return {"type": "none"}
        case "required":
            return {"type": "any"}
        case NamedTool(function=function):
            return {"type": "tool", "name": function.name}
        case AllowedTools(allowed_tools=allowed):
            return {"type": "any" if allowed.mode == "required" else "auto"}
        case NamedCustomTool():
            raise BadInput(_CUSTOM, param="tool_choice")
        case _:
            assert_never(request.tool_choice)


def _until_answered(request: ChatRequest) -> ToolChoice:
    """One tool must be used: the caller's choice, or the one that takes the answer."""
    choice = _choice(request) if request.tools else ToolChoice(type="auto")
    kind = choice.get("type")
    if not request.tools or kind == "none":
        return {"type": "tool", "name": ANSWER_TOOL}
    if kind != "tool":
        return {"type": "any", "disable_parallel_tool_use": True}
    return {**choice, "disable_parallel_tool_use": True} if one_call_at_most(request) else choice


def _refuse_choice_without_tools(request: ChatRequest) -> None:
    if request.tool_choice not in (None, "none", "auto"):
        raise BadInput("'tool_choice' needs 'tools'. Send the tools, or leave it out.", param="tool_choice")


def _tool(tool: FunctionTool | CustomTool, profile: Profile, *, param: str) -> Tool:
    """Models that cannot promise to follow a schema get no ``strict``; they follow it as best they can."""
    if isinstance(tool, CustomTool):
        raise BadInput(_CUSTOM, param=param)
    function = tool.function
    schema = function.parameters or {"type": "object", "properties": {}}
    told = Tool(name=function.name, input_schema=schema)
    if function.description is not None:
        told["description"] = function.description
    if function.strict and profile.strict_tools:
        told["strict"] = True
        told["input_schema"] = grammatical(schema, param=f"{param}.function.parameters")
    if tool.cache_control is not None:
        told["cache_control"] = tool.cache_control
    return told
