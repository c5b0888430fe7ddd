"""Hub → Gemini: functions, and how they may be called.

Source of the shapes: ``Tool`` and ``ToolConfig`` in Vertex AI's REST reference.
"""

from typing import Literal, TypedDict, assert_never

from tuneway.errors import BadInput
from tuneway.prediction.hub.fit import allows_no_tool
from tuneway.prediction.hub.request import (
    Allowed,
    AllowedTools,
    ChatRequest,
    CustomTool,
    FunctionTool,
    NamedCustomTool,
    NamedTool,
)


class FunctionDeclaration(TypedDict, total=False):
    """A function the model may call."""

    name: str
    description: str
    parametersJsonSchema: dict[str, object]


class Tool(TypedDict):
    """Functions."""

    functionDeclarations: list[FunctionDeclaration]


class FunctionCallingConfig(TypedDict, total=False):
    """How functions may be called."""

    mode: Literal["AUTO", "ANY", "NONE", "VALIDATED"]
    allowedFunctionNames: list[str]


class ToolConfig(TypedDict):
    """How tools may be used."""

    functionCallingConfig: FunctionCallingConfig


def tools(request: ChatRequest) -> list[Tool]:
    """The functions, as one tool; none without any. Raises BadInput for tools that are no functions."""
    if not request.tools:
        return []
    told = [_declaration(tool, param=f"tools[{position}]") for position, tool in enumerate(request.tools)]
    return [{"functionDeclarations": told}]


def _declaration(tool: FunctionTool | CustomTool, *, param: str) -> FunctionDeclaration:
    match tool:
        case CustomTool():
            raise BadInput("Custom tools are not supported by this model. Use functions.", param=param)
        case FunctionTool(function=function):
            declaration = FunctionDeclaration(name=function.name)
        case _:
            assert_never(tool)
    if function.description is not None:
        declaration["description"] = function.description
    if function.parameters is not None:
        declaration["parametersJsonSchema"] = function.parameters
    return declaration


def function_calling(request: ChatRequest) -> FunctionCallingConfig | None:
    """How tools may be called; None leaves it to Gemini, whose default is AUTO."""
    if not request.tools:
        _refuse_choice_without_tools(request)
        return None
    choice = request.tool_choice
    match choice:
        case None | "auto":
            return _automatic(request)
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case NamedTool(function=function):
            return {"mode": "ANY", "allowedFunctionNames": [function.name]}
        case AllowedTools(allowed_tools=allowed):
            return _among(allowed)
        case NamedCustomTool():
            raise BadInput("Custom tools are not supported by this model. Use functions.", param="tool_choice")
        case _:
            assert_never(choice)


def _among(allowed: Allowed) -> FunctionCallingConfig:
    """AUTO takes no list of names; VALIDATED does, and may also answer in words. No names would mean all of them."""
    names = [tool.function.name for tool in allowed.tools]
    if not names:
        raise allows_no_tool()
    return {"mode": "ANY" if allowed.mode == "required" else "VALIDATED", "allowedFunctionNames": names}


def _refuse_choice_without_tools(request: ChatRequest) -> None:
    if request.tool_choice not in (None, "none", "auto"):
        raise BadInput("'tool_choice' needs 'tools'. Send the tools, or leave it out.", param="tool_choice")


def _automatic(request: ChatRequest) -> FunctionCallingConfig | None:
    """Strict functions get VALIDATED, which keeps arguments to their schema; AUTO does not promise it."""
    if any(isinstance(tool, FunctionTool) and tool.function.strict for tool in request.tools or ()):
        return {"mode": "VALIDATED"}
    return {"mode": "AUTO"} if request.tool_choice == "auto" else None
