"""Gemini's ``generateContent`` and ``streamGenerateContent`` on Vertex AI as a wire."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from typing_extensions import override

from tests.vendors.fake import Asked, Fake, Refused, Wire, encoded
from tests.vendors.gemini_heard import camel, heard, own
from tests.vendors.gemini_shapes import BODY, DATA
from tests.vendors.listening import Heard, counted, pieces
from tests.vendors.script import Call, Error, Reply
from tests.vendors.shapes import Shape, fault, refuse

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
FINISHES = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "refusal": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
SIGNATURE = Reply().signature
# Google's documented stand-ins for history that another model wrote.
STAND_INS = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
SAFETY = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]


def google_error(error: Error) -> dict[str, object]:
    """Google's error object; ``retry_after`` becomes a RetryInfo too."""
    kind = error.kind or STATUSES.get(error.status, "UNKNOWN")
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{error.retry_after}s"}
    details = {"details": [wait]} if error.retry_after is not None else {}
    return {"error": {"code": error.status, "message": error.message, "status": kind, **details}}


def token_borne(asked: Asked, fake: Fake) -> None:
    """Refuses a request without the access token."""
    if asked.headers.get("authorization") != f"Bearer {fake.key}":
        raise refuse(401, "Request had invalid authentication credentials. Expected OAuth 2 access token.")


def google_shaped(body: object, shape: Shape) -> None:
    """Refuses a body of another shape, as Google's JSON parser words it."""
    if (found := fault(body, shape)) is None:
        return
    path, unknown, said = found
    if unknown:
        raise refuse(400, f"Invalid JSON payload received. Unknown name \"{unknown}\" at '{path}': Cannot find field.")
    raise refuse(400, f"Invalid value at '{path}': {said[:300]}")


class Generate(Wire):
    """One of the two calls. Without ``alt=sse`` a stream is one JSON array, as it is there."""

    stream_kind = "text/event-stream"

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed

    @override
    def read(self, asked: Asked) -> Asked:
        return replace(asked, body=camel(asked.body))

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        google_shaped(asked.body, BODY)
        _whole_parts(asked.body["contents"])
        _alternating(asked.body["contents"])
        if (config := asked.body.get("generationConfig") or {}) and _third(asked):
            _third_generation(config)
        if "thinkingLevel" in (config.get("thinkingConfig") or {}) and _of(asked, "gemini-2"):
            raise refuse(400, "Thinking level is not supported for this model.")
        if _third(asked):
            _signed(asked.body["contents"])

    @override
    def streams(self, asked: Asked) -> bool:
        return self.streamed

    @override
    def heard(self, asked: Asked) -> Heard:
        return heard(asked.body)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        if reply.blocked:
            return {**_blocked(), "usageMetadata": self.usage(asked, reply), **_closing(asked)}
        count = (asked.body.get("generationConfig") or {}).get("candidateCount", 1)
        parts = [*_texts(reply, whole=True), *_calls(reply)]
        if _third(asked) and parts and "text" in parts[-1]:
            parts[-1] = {**parts[-1], "thoughtSignature": reply.signature}
        made = [{**_candidate(parts, reply), "index": index, **self.logprobs(asked, reply)} for index in range(count)]
        counts = {"usageMetadata": self.usage(asked, reply)} if reply.usage else {}
        return {"candidates": made, **counts, **_closing(asked)}

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        answers = [encoded(answer) for answer in self.answers(asked, reply)]
        if asked.query.get("alt") == "sse":
            return [b"data: " + answer + b"\r\n\r\n" for answer in answers]
        between = [b"[", *[b",\r\n"] * (len(answers) - 1)]
        return [*(mark + answer for mark, answer in zip(between, answers, strict=True)), b"]"]

    def answers(self, asked: Asked, reply: Reply) -> Iterator[dict[str, Any]]:
        """Whole answers with a piece of text each; calls arrive whole, the finish with the last."""
        closing = _closing(asked)
        if reply.blocked:
            yield {**_blocked(), "usageMetadata": self.usage(asked, reply), **closing}
            return
        traffic = {"usageMetadata": {"trafficType": "ON_DEMAND"}}
        for part in [*_texts(reply, whole=False), *_calls(reply)]:
            yield {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}], **traffic, **closing}
        counts = {"usageMetadata": self.usage(asked, reply)} if reply.usage else {}
        signed = {"thoughtSignature": reply.signature} if _third(asked) and not reply.calls else {}
        yield {"candidates": [{**_candidate([{"text": "", **signed}], reply), "index": 0}], **counts, **closing}

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return google_error(error), {}

    @override
    def broken(self, error: Error) -> bytes:
        return b"data: " + encoded(google_error(error)) + b"\r\n\r\n"

    def usage(self, asked: Asked, reply: Reply) -> dict[str, Any]:
        prompt, completion, reasoning = counted(reply, self.heard(asked))
        named = {"promptTokenCount": prompt, "candidatesTokenCount": completion - reasoning}
        thought = {"thoughtsTokenCount": reasoning} if reasoning else {}
        cached = {"cachedContentTokenCount": reply.tokens.cached} if reply.tokens.cached else {}
        return {**named, **thought, **cached, "totalTokenCount": prompt + completion, "trafficType": "ON_DEMAND"}

    def logprobs(self, asked: Asked, reply: Reply) -> dict[str, Any]:
        config = asked.body.get("generationConfig") or {}
        if not config.get("responseLogprobs"):
            return {}
        chosen = [{"token": piece, "tokenId": at, "logProbability": -0.25} for at, piece in enumerate(_spoken(reply))]
        top = [{"candidates": [one][: config.get("logprobs", 0)]} for one in chosen]
        return {"avgLogprobs": -0.25, "logprobsResult": {"chosenCandidates": chosen, "topCandidates": top}}


