"""Hub → Anthropic: a chat request as a body of the Messages API.

The body is the same wherever Claude is served: what differs (``model`` and ``anthropic_version`` in it or not) is the
provider's to wrap. What has no equivalent is refused by name, or dropped where the route says so; what one model takes
and another does not stands in its profile. Source of the shape: Anthropic's Messages API reference.
"""

from typing import Literal, NotRequired, TypedDict, assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.dialects.anthropic.blocks import TextBlock, text_block
from tuneway.prediction.dialects.anthropic.tools import (
    Format,
    Tool,
    ToolChoice,
    output_format,
    tool_choice,
    tools,
)
from tuneway.prediction.dialects.anthropic.turns import Turn, system_blocks, turns
from tuneway.prediction.hub.answer_form import answer_schema, json_sentence
from tuneway.prediction.hub.fit import (
    CACHING,
    OPENAIS_OWN,
    extras_in,
    fitted,
    refuse_beside_thinking,
    refuse_names,
    says_nothing,
    unsupported_parameter,
)
from tuneway.prediction.hub.request import ChatRequest, output_limit, stop_sequences
from tuneway.prediction.profiles import Profile, model_name, profile_of
from tuneway.routing.routes import Target

UNSUPPORTED = (
    *OPENAIS_OWN,
    "frequency_penalty",
    "logprobs",
    "n",
    "presence_penalty",
    "seed",
    "service_tier",
    "top_logprobs",
)
# What changes no answer and has no place here: OpenAI keeps metadata with stored answers, and Claude stores none;
# its prompts are kept where ``cache_control`` asks for it.
HINTS = (*CACHING, "metadata")
# The API's own fields, which an SDK sends with ``extra_body``: passed on as they are.
EXTRAS = ("cache_control", "inference_geo", "speed", "thinking")
SAMPLING = ("temperature", "top_p", "top_k")
LEAST_BUDGET = 1024
FALLBACK_MAX_TOKENS = 4096


class Thinking(TypedDict):
    """How to think, and whether to show it."""

    type: Literal["enabled", "adaptive", "disabled", "between_tools"]
    budget_tokens: NotRequired[int]
    display: NotRequired[Literal["summarized"]]


class OutputConfig(TypedDict, total=False):
    """How much effort to make, and the answer's schema."""

    effort: str
    format: Format


class Metadata(TypedDict):
    """Who asks, in an opaque word."""

    user_id: str


class OwnFields(TypedDict, total=False):
    """The API's own fields, as they came."""

    thinking: object
    cache_control: object
    inference_geo: object
    speed: object


class MessagesRequest(OwnFields, total=False):
    """The body."""

    model: str
    max_tokens: int
    messages: list[Turn]
    system: list[TextBlock]
    stop_sequences: list[str]
    stream: bool
    temperature: float
    top_p: float
    top_k: int
    tools: list[Tool]
    tool_choice: ToolChoice
    output_config: OutputConfig
    metadata: Metadata


def to_request(request: ChatRequest, target: Target) -> MessagesRequest:
    """The body. Raises BadInput naming what this model cannot express."""
    profile = profile_of(target)
    request = _fitted(request, target, profile)
    return {
        "model": model_name(target),
        **_limit(request, profile),
        **_conversation(request),
        **_sampling(request, profile),
        **_stops(request),
        **_tooling(request, profile),
        **_reasoning(request, profile),
        **_metadata(request),
        **_stream(request),
        **_own(request, target),
    }


def _own(request: ChatRequest, target: Target) -> OwnFields:
    """The API's own fields, by their names."""
    return msgspec.convert(extras_in(request, EXTRAS, drop=target.drop_params), OwnFields)


def _fitted(request: ChatRequest, target: Target, profile: Profile) -> ChatRequest:
    unsupported = UNSUPPORTED + profile.unsupported + (() if profile.sampling else SAMPLING)
    request = fitted(request, unsupported, drop=target.drop_params, extras=EXTRAS)
    refuse_names(request, target.drop_params)
    if request.reasoning_effort not in (None, "none"):
        refuse_beside_thinking(request)
    if request.reasoning_effort is not None and extras_in(request, ("thinking",), drop=target.drop_params):
        raise BadInput("Send 'reasoning_effort' or 'thinking', not both.", param="thinking", code="invalid_value")
    if profile.sampling:
        _refuse_sampling(request, profile)
        return request
    # What is left of them asks for the default: the API refuses even that.
    return msgspec.structs.replace(request, temperature=None, top_p=None, top_k=None)


