"""generateContent, streamGenerateContent and countTokens, for publisher models and tuned models on endpoints."""

import re
from collections.abc import Iterator

import msgspec

from tuneway.local.vertex.answers import Answer, Speaker, answer
from tuneway.local.vertex.bases import served
from tuneway.local.vertex.call import Call, Cloud, Reply, Rule, Stream
from tuneway.local.vertex.contents import GenerateBody, checked
from tuneway.local.vertex.deployments import serving
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.refusals import Refusal, error_body
from tuneway.local.vertex.tokens import tokens_in

FEW_WORDS = re.compile(r"\s*(?:\S+\s*){1,3}")
Parts = list[dict[str, object]]


def speaker(cloud: Cloud, call: Call) -> Speaker:
    """Who answers under this path. Raises Refusal: 404, or 400 for a container, which takes predictions."""
    if "model" in call.ids:
        return Speaker(served(call.ids["model"], call.parent), cloud.store)
    found = serving(cloud, call.name("endpoints"))
    if found.container:
        raise Refusal(
            "FAILED_PRECONDITION",
            f"Endpoint {found.endpoint} serves a custom container and does not support generateContent; use predict.",
        )
    return Speaker(found.version.name, cloud.store, found.version.sources)


def generate(cloud: Cloud, call: Call) -> Reply:
    """The whole answer."""
    who, request = speaker(cloud, call), checked(call.json())
    said = answer(who, request)
    candidates = _candidates(request, said.parts, finish=said.finish)
    return Reply({"candidates": candidates, **_usage(request, said.tokens), **_origin(cloud, who)})


def stream(cloud: Cloud, call: Call) -> Reply | Stream:
    """The answer a few words at a time: as events with ``alt=sse``, else as one JSON array."""
    sse = call.query.get("alt") == "sse"
    try:
        who, request = speaker(cloud, call), checked(call.json())
    except Refusal as refusal:
        if sse:
            raise
        # Without alt=sse an error comes as an array of one, as the answer would.
        return Reply([error_body(refusal)], status=refusal.code)
    chunks = [msgspec.json.encode(chunk) for chunk in _chunks(cloud, who, request)]
    if sse:
        return Stream([b"data: " + chunk + b"\r\n\r\n" for chunk in chunks], "text/event-stream")
    return Stream(_array(chunks), "application/json")


def count_tokens(cloud: Cloud, call: Call) -> Reply:
    """How many tokens the contents are."""
    speaker(cloud, call)
    sent = call.json()
    canonical("CountTokensRequest", sent)
    request = checked(
        {key: value for key, value in sent.items() if key not in {"model", "instances"}}, kind="CountTokensRequest"
    )
    total = tokens_in(request.prompt)
    details = [{"modality": "TEXT", "tokenCount": total}]
    return Reply({"totalTokens": total, "totalBillableCharacters": len(request.prompt), "promptTokensDetails": details})


def pieces(said: Answer) -> list[Parts]:
    """An answer cut for streaming: text a few words at a time, anything else whole."""
    if any("text" not in part for part in said.parts):
        return [said.parts]
    return [[{"text": piece}] for piece in FEW_WORDS.findall(said.text)] or [said.parts]


def _chunks(cloud: Cloud, who: Speaker, request: GenerateBody) -> Iterator[dict[str, object]]:
    said = answer(who, request)
    cut = pieces(said)
    origin = _origin(cloud, who)
    length = 0
    for place, parts in enumerate(cut, start=1):
        last = place == len(cut)
        length += sum(len(str(part.get("text", ""))) for part in parts)
        written = said.tokens if last else tokens_in(" " * length)
        candidates = _candidates(request, parts, finish=said.finish if last else None)
        yield {"candidates": candidates, **_usage(request, written), **origin}


def _array(chunks: list[bytes]) -> list[bytes]:
    return [(b"," if place else b"[") + chunk for place, chunk in enumerate(chunks)] + [b"]"]


def _candidates(request: GenerateBody, parts: Parts, *, finish: str | None) -> list[dict[str, object]]:
    ended = {"finishReason": finish} if finish else {}
    content = {"role": "model", "parts": parts}
    numbered = ({"index": place} if place else {} for place in range(request.generation_config.candidate_count))
    return [{**number, "content": content, **ended} for number in numbered]


def _usage(request: GenerateBody, written: int) -> dict[str, object]:
    asked = tokens_in(request.prompt)
    total = written * request.generation_config.candidate_count
    usage: dict[str, object] = {
        "promptTokenCount": asked,
        "candidatesTokenCount": total,
        "totalTokenCount": asked + total,
        "trafficType": "ON_DEMAND",
    }
    return {"usageMetadata": usage}


def _origin(cloud: Cloud, who: Speaker) -> dict[str, object]:
    version = f"simulated-{who.name.rpartition('/')[2]}"
    return {"modelVersion": version, "createTime": rfc3339(cloud.now()), "responseId": f"simulated-{new_id()}"}


_LOCATION = "projects/{project}/locations/{location}"
_SPEAKERS = (f"{_LOCATION}/publishers/google/models/{{model}}", f"{_LOCATION}/endpoints/{{id}}")
RULES = tuple(
    Rule("POST", f"{path}:{verb}", handler)
    for path in _SPEAKERS
    for verb, handler in (
        ("generateContent", generate),
        ("streamGenerateContent", stream),
        ("countTokens", count_tokens),
    )
)
