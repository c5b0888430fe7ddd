"""``/v1/completions``: read a request, and say it as a chat for models that only chat.

Shape and limits: OpenAI's published OpenAPI document, ``CreateCompletionRequest``. Choices this surface makes for
chat-only targets:
- Each prompt is a user message of its own; a request with several prompts is as many calls, at most ``MOST_PROMPTS``.
- Without ``max_tokens`` the model's own limit holds, not OpenAI's 16, which would cut every answer of a thinking model.
- ``echo`` is told; with ``logprobs`` it would need the prompt's own, so that is refused. ``best_of`` above ``n``,
  ``suffix``, prompts of tokens and fields nobody knows are refused by name, or dropped where the route says so.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.errors import BadInput
from tuneway.prediction.hub.decode import with_unknown
from tuneway.prediction.hub.fit import refuse_unseen, unsupported_by
from tuneway.prediction.hub.messages import UserMessage
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest, Penalty, StreamOptions
from tuneway.prediction.surfaces.texts import Tokens, require_one_kind, texts_in
from tuneway.routing.routes import Target

MOST_PROMPTS = 32

Prompt = str | Annotated[list[str | int | Tokens], Meta(min_length=1)]


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request; None is an absent field. ``unknown`` names fields that only a server of its own may know."""

    model: Annotated[str, Meta(min_length=1)]
    prompt: Prompt
    suffix: str | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    unknown: tuple[str, ...] = ()


_KNOWN = frozenset(field.name for field in msgspec.structs.fields(CompletionRequest)) - {"unknown"}
_OPTIONAL = _KNOWN - {"model", "prompt", "stream"}


def decode_completion_request(body: bytes) -> CompletionRequest:
    """The request. Raises BadInput with ``param`` when JSON, a type or a range is wrong."""
    request = with_unknown(body, CompletionRequest, needs="prompt")
    require_one_kind(request.prompt, "prompt")
    return request


def completion_to_chats(request: CompletionRequest, target: Target) -> list[ChatRequest]:
    """One chat for each prompt, in order. Raises BadInput naming what a chat cannot express."""
    kept = _dropped(request, target.drop_params)
    _refuse_inexpressible(kept)
    refuse_unseen(kept.unknown, target.drop_params, model=kept.model)
    return [_chat(kept, prompt) for prompt in prompts_of(kept)]


def number_of_prompts(request: CompletionRequest) -> int:
    """How many prompts there are; a list of tokens is one."""
    prompt = request.prompt
    return 1 if isinstance(prompt, str) or isinstance(prompt[0], int) else len(prompt)


def prompts_of(request: CompletionRequest) -> list[str]:
    """The prompts as texts. Raises BadInput for tokens, which only the model's own server can read."""
    texts = texts_in(request.prompt, "prompt", model=request.model)
    if len(texts) > MOST_PROMPTS:
        raise BadInput(
            f"'prompt' holds {len(texts)} prompts. '{request.model}' takes at most {MOST_PROMPTS} in one request.",
            param="prompt",
            code="invalid_value",
        )
    return texts


def unsupported(name: str, request: CompletionRequest, why: str = "") -> BadInput:
    """The refusal of a parameter that this target cannot express."""
    return unsupported_by(request.model, name, why=why)


def _chat(request: CompletionRequest, prompt: str) -> ChatRequest:
    return ExtendedRequest(
        model=request.model,
        messages=[UserMessage(content=prompt)],
        stream=request.stream,
        stream_options=request.stream_options,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        max_tokens=request.max_tokens,
        n=request.n,
        stop=request.stop,
        seed=request.seed,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        logit_bias=request.logit_bias,
        logprobs=None if request.logprobs is None else True,
        top_logprobs=request.logprobs,
        user=request.user,
    )


def _dropped(request: CompletionRequest, names: tuple[str, ...]) -> CompletionRequest:
    return msgspec.structs.replace(request, **{name: None for name in names if name in _OPTIONAL})


def _refuse_inexpressible(request: CompletionRequest) -> None:
    faults = {
        "suffix": bool(request.suffix),
        "best_of": (request.best_of or 0) > (request.n or 1),
        "echo": request.echo is True and request.logprobs is not None,
        "max_tokens": request.max_tokens == 0,
    }
    why = {"echo": " together with 'logprobs'", "max_tokens": " as 0"}
    for name, faulty in faults.items():
        if faulty:
            raise unsupported(name, request, why.get(name, ""))
