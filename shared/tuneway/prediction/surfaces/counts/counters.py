"""Who counts the tokens of a prompt: the transforms of each host that does, by one table.

| host | call | body |
|---|---|---|
| Anthropic, Azure AI Foundry | ``/v1/messages/count_tokens`` | the caller's own |
| Claude on Vertex AI | ``models/count-tokens:rawPredict`` | the same with the model and Vertex AI's version in it |
| Gemini | ``:countTokens`` | contents, instructions and tools |
| Bedrock | ``/model/{id}/count-tokens`` | what ``Converse`` or ``InvokeModel`` would be sent |

Sources: Anthropic's API reference and its SDK 2.12 (``lib/vertex``), ``CountTokensRequest`` of Vertex AI,
``CountTokens`` in botocore's model of ``bedrock-runtime``.
"""

import base64
import re
from collections.abc import Callable, Mapping

import msgspec

from tuneway.prediction.dialects.bedrock.request import to_request as bedrock_to_request
from tuneway.prediction.dialects.gemini.request import to_request as gemini_to_request
from tuneway.prediction.profiles import model_name, profile_of
from tuneway.prediction.surfaces.counts.request import Measured
from tuneway.prediction.surfaces.messages.headers import fields_for, headers_for
from tuneway.prediction.upstream_errors import from_event
from tuneway.routing.routes import Dialect, Provider, Target

Body = Mapping[str, object]
# CountTokens knows a model by its own id alone, not by the profile of a region that it is called through.
_PROFILE = re.compile(r"(?:us|us-gov|eu|apac|global|jp|au|ca|sa|in|me|af|il|mx)\.(?=[a-z0-9-]+\.)")
_OF_GEMINI = ("contents", "systemInstruction", "tools")
_OF_CONVERSE = ("messages", "system", "toolConfig", "additionalModelRequestFields")


class _Answer(msgspec.Struct):
    """The count, under the name each host has for it."""

    input_tokens: int | None = None
    inputTokens: int | None = None  # noqa: N815  (Amazon's word)
    totalTokens: int | None = None  # noqa: N815  (Google's word)


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """A host's transform, and the target under the name by which it counts."""

    to_body: Callable[[Measured, Target], Body]
    target_of: Callable[[Target], Target] = lambda target: target


def counter_of(target: Target) -> Counter | None:
    """How the target's host counts; None where it does not."""
    if target.provider == "bedrock" and target.model.startswith("arn:"):
        return None
    return _COUNTERS.get((target.provider, target.dialect))


def tokens_in(body: bytes) -> int:
    """The count. Raises UpstreamError when the body holds none."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None
    for count in (answer.input_tokens, answer.inputTokens, answer.totalTokens):
        if count is not None:
            return count
    raise from_event(body)


def headers_of(measured: Measured, target: Target) -> dict[str, str]:
    """What stands in the header of the call: Anthropic's own, where the host speaks its words."""
    return headers_for(target, measured.headers) if target.dialect == "anthropic" else {}


def _as_it_came(measured: Measured, target: Target) -> Body:
    return {**measured.fields(target.drop_params), "model": model_name(target)}


def _for_vertex(measured: Measured, target: Target) -> Body:
    return {"anthropic_version": profile_of(target).anthropic_version, **_as_it_came(measured, target)}


def _for_gemini(measured: Measured, target: Target) -> Body:
    told = gemini_to_request(measured.chat(), target)
    return {name: value for name, value in told.items() if name in _OF_GEMINI}


def _for_converse(measured: Measured, target: Target) -> Body:
    told = bedrock_to_request(measured.chat(), target)
    return {"input": {"converse": {name: value for name, value in told.items() if name in _OF_CONVERSE}}}


def _for_invoke(measured: Measured, target: Target) -> Body:
    """The body of ``InvokeModel``, which must have a limit, as base64."""
    profile = profile_of(target)
    version = {"anthropic_version": profile.anthropic_version, "max_tokens": profile.default_max_tokens or 4096}
    fields = {name: value for name, value in measured.fields(target.drop_params).items() if name != "model"}
    body = msgspec.json.encode({**version, **fields_for(target, measured.headers), **fields})
    return {"input": {"invokeModel": {"body": base64.b64encode(body).decode()}}}


def _by_its_own_id(target: Target) -> Target:
    return msgspec.structs.replace(target, model=_PROFILE.sub("", target.model, count=1))


_COUNTERS: dict[tuple[Provider, Dialect], Counter] = {
    ("anthropic", "anthropic"): Counter(to_body=_as_it_came),
    ("azure", "anthropic"): Counter(to_body=_as_it_came),
    ("vertex", "anthropic"): Counter(to_body=_for_vertex),
    ("vertex", "gemini"): Counter(to_body=_for_gemini),
    ("bedrock", "bedrock"): Counter(to_body=_for_converse, target_of=_by_its_own_id),
    ("bedrock", "anthropic"): Counter(to_body=_for_invoke, target_of=_by_its_own_id),
}
