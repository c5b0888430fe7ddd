"""Where a target on Vertex AI is called, in whichever words: publishers' models and endpoints.

| words | a publisher's model | an endpoint |
|---|---|---|
| gemini | ``:generateContent`` | ``:generateContent`` |
| anthropic | ``:rawPredict``, no model in the body | none |
| openai | Mistral and AI21 ``:rawPredict``; all others ``endpoints/openapi/…``, named in the body | \
``/v1beta1/…/chat/completions``; ``raw`` asks the container itself with ``:rawPredict`` |
| instances | ``:predict`` | ``:predict``; ``raw`` is ``:rawPredict`` |

Tokens are counted by ``:countTokens`` (gemini) and by ``models/count-tokens:rawPredict`` (anthropic).

Source: Vertex AI's REST reference and Model Garden's pages of each publisher.
"""

from collections.abc import Mapping

from tuneway.prediction.profiles import profile_of
from tuneway.prediction.providers import anthropic, vertex
from tuneway.prediction.providers.addresses import Call, Framing, cannot, path
from tuneway.routing.routes import Target

RAW_PUBLISHERS = frozenset({"mistralai", "ai21"})


def url(call: Call) -> str:
    """Where to POST. Raises BadInput for an operation, a resource or a host that cannot be."""
    target = call.target
    if call.operation == "embeddings" and target.dialect == "gemini":
        return vertex.at(target, ":embedContent" if profile_of(target).embeds_content else ":predict")
    if call.operation == "count":
        return _counting(call)
    if target.dialect == "openai":
        return _openai(call)
    if call.operation != "chat":
        return _instances(call)
    match target.dialect:
        case "gemini" | "instances":
            return vertex.url(target, stream=call.stream)
        case "anthropic" if _publisher(target) == "anthropic":
            return vertex.at(target, _raw(call))
        case _:
            raise cannot(call)


def wrap(body: Mapping[str, object], call: Call) -> Mapping[str, object]:
    """Claude's body bears its version; others are as their dialect wrote them."""
    return anthropic.wrapped_for_vertex(body, call) if call.target.dialect == "anthropic" else body


def headers(target: Target) -> Mapping[str, str]:
    """Claude's betas; for others none besides the usual."""
    return anthropic.beta_headers(target) if target.dialect == "anthropic" else {}


def framing(target: Target) -> Framing:
    """Server-sent events, where the target can stream."""
    return "sse" if vertex.streams(target) else "none"


def _openai(call: Call) -> str:
    publisher = _publisher(call.target)
    if publisher in RAW_PUBLISHERS or call.target.raw:
        return vertex.at(call.target, _raw(call))
    if publisher is not None:
        return vertex.beside(call.target, f"endpoints/openapi/{path(call)}")
    return vertex.at(call.target, f"/{path(call)}", version="v1beta1")


def _counting(call: Call) -> str:
    """Gemini counts where it is; Claude's tokens are counted by a model of that name."""
    target = call.target
    if target.dialect == "gemini":
        return vertex.at(target, ":countTokens")
    if target.dialect != "anthropic" or _publisher(target) != "anthropic":
        raise cannot(call)
    return vertex.beside(target, "publishers/anthropic/models/count-tokens:rawPredict")


def _instances(call: Call) -> str:
    """A container may take any instances, also for what is no chat."""
    if call.target.dialect != "instances":
        raise cannot(call)
    return vertex.url(call.target, stream=False)


def _raw(call: Call) -> str:
    return ":streamRawPredict" if call.stream else ":rawPredict"


def _publisher(target: Target) -> str | None:
    """``mistralai`` of ``…/publishers/mistralai/models/codestral@2405``; None for an endpoint."""
    _, found, rest = target.resource.partition("/publishers/")
    return rest.partition("/")[0] if found else None
