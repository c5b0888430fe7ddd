"""Fit a request to a target: what the target cannot express is refused by name, or dropped where its route says so."""

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest, TextFormat

# Values that ask for what happens anyway, so that an SDK which spells out defaults is not refused.
HARMLESS: dict[str, tuple[object, ...]] = {
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "presence_penalty": (0,),
    "reasoning_effort": ("none",),
    "response_format": (TextFormat(),),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "temperature": (1,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "top_p": (1,),
    "verbosity": ("medium",),
}
_OPTIONAL = {field.name: field.default for field in msgspec.structs.fields(ChatRequest) if not field.required}


def fitted(request: ChatRequest, unsupported: tuple[str, ...], *, drop: tuple[str, ...]) -> ChatRequest:
    """The request without what ``drop`` names. Raises BadInput for anything else the target cannot express."""
    if isinstance(request, ExtendedRequest):
        _refuse_unknown(request, drop)
    if drop:
        request = msgspec.structs.replace(request, **{name: _OPTIONAL[name] for name in drop if name in _OPTIONAL})
    for name in unsupported:
        value: object = getattr(request, name)
        if value is not None and value not in HARMLESS.get(name, ()):
            raise unsupported_parameter(request, name)
    return request


def unsupported_parameter(request: ChatRequest, param: str, *, drop_as: str | None = None) -> BadInput:
    """The refusal of a parameter that OpenAI knows and this target cannot express."""
    return BadInput(
        f"'{param}' is not supported by '{request.model}'. "
        f"Leave it out, or add '{drop_as or param}' to drop_params of the model's route.",
        param=param,
        code="unsupported_parameter",
    )


def _refuse_unknown(request: ExtendedRequest, drop: tuple[str, ...]) -> None:
    for name in request.unknown:
        if name not in drop:
            raise BadInput(
                f"Unknown parameter: '{name}'. '{request.model}' would not see it: "
                f"leave it out, or add '{name}' to drop_params of the model's route.",
                param=name,
                code="unknown_parameter",
            )
