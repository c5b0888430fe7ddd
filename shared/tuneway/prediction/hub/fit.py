"""Fit a request to a target: what the target cannot express is refused by name, or dropped where its route says so."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from operator import attrgetter

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.messages import ToolMessage
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest, NamedTool, TextFormat, sent_name

# Values that ask for what happens anyway, so that an SDK which spells out defaults is not refused.
HARMLESS: dict[str, tuple[object, ...]] = {
    "frequency_penalty": (0,),
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
# What OpenAI alone has.
OPENAIS_OWN = (
    "audio",
    "logit_bias",
    "modalities",
    "moderation",
    "prediction",
    "store",
    "verbosity",
    "web_search_options",
)
# How OpenAI keeps prompts: it changes no answer, and other hosts keep them by themselves or by ``cache_control``.
CACHING = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
LEAST_TOP_P = 0.95  # of those beside thinking
_OPTIONAL = {field.name: field.default for field in msgspec.structs.fields(ChatRequest) if not field.required}


def fitted(
    request: ChatRequest, unsupported: tuple[str, ...], *, drop: tuple[str, ...], extras: tuple[str, ...] = ()
) -> ChatRequest:
    """The request without what ``drop`` names. Raises BadInput for anything else the target cannot express.

    ``extras`` are fields of the host's own that it takes.
    """
    if isinstance(request, ExtendedRequest):
        refuse_unknown(request, (*drop, *extras))
    if drop:
        request = msgspec.structs.replace(request, **{name: _OPTIONAL[name] for name in _dropped(request, drop)})
    for name in _given(request, unsupported):
        if getattr(request, name) not in HARMLESS.get(name, ()):
            raise unsupported_parameter(request, name)
    return request


def _given(request: ChatRequest, names: tuple[str, ...]) -> list[str]:
    """Those of the parameters that the request has; nearly every request has none, and is done in one step."""
    if not names:
        return []
    values = _reader(names)(request)
    return [] if values == _nothing(names) else [name for name in names if getattr(request, name) is not None]


@cache
def _reader(names: tuple[str, ...]) -> Callable[[ChatRequest], object]:
    return attrgetter(*names)


@cache
def _nothing(names: tuple[str, ...]) -> object:
    return None if len(names) == 1 else (None,) * len(names)


def extras_in(request: ChatRequest, names: tuple[str, ...], *, drop: tuple[str, ...]) -> dict[str, object]:
    """The host's own fields in a request, as they came."""
    sent = request.unknown if isinstance(request, ExtendedRequest) else {}
    return {name: sent[name] for name in names if name in sent and name not in drop}


def objects(extras: dict[str, object]) -> dict[str, dict[str, object]]:
    """The host's own fields where each must be an object. Raises BadInput naming one that is not."""
    return {name: _object(name, value) for name, value in extras.items()}


def hints_in(request: ChatRequest, names: tuple[str, ...], *, drop: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Those of a dialect's hints that the request holds: they change no answer, so they are left out and told of.

    What a route drops is told with them where the caller has another name for it.
    """
    found = [sent_name(request, name) for name in _given(request, names)]
    if not isinstance(request, ExtendedRequest):
        return tuple(found)
    renamed = [sent_name(request, name) for name in _dropped(request, drop) if name in request.sent_as]
    return (*found, *request.left_out, *renamed)


def _dropped(request: ChatRequest, drop: tuple[str, ...]) -> list[str]:
    """The parameters of the request that a route drops, by OpenAI's name or the caller's."""
    named = [name for name in _OPTIONAL if name in drop or sent_name(request, name) in drop]
    return [name for name in named if getattr(request, name) is not None]


def refuse_names(request: ChatRequest, drop: tuple[str, ...]) -> None:
    """For dialects whose turns have no speaker's name; a tool's result is known by its call anyway.

    Raises BadInput naming the message.
    """
    if "name" in drop:
        return
    for position, message in enumerate(request.messages):
        if message.name is not None and not isinstance(message, ToolMessage):
            raise unsupported_parameter(request, f"messages[{position}].name", drop_as="name")


def fitting_id(call_id: str, form: re.Pattern[str]) -> str:
    """A call's id as it is, or where another model's id is none of the target's form, its digest."""
    return call_id if form.fullmatch(call_id) else f"call_{sha256(call_id.encode()).hexdigest()[:40]}"


def says_nothing() -> BadInput:
    """The refusal of a conversation of which nothing is left for a model to answer."""
    return BadInput("The messages say nothing. Send at least one text that is not blank.", param="messages")


def allows_no_tool() -> BadInput:
    """The refusal of a ``tool_choice`` that leaves none of the request's tools."""
    return BadInput("'tool_choice' allows none of the 'tools'. Name at least one of them.", param="tool_choice")


def refuse_beside_thinking(request: ChatRequest) -> None:
    """Claude, wherever it is served, thinks under no other sampling, nor towards a tool that it must use.

    Raises BadInput. Source: "Feature compatibility" of Anthropic's guide to extended thinking.
    """
    beside = {
        "temperature": request.temperature not in (None, 1),
        "top_p": request.top_p is not None and request.top_p < LEAST_TOP_P,
        "top_k": request.top_k is not None,
        "tool_choice": request.tool_choice == "required" or isinstance(request.tool_choice, NamedTool),
    }
    for name, clashes in beside.items():
        if clashes:
            raise BadInput(
                f"'{request.model}' takes '{name}' or 'reasoning_effort', not both. Leave one out.",
                param=name,
                code="unsupported_parameter",
            )


def unsupported_parameter(request: ChatRequest, param: str, *, drop_as: str | None = None) -> BadInput:
    """The refusal of a parameter that OpenAI knows and this target cannot express, under the caller's name of it."""
    shown = sent_name(request, param)
    return unsupported_by(request.model, shown, drop_as=drop_as or (param if "." in shown else shown))


def unsupported_by(model: str, param: str, *, drop_as: str | None = None, why: str = "") -> BadInput:
    """The same for whoever has the model's name alone; ``why`` goes on with the sentence."""
    return BadInput(
        f"'{param}' is not supported by '{model}'{why}. "
        f"Leave it out, or add '{drop_as or param}' to drop_params of the model's route.",
        param=param,
        code="unsupported_parameter",
    )


def _object(name: str, value: object) -> dict[str, object]:
    try:
        return msgspec.convert(value, dict[str, object])
    except msgspec.ValidationError as exc:
        raise BadInput(f"Invalid '{name}': expected an object.", param=name, code="invalid_type") from exc


def refuse_unknown(request: ExtendedRequest, allowed: tuple[str, ...]) -> None:
    """Raises BadInput for a field that nobody here knows and the target would not see."""
    refuse_unseen(request.unknown, allowed, model=request.model)


def refuse_unseen(names: Iterable[str], allowed: tuple[str, ...], *, model: str) -> None:
    """The same for whoever has the names alone."""
    known = frozenset(allowed)  # a caller may send very many
    for name in names:
        if name not in known:
            raise BadInput(
                f"Unknown parameter: '{name}'. '{model}' would not see it: "
                f"leave it out, or add '{name}' to drop_params of the model's route.",
                param=name,
                code="unknown_parameter",
            )