def _refuse_sampling(request: ChatRequest, profile: Profile) -> None:
    if request.temperature is not None and request.temperature > profile.max_temperature:
        raise BadInput(
            f"'temperature' may be at most {profile.max_temperature:g} for '{request.model}'.",
            param="temperature",
            code="invalid_value",
        )
    if profile.either_temperature_or_top_p and request.temperature is not None and request.top_p not in (None, 1):
        raise BadInput(
            f"'{request.model}' takes 'temperature' or 'top_p', not both.", param="top_p", code="unsupported_parameter"
        )


def _limit(request: ChatRequest, profile: Profile) -> MessagesRequest:
    """The API demands a limit; without the caller's own, it is the profile's."""
    limit = output_limit(request)
    return {"max_tokens": limit or profile.default_max_tokens or FALLBACK_MAX_TOKENS}


def _conversation(request: ChatRequest) -> MessagesRequest:
    """Claude wants a turn to answer: with system messages alone, they are it."""
    told, system = turns(request.messages), system_blocks(request.messages)
    if not told and not system:
        raise says_nothing()
    if not told:
        told, system = [Turn(role="user", content=[*system])], []
    if sentence := json_sentence(request):
        system = [*system, text_block(sentence)]
    body = MessagesRequest(messages=told)
    return {**body, "system": system} if system else body


def _sampling(request: ChatRequest, profile: Profile) -> MessagesRequest:
    body: MessagesRequest = {}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None and not (profile.either_temperature_or_top_p and request.temperature is not None):
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
    return body


def _stops(request: ChatRequest) -> MessagesRequest:
    """Blank sequences are refused by the API and stop nothing that matters."""
    stops = [stop for stop in stop_sequences(request) if stop.strip()]
    return {"stop_sequences": stops} if stops else {}


def _tooling(request: ChatRequest, profile: Profile) -> MessagesRequest:
    described, choice = tools(request, profile), tool_choice(request, profile)
    body = MessagesRequest(tools=described) if described else MessagesRequest()
    return body if choice is None else {**body, "tool_choice": choice}


def _reasoning(request: ChatRequest, profile: Profile) -> MessagesRequest:
    how, config = _thinking(request, profile), OutputConfig()
    if how is not None and how["type"] == "adaptive" and request.reasoning_effort is not None:
        config["effort"] = profile.efforts[request.reasoning_effort]
    if (shape := output_format(request, profile)) is not None:
        config["format"] = shape
    body = MessagesRequest() if how is None else MessagesRequest(thinking=how)
    return {**body, "output_config": config} if config else body


def _thinking(request: ChatRequest, profile: Profile) -> Thinking | None:
    """Who asks for an effort sees the thoughts."""
    effort = request.reasoning_effort
    if effort is None:
        return None
    if effort == "none":
        return _without_thinking(request, profile)
    match profile.reasoning:
        case "adaptive":
            return {"type": "adaptive", "display": "summarized"}
        case "budget":
            return {"type": "enabled", "budget_tokens": _budget(request, profile, wanted=profile.budgets[effort])}
        case _:
            raise unsupported_parameter(request, "reasoning_effort")


def _without_thinking(request: ChatRequest, profile: Profile) -> Thinking | None:
    match profile.thinking_off:
        case "omit":
            return None
        case "impossible":
            raise unsupported_parameter(request, "reasoning_effort")
        case "disabled" | "between_tools" as word:
            return {"type": word}
        case _:
            assert_never(profile.thinking_off)


def _budget(request: ChatRequest, profile: Profile, *, wanted: int) -> int:
    """Thoughts count as written, so their budget leaves room below the limit: half of it, where it can."""
    if answer_schema(request) is not None and not profile.json_schema:
        raise BadInput(
            f"'{request.model}' cannot think and keep to a JSON schema at once. Leave 'reasoning_effort' out.",
            param="reasoning_effort",
            code="unsupported_parameter",
        )
    limit = output_limit(request)
    if limit is not None and limit <= LEAST_BUDGET:
        raise BadInput(
            f"To think, '{request.model}' needs a limit above {LEAST_BUDGET} tokens; this one is {limit}.",
            param="max_tokens" if request.max_completion_tokens is None else "max_completion_tokens",
            code="invalid_value",
        )
    return wanted if limit is None else max(LEAST_BUDGET, min(wanted, limit // 2))


def _stream(request: ChatRequest) -> MessagesRequest:
    return {"stream": True} if request.stream else {}


def _metadata(request: ChatRequest) -> MessagesRequest:
    """Who asks, in the first of the places where a caller may say it."""
    places = {
        "safety_identifier": request.safety_identifier,
        "user": request.user,
        "metadata.user_id": (request.metadata or {}).get("user_id"),
    }
    for param, user in places.items():
        if user and "@" in user:
            raise BadInput(
                f"'{param}' goes to Anthropic as metadata.user_id, which may hold no e-mail address. "
                "Send an opaque id.",
                param=param,
                code="invalid_value",
            )
        if user:
            return {"metadata": {"user_id": user}}
    return {}