def _whole_parts(contents: list[dict[str, Any]]) -> None:
    for content in contents:
        for part in content["parts"]:
            held = [name for name in DATA if name in part]
            if len(held) != 1 or part.get("text") == "":
                said = "Unable to submit request because it must have a text parameter or one data field in each part."
                raise refuse(400, said)


def _alternating(contents: list[dict[str, Any]]) -> None:
    """Calls are answered at once, all of them, and a call follows a user's turn."""
    if contents[0].get("role") == "model":
        raise refuse(400, "Please ensure that multiturn requests begin with a user turn.")
    empty: dict[str, Any] = {"role": "user", "parts": []}
    for before, after in pairwise([empty, *contents, empty]):
        calls = [part["functionCall"]["name"] for part in before["parts"] if "functionCall" in part]
        results = [part["functionResponse"]["name"] for part in after["parts"] if "functionResponse" in part]
        if calls != results:
            said = "Please ensure that the number of function response parts is equal to the number of function call "
            raise refuse(400, f"{said}parts of the function call turn. ({calls} != {results})")
        if before.get("role") == "model" == after.get("role"):
            raise refuse(400, "Please ensure that multiturn requests alternate between user and model.")


def _third(asked: Asked) -> bool:
    return _of(asked, "gemini-3")


def _of(asked: Asked, family: str) -> bool:
    return asked.parameters.get("model", "").startswith(family)


def _third_generation(config: Mapping[str, Any]) -> None:
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise refuse(400, "You can only set only one of thinking budget and thinking level.")
    if config.get("candidateCount", 1) != 1:
        raise refuse(400, "Multiple candidates is not enabled for this model.")


def _signed(contents: list[dict[str, Any]]) -> None:
    """In the current turn, each step's first call must bring its signature back."""
    starts = [at for at, content in enumerate(contents) if content.get("role", "user") == "user" and own(content)]
    for content in contents[starts[-1] if starts else 0 :]:
        calls = [part for part in content["parts"] if "functionCall" in part]
        signature = calls[0].get("thoughtSignature") if calls else SIGNATURE
        if signature is None:
            name = calls[0]["functionCall"]["name"]
            raise refuse(400, f"Function call `{name}` is missing a thought_signature in functionCall parts.")
        if signature not in {SIGNATURE, *STAND_INS, *map(_encoded, STAND_INS)}:
            raise _corrupted()
    texts = [part for content in contents for part in content["parts"] if "text" in part]
    if any(part.get("thoughtSignature", SIGNATURE) != SIGNATURE for part in texts):
        raise _corrupted()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _corrupted() -> Refused:
    return refuse(400, "Corrupted thought signature.")


def _spoken(reply: Reply) -> list[str]:
    return pieces(reply.text or reply.refusal)


def _texts(reply: Reply, *, whole: bool) -> Iterator[dict[str, Any]]:
    thoughts = [reply.reasoning] if whole and reply.reasoning else pieces(reply.reasoning)
    said = reply.text or reply.refusal
    yield from ({"text": piece, "thought": True} for piece in thoughts)
    yield from ({"text": piece} for piece in ([said] if whole and said else pieces(said)))


def _calls(reply: Reply) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(reply.calls):
        signature = call.signature or (reply.signature if index == 0 else None)
        yield {"functionCall": _call(call), **({"thoughtSignature": signature} if signature else {})}


def _call(call: Call) -> dict[str, Any]:
    return {"name": call.name, "args": dict(call.arguments), **({"id": call.id} if call.id else {})}


def _candidate(parts: list[dict[str, Any]], reply: Reply) -> dict[str, Any]:
    filtered = {"safetyRatings": SAFETY} if reply.ended == "content_filter" else {}
    content = {"role": "model", "parts": parts}
    return {"content": content, "finishReason": FINISHES.get(reply.ended, reply.ended), **filtered}


def _blocked() -> dict[str, Any]:
    return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "The prompt was blocked."}}


def _closing(asked: Asked) -> dict[str, Any]:
    model = asked.parameters.get("model", "tuned")
    return {"modelVersion": model, "responseId": "resp_of_the_fake", "createTime": "2026-11-21T12:00:00Z"}
