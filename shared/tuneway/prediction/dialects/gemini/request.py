"""Hub → Gemini: a chat request as a ``generateContent`` body.

What has no equivalent is refused by name (``UNSUPPORTED``), or dropped where the route says so. Source of the shape:
``GenerateContentRequest`` in Vertex AI's REST reference; ``thinkingLevel`` is in its Gemini 3 guide.
"""

from typing import Literal, TypedDict, assert_never

from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.turns import Content, SystemInstruction, contents, system_parts
from tuneway.prediction.hub.fit import fitted, unsupported_parameter
from tuneway.prediction.hub.messages import ImagePart, ToolMessage, UserMessage
from tuneway.prediction.hub.request import (
    AllowedTools,
    ChatRequest,
    CustomTool,
    Effort,
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    NamedCustomTool,
    NamedTool,
    output_limit,
    stop_sequences,
)
from tuneway.routing.routes import Target

UNSUPPORTED = (
    "audio",
    "function_call",
    "functions",
    "logit_bias",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "service_tier",
    "store",
    "verbosity",
    "web_search_options",
)
ThinkingLevel = Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"]
MediaResolution = Literal["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_HIGH"]


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


class ThinkingConfig(TypedDict):
    """How much to think, and whether to show it."""

    thinkingLevel: ThinkingLevel
    includeThoughts: bool


class GenerationConfig(TypedDict, total=False):
    """How to write the answer."""

    temperature: float
    topP: float
    topK: int
    candidateCount: int
    maxOutputTokens: int
    stopSequences: list[str]
    seed: int
    presencePenalty: float
    frequencyPenalty: float
    responseLogprobs: bool
    logprobs: int
    responseMimeType: str
    responseJsonSchema: dict[str, object]
    thinkingConfig: ThinkingConfig
    mediaResolution: MediaResolution


class GenerateContentRequest(TypedDict, total=False):
    """The body."""

    contents: list[Content]
    systemInstruction: SystemInstruction
    tools: list[Tool]
    toolConfig: ToolConfig
    generationConfig: GenerationConfig


_LEVELS: dict[Effort, ThinkingLevel] = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}


def to_request(request: ChatRequest, target: Target) -> GenerateContentRequest:
    """The body. Raises BadInput naming what Gemini cannot express."""
    request = fitted(request, UNSUPPORTED, drop=target.drop_params)
    _refuse_names(request, target.drop_params)
    body = _conversation(request)
    if request.tools:
        body["tools"] = [{"functionDeclarations": _declarations(request.tools)}]
    if (calling := _function_calling(request)) is not None:
        body["toolConfig"] = {"functionCallingConfig": calling}
    if generation := _generation_config(request):
        body["generationConfig"] = generation
    return body


def _refuse_names(request: ChatRequest, drop: tuple[str, ...]) -> None:
    """Gemini's turns have no speaker's name; a tool result is named by its call."""
    for position, message in enumerate(request.messages):
        if message.name is not None and "name" not in drop and not isinstance(message, ToolMessage):
            raise unsupported_parameter(request, f"messages[{position}].name", drop_as="name")


def _conversation(request: ChatRequest) -> GenerateContentRequest:
    """Gemini wants a turn to answer: with system messages alone, they are it."""
    turns, system = contents(request.messages), system_parts(request.messages)
    if not turns:
        return {"contents": [{"role": "user", "parts": system}]}
    if not system:
        return {"contents": turns}
    return {"contents": turns, "systemInstruction": {"parts": system}}


def _declarations(tools: list[FunctionTool | CustomTool]) -> list[FunctionDeclaration]:
    return [_declaration(tool, param=f"tools[{position}]") for position, tool in enumerate(tools)]


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


def _function_calling(request: ChatRequest) -> FunctionCallingConfig | None:
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
            # AUTO takes no list of names; VALIDATED does, and may also answer in words.
            names = [tool.function.name for tool in allowed.tools]
            return {"mode": "ANY" if allowed.mode == "required" else "VALIDATED", "allowedFunctionNames": names}
        case NamedCustomTool():
            raise BadInput("Custom tools are not supported by this model. Use functions.", param="tool_choice")
        case _:
            assert_never(choice)


def _refuse_choice_without_tools(request: ChatRequest) -> None:
    if request.tool_choice not in (None, "none", "auto"):
        raise BadInput("'tool_choice' needs 'tools'. Send the tools, or leave it out.", param="tool_choice")


def _automatic(request: ChatRequest) -> FunctionCallingConfig | None:
    """Strict functions get VALIDATED, which keeps arguments to their schema; AUTO does not promise it."""
    if any(isinstance(tool, FunctionTool) and tool.function.strict for tool in request.tools or ()):
        return {"mode": "VALIDATED"}
    return {"mode": "AUTO"} if request.tool_choice == "auto" else None


def _generation_config(request: ChatRequest) -> GenerationConfig:
    return {
        **_sampling(request),
        **_limits(request),
        **_logprobs(request),
        **_format(request),
        **_thinking(request),
        **_resolution(request),
    }


def _sampling(request: ChatRequest) -> GenerationConfig:
    config: GenerationConfig = {}
    if request.temperature is not None:
        config["temperature"] = request.temperature
    if request.top_p is not None:
        config["topP"] = request.top_p
    if request.top_k is not None:
        config["topK"] = request.top_k
    if request.seed is not None:
        config["seed"] = request.seed
    if request.presence_penalty is not None:
        config["presencePenalty"] = request.presence_penalty
    if request.frequency_penalty is not None:
        config["frequencyPenalty"] = request.frequency_penalty
    return config


def _limits(request: ChatRequest) -> GenerationConfig:
    config: GenerationConfig = {}
    if request.n not in {None, 1}:
        config["candidateCount"] = request.n or 1
    if (limit := output_limit(request)) is not None:
        config["maxOutputTokens"] = limit
    if stops := stop_sequences(request):
        config["stopSequences"] = stops
    return config


def _logprobs(request: ChatRequest) -> GenerationConfig:
    if not request.logprobs:
        if request.top_logprobs:
            raise BadInput("'top_logprobs' needs 'logprobs': true.", param="top_logprobs", code="invalid_value")
        return {}
    if not request.top_logprobs:
        return {"responseLogprobs": True}
    return {"responseLogprobs": True, "logprobs": request.top_logprobs}


def _format(request: ChatRequest) -> GenerationConfig:
    match request.response_format:
        case JsonSchemaFormat(json_schema=wanted) if wanted.schema is not None:
            return {"responseMimeType": "application/json", "responseJsonSchema": wanted.schema}
        case JsonSchemaFormat() | JsonObjectFormat():
            return {"responseMimeType": "application/json"}
        case _:
            return {}


def _thinking(request: ChatRequest) -> GenerationConfig:
    """Who asks for an effort sees the thoughts; none is as little as Gemini can think."""
    effort = request.reasoning_effort
    if effort is None:
        return {}
    return {"thinkingConfig": {"thinkingLevel": _LEVELS[effort], "includeThoughts": effort != "none"}}


def _resolution(request: ChatRequest) -> GenerationConfig:
    """Gemini sees all images of a request at one resolution: the finest that any of them asks for."""
    details = {
        part.image_url.detail
        for message in request.messages
        if isinstance(message, UserMessage) and not isinstance(message.content, str)
        for part in message.content
        if isinstance(part, ImagePart)
    }
    if details & {"high", "original"}:
        return {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}
    return {"mediaResolution": "MEDIA_RESOLUTION_LOW"} if "low" in details else {}
