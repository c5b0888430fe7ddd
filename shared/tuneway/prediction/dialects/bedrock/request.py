"""Hub → Converse: a chat request as the body of ``Converse`` and ``ConverseStream``.

What has no equivalent is refused by name (``UNSUPPORTED``, the profile's ``unsupported``), or dropped where the route
says so. Two things are said in words, because Converse has no field for them: ``tool_choice: "none"`` while the
conversation holds tool calls (it then demands their tools), and ``response_format: json_object``.
Source of the shape: ``ConverseRequest`` in botocore's model of ``bedrock-runtime``.
"""

import re
from typing import Literal, TypedDict

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.dialects.bedrock.blocks import ContentBlock, text_blocks
from tuneway.prediction.dialects.bedrock.capacity import capacity
from tuneway.prediction.dialects.bedrock.reasoning import AdditionalFields, effort, thinking, written_limit
from tuneway.prediction.dialects.bedrock.tools import NO_CALLS, ToolConfig, answers_by_tool, forbids_calls, tool_config
from tuneway.prediction.dialects.bedrock.turns import Turn, system_blocks, turns
from tuneway.prediction.hub.answer_form import JSON_SENTENCE, wants_object
from tuneway.prediction.hub.fit import (
    CACHING,
    HARMLESS,
    OPENAIS_OWN,
    extras_in,
    fitted,
    objects,
    refuse_names,
    says_nothing,
    unsupported_parameter,
)
from tuneway.prediction.hub.grammar import grammatical
from tuneway.prediction.hub.request import (
    ChatRequest,
    JsonSchema,
    JsonSchemaFormat,
    stop_sequences,
)
from tuneway.prediction.profiles import Profile, profile_of
from tuneway.routing.routes import Target

UNSUPPORTED = (
    *OPENAIS_OWN,
    "frequency_penalty",
    "logprobs",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "seed",
    "top_logprobs",
)
# What changes no answer and has no place here; prompts are kept where ``cache_control`` asks for it.
HINTS = (*CACHING, "safety_identifier")
SAMPLING = ("temperature", "top_p", "top_k")
# Converse's own fields, which an SDK sends with ``extra_body``: passed on as they are.
EXTRAS = ("guardrailConfig", "performanceConfig")


class InferenceConfig(TypedDict, total=False):
    """How to write the answer."""

    maxTokens: int
    temperature: float
    topP: float
    stopSequences: list[str]


class JsonSchemaDefinition(TypedDict, total=False):
    """A schema, as JSON text."""

    schema: str
    name: str
    description: str


class Structure(TypedDict):
    """What the answer's text follows."""

    jsonSchema: JsonSchemaDefinition


class TextFormat(TypedDict):
    """The form of the answer's text."""

    type: Literal["json_schema"]
    structure: Structure


class OutputConfig(TypedDict, total=False):
    """What the answer shall be like."""

    textFormat: TextFormat
    effort: str


class ConverseRequest(TypedDict, total=False):
    """The body."""

    messages: list[Turn]
    system: list[ContentBlock]
    inferenceConfig: InferenceConfig
    toolConfig: ToolConfig
    outputConfig: OutputConfig
    additionalModelRequestFields: AdditionalFields
    requestMetadata: dict[str, str]
    serviceTier: dict[str, object]
    performanceConfig: dict[str, object]
    guardrailConfig: dict[str, object]


_METADATA_KEY = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}")
_METADATA_VALUE = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_MOST_METADATA = 16


def to_request(request: ChatRequest, target: Target) -> ConverseRequest:
    """The body. Raises BadInput naming what Converse, or this model behind it, cannot express."""
    profile = profile_of(target)
    extras = objects(extras_in(request, EXTRAS, drop=target.drop_params))
    request = fitted(request, _unsupported(profile), drop=target.drop_params, extras=EXTRAS)
    refuse_names(request, target.drop_params)
    body = _conversation(request, profile)
    if config := _inference_config(request, profile):
        body["inferenceConfig"] = config
    if (tools := tool_config(request, profile)) is not None:
        body["toolConfig"] = tools
    if output := _output_config(request, profile):
        body["outputConfig"] = output
    if fields := _additional_fields(request, profile):
        body["additionalModelRequestFields"] = fields
    if metadata := _metadata(request):
        body["requestMetadata"] = metadata
    return {**body, **_own(capacity(request) | extras)}


def _own(fields: dict[str, dict[str, object]]) -> ConverseRequest:
    """Converse's own fields, by their names."""
    return msgspec.convert(fields, ConverseRequest)


def _unsupported(profile: Profile) -> tuple[str, ...]:
    """What to refuse, general and of this model."""
    unsaid = () if profile.sampling else SAMPLING
    thoughtless = ("reasoning_effort",) if profile.reasoning == "none" else ()
    toolless = () if profile.tools else ("tools",)
    return (*UNSUPPORTED, *profile.unsupported, *unsaid, *thoughtless, *toolless)


def _conversation(request: ChatRequest, profile: Profile) -> ConverseRequest:
    """Turns and instructions. Instructions alone are the user's turn, and so they are where a model takes none."""
    spoken = turns(request.messages, profile)
    system = system_blocks(request.messages, profile)
    if not spoken and not system:
        raise says_nothing()
    system += text_blocks(_instructions(request, profile))
    if not spoken or not profile.system:
        return {"messages": _opened(_with_instructions(spoken, system))}
    if not system:
        return {"messages": _opened(spoken)}
    return {"messages": _opened(spoken), "system": system}


