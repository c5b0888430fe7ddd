"""Hub → Gemini: a chat request as a ``generateContent`` body.

What has no equivalent is refused by name (``UNSUPPORTED``), or dropped where the route says so. Source of the shape:
``GenerateContentRequest`` in Vertex AI's REST reference; ``thinkingLevel`` is in its Gemini 3 guide.
"""

from typing import Literal, TypedDict

from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.labels import labels
from tuneway.prediction.dialects.gemini.own import EXTRAS, Own, SafetySetting, own
from tuneway.prediction.dialects.gemini.signatures import stood_in
from tuneway.prediction.dialects.gemini.thinking import ThinkingConfig, thinking
from tuneway.prediction.dialects.gemini.tools import Tool, ToolConfig, function_calling, tools
from tuneway.prediction.dialects.gemini.turns import Content, SystemInstruction, contents, system_parts
from tuneway.prediction.hub.fit import CACHING, OPENAIS_OWN, fitted, refuse_names, says_nothing
from tuneway.prediction.hub.messages import AssistantMessage, ImagePart, Message, UserMessage
from tuneway.prediction.hub.request import (
    ChatRequest,
    JsonObjectFormat,
    JsonSchemaFormat,
    output_limit,
    stop_sequences,
)
from tuneway.prediction.profiles import Profile, profile_of
from tuneway.routing.routes import Target

UNSUPPORTED = (*OPENAIS_OWN, "parallel_tool_calls", "service_tier")
# What changes no answer and has no place here: Gemini keeps prompts by itself, and watches for abuse by its own means.
HINTS = (*CACHING, "safety_identifier")
_SEEDS = 2**31
MediaResolution = Literal["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_HIGH"]


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
    safetySettings: list[SafetySetting]
    cachedContent: str
    labels: dict[str, str]


def to_request(request: ChatRequest, target: Target) -> GenerateContentRequest:
    """The body. Raises BadInput naming what Gemini, or this model of its family, cannot express."""
    profile = profile_of(target)
    request = fitted(request, UNSUPPORTED + profile.unsupported, drop=target.drop_params, extras=EXTRAS)
    refuse_names(request, target.drop_params)
    google = own(request, drop=target.drop_params)
    body = _conversation(request, profile)
    if described := tools(request):
        body["tools"] = described
    if (calling := function_calling(request)) is not None:
        body["toolConfig"] = {"functionCallingConfig": calling}
    generation: GenerationConfig = {**_generation_config(request, profile), **_own_thinking(google)}
    if generation:
        body["generationConfig"] = generation
    return {**body, **_own_fields(google), **_labels(request)}


def _own_fields(google: Own) -> GenerateContentRequest:
    body: GenerateContentRequest = {}
    if google.safety_settings:
        body["safetySettings"] = google.safety
    if google.cached_content is not None:
        body["cachedContent"] = google.cached_content
    return body


def _own_thinking(google: Own) -> GenerationConfig:
    return {"thinkingConfig": told} if (told := google.thinking) else {}


def _labels(request: ChatRequest) -> GenerateContentRequest:
    return {"labels": told} if (told := labels(request)) else {}


def _conversation(request: ChatRequest, profile: Profile) -> GenerateContentRequest:
    """Gemini wants a turn to answer: with system messages alone, they are it."""
    turns, system = contents(request.messages), system_parts(request.messages)
    if profile.signed_calls and _called(request.messages):
        turns = stood_in(turns)
    if not turns and not system:
        raise says_nothing()
    if not turns:
        return {"contents": [{"role": "user", "parts": system}]}
    if not system:
        return {"contents": turns}
    return {"contents": turns, "systemInstruction": {"parts": system}}


def _called(messages: list[Message]) -> bool:
    return any(isinstance(message, AssistantMessage) and message.tool_calls for message in messages)


def _generation_config(request: ChatRequest, profile: Profile) -> GenerationConfig:
    return {
        **_sampling(request),
        **_limits(request),
        **_logprobs(request),
        **_format(request),
        **_thinking(request, profile),
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
        config["seed"] = _seed(request.seed)
    if request.presence_penalty is not None:
        config["presencePenalty"] = request.presence_penalty
    if request.frequency_penalty is not None:
        config["frequencyPenalty"] = request.frequency_penalty
    return config


def _seed(seed: int) -> int:
    """A seed in Gemini's 32 bits: what it promises is that the same one samples the same way, and that still holds."""
    return seed if abs(seed) < _SEEDS else seed % _SEEDS


def _limits(request: ChatRequest) -> GenerationConfig:
    config: GenerationConfig = {}
    if request.n not in {None, 1}:
        config["candidateCount"] = request.n or 1
    if (limit := output_limit(request)) is not None:
        config["maxOutputTokens"] = limit
    if stops := [stop for stop in stop_sequences(request) if stop]:
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


def _thinking(request: ChatRequest, profile: Profile) -> GenerationConfig:
    config = thinking(request, profile)
    return {} if config is None else {"thinkingConfig": config}


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
