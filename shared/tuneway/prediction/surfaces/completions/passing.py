"""``/v1/completions``: the ways a request reaches its target, and the body it is sent there.

| way | when | body | answer |
|---|---|---|---|
| ``passed`` | an OpenAI-compatible server | the caller's own; a suffix as the server can take it | passed back |
| ``fim`` | Mistral's code models on their own API or Vertex AI | prompt and suffix | a chat's, told as a text |
| ``chat`` | everything else | one chat for each prompt (``request.py``) | told as texts (``response.py``) |

Answers of the first two are passed back by the openai dialect (``passed_back``, ``StreamPass``) with the passage's
``kind`` set to ``"text"``.
"""

from typing import Literal

import msgspec
from msgspec import Raw

from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.dialects.openai.servers import served_name, server_of
from tuneway.prediction.surfaces.completions.request import (
    CompletionRequest,
    decode_completion_request,
    prompts_of,
    unsupported,
)
from tuneway.prediction.surfaces.completions.templates import Template, template_of
from tuneway.routing.routes import Target

Way = Literal["passed", "fim", "chat"]
Fields = dict[str, object]

_FIM_UNSUPPORTED: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "best_of": (0, 1),
    "echo": (False,),
    "logprobs": (),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "top_k": (),
}
_FIM_UNKNOWN = frozenset({"min_tokens", "metadata"})
_RAW_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_ENCODER = msgspec.json.Encoder()


def way_to(target: Target) -> Way:
    """How a request to ``/v1/completions`` reaches this target."""
    way: Way = server_of(target).completions if target.dialect == "openai" else "chat"
    return "chat" if way == "fim" and template_of(target) is None else way


def passed_on_completion(body: bytes, target: Target, *, stream: bool) -> bytes:
    """The caller's body for a server's own ``/completions``. Raises BadInput naming what it would ignore."""
    template = template_of(target) if server_of(target).suffix == "template" else None
    filled = body if template is None or "suffix" in target.drop_params else _filled(body, template)
    return passed_on(filled, target, stream=stream)


def to_fim_request(request: CompletionRequest, body: bytes, target: Target) -> Fields:
    """The body of Mistral's fill-in-the-middle; ``body`` is the caller's. Raises BadInput naming what it lacks.

    Source: ``FIMCompletionRequest`` in https://docs.mistral.ai/api.
    """
    _refuse_for_fim(request, target.drop_params)
    extras = {name: raw for name, raw in _RAW_FIELDS.decode(body).items() if name in _FIM_UNKNOWN}
    given: Fields = {
        "model": served_name(target),
        "prompt": _only_prompt(request),
        "suffix": request.suffix,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": request.stop,
        "random_seed": request.seed,
        "stream": request.stream,
    }
    sampling = {"seed": "random_seed"}
    dropped = {sampling.get(name, name) for name in target.drop_params} - {"model", "prompt", "stream"}
    return {name: value for name, value in {**given, **extras}.items() if value is not None and name not in dropped}


def _refuse_for_fim(request: CompletionRequest, drop: tuple[str, ...]) -> None:
    for name, harmless in _FIM_UNSUPPORTED.items():
        value: object = getattr(request, name)
        if value is not None and value not in harmless and name not in drop:
            raise unsupported(name, request)
    for name in request.unknown:
        if name not in drop and name not in _FIM_UNKNOWN:
            raise unsupported(name, request)


def _only_prompt(request: CompletionRequest) -> str:
    texts = prompts_of(request)
    if len(texts) > 1:
        fault = f"'{request.model}' takes one prompt a request, and 'prompt' holds {len(texts)}."
        raise BadInput(fault, param="prompt", code="invalid_value")
    return texts[0]


def _filled(body: bytes, template: Template) -> bytes:
    """The body with prompt and suffix as one prompt in the model's own words; unchanged without a suffix."""
    request = decode_completion_request(body)
    if not request.suffix:
        return body
    prompts = [template.filled(prompt, request.suffix) for prompt in prompts_of(request)]
    stop = [request.stop] if isinstance(request.stop, str) else request.stop or []
    rest = {name: raw for name, raw in _RAW_FIELDS.decode(body).items() if name != "suffix"}
    prompt = prompts[0] if isinstance(request.prompt, str) else prompts
    stops = {"stop": [*stop, *template.stop]} if stop or template.stop else {}
    return _ENCODER.encode({**rest, "prompt": prompt, **stops})