def _with_instructions(spoken: list[Turn], instructions: list[ContentBlock]) -> list[Turn]:
    """The turns with the instructions as the user's first words."""
    if not instructions:
        return spoken
    if spoken and spoken[0]["role"] == "user":
        return [Turn(role="user", content=instructions + spoken[0]["content"]), *spoken[1:]]
    return [Turn(role="user", content=instructions), *spoken]


def _opened(spoken: list[Turn]) -> list[Turn]:
    if spoken[0]["role"] != "user":
        raise BadInput(
            "For this model a conversation begins with a user's message. Leave the assistant's first words out, "
            "or put them into the system message.",
            param="messages",
            code="invalid_value",
        )
    return spoken


def _instructions(request: ChatRequest, profile: Profile) -> list[str]:
    """What Converse has no field for; the tool that takes the answer is one that must be used."""
    texts = [JSON_SENTENCE] if wants_object(request) else []
    return [*texts, NO_CALLS] if forbids_calls(request) and not answers_by_tool(request, profile) else texts


def _inference_config(request: ChatRequest, profile: Profile) -> InferenceConfig:
    config: InferenceConfig = {**_sampling(request, profile)}
    if (limit := written_limit(request, profile)) is not None:
        config["maxTokens"] = limit
    if stops := [stop for stop in stop_sequences(request) if stop]:
        config["stopSequences"] = stops
    return config


def _sampling(request: ChatRequest, profile: Profile) -> InferenceConfig:
    if not profile.sampling:
        return {}
    temperature, top_p = _compatible(request) if profile.either_temperature_or_top_p else _both(request)
    config: InferenceConfig = {}
    if temperature is not None:
        if temperature > profile.max_temperature:
            raise _too_hot(request, profile)
        config["temperature"] = temperature
    if top_p is not None:
        config["topP"] = top_p
    return config


def _both(request: ChatRequest) -> tuple[float | None, float | None]:
    return request.temperature, request.top_p


def _compatible(request: ChatRequest) -> tuple[float | None, float | None]:
    """Temperature or top_p, for models that refuse both at once; one that asks for what happens anyway gives way."""
    temperature, top_p = _both(request)
    if temperature is None or top_p is None:
        return temperature, top_p
    if top_p in HARMLESS["top_p"]:
        return temperature, None
    if temperature in HARMLESS["temperature"]:
        return None, top_p
    raise BadInput(
        f"'{request.model}' takes 'temperature' or 'top_p', not both. Leave one out, "
        "or add it to drop_params of the model's route.",
        param="top_p",
        code="unsupported_parameter",
    )


def _too_hot(request: ChatRequest, profile: Profile) -> BadInput:
    return BadInput(
        f"'{request.model}' takes a temperature of at most {profile.max_temperature:g}. Lower it, "
        "or add 'temperature' to drop_params of the model's route.",
        param="temperature",
        code="invalid_value",
    )


def _output_config(request: ChatRequest, profile: Profile) -> OutputConfig:
    output: OutputConfig = {}
    if isinstance(request.response_format, JsonSchemaFormat) and not answers_by_tool(request, profile):
        if not profile.json_schema:
            raise unsupported_parameter(request, "response_format")
        schema = _schema(request.response_format.json_schema)
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    if (word := effort(request, profile)) is not None:
        output["effort"] = word
    return output


def _schema(asked: JsonSchema) -> JsonSchemaDefinition:
    kept = grammatical(asked.schema or {"type": "object"}, param="response_format.json_schema.schema")
    schema = JsonSchemaDefinition(schema=msgspec.json.encode(kept).decode(), name=asked.name)
    if asked.description is not None:
        schema["description"] = asked.description
    return schema


def _additional_fields(request: ChatRequest, profile: Profile) -> AdditionalFields:
    """What the model takes beyond Converse's own fields."""
    fields = thinking(request, profile)
    if request.top_k is None or not profile.sampling:
        return fields
    *outer, name = profile.top_k_path
    top_k: dict[str, object] = {name: request.top_k}
    for level in reversed(outer):
        top_k = {level: top_k}
    return {**fields, **top_k}


def _metadata(request: ChatRequest) -> dict[str, str]:
    """Goes into Bedrock's invocation log, with who asks as ``user``; what the log cannot hold is refused."""
    metadata = request.metadata or {}
    for key, value in metadata.items():
        if not _METADATA_KEY.fullmatch(key) or not _METADATA_VALUE.fullmatch(value):
            raise _unfit(f"metadata.{key[:64]}")
    if request.user is None:
        told = metadata
    elif _METADATA_VALUE.fullmatch(request.user):
        told = {"user": request.user, **metadata}
    else:
        raise _unfit("user")
    if len(told) > _MOST_METADATA:
        raise BadInput(f"Bedrock takes at most {_MOST_METADATA} pairs of metadata.", param="metadata")
    return told


def _unfit(param: str) -> BadInput:
    return BadInput(
        "Bedrock's metadata has at most 256 letters, digits, blanks and _:@$#=/+,.- in a key or a value.",
        param=param,
        code="invalid_value",
    )
