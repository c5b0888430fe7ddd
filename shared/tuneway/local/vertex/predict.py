"""predict, rawPredict and streamRawPredict on endpoints that serve a custom container, which echoes.

One whose weights were made by a simulated job says what those have learned.
"""

from collections.abc import Sequence

import msgspec

from tuneway.local.vertex.answers import Speaker, recalled
from tuneway.local.vertex.call import Call, Cloud, Reply, Rule, Stream
from tuneway.local.vertex.completions import chat_answer, chat_stream
from tuneway.local.vertex.deployments import Serving, serving
from tuneway.local.vertex.narrow import items, mapping, text
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.refusals import Refusal, invalid


def container(cloud: Cloud, call: Call, verb: str) -> Serving:
    """The container on the endpoint. Raises Refusal: 404, or 400 for a tuned Gemini model."""
    found = serving(cloud, call.name("endpoints"))
    if not found.container:
        raise Refusal(
            "FAILED_PRECONDITION",
            f"Endpoint {found.endpoint} serves a tuned Gemini model and does not support {verb}; use generateContent.",
        )
    return found


def predict(cloud: Cloud, call: Call) -> Reply:
    """One prediction for each instance."""
    found = container(cloud, call, "predict")
    body = canonical("PredictRequest", call.json())
    instances = items(body.get("instances"))
    if not instances:
        raise invalid("instances", "At least one instance is required.")
    return Reply(
        {
            "predictions": _predictions(cloud, found, instances),
            "deployedModelId": found.deployed.id,
            "model": found.deployed.model,
            "modelDisplayName": found.display_name,
            "modelVersionId": found.deployed.version,
        }
    )


def raw_predict(cloud: Cloud, call: Call) -> Reply | Stream:
    """Whatever the container answers to the body as it is."""
    found = container(cloud, call, "rawPredict")
    headers = _headers(found)
    body = _plain(call)
    if body is None:
        return Reply(call.body, headers=headers)
    if "instances" in body:
        return Reply({"predictions": _predictions(cloud, found, items(body["instances"]))}, headers=headers)
    if "messages" in body:
        return chat_answer(cloud, found.display_name, body, words=_chatted(cloud, found, body), headers=headers)
    return Reply({"content": _said_to(cloud, found, body)}, headers=headers)


def stream_raw_predict(cloud: Cloud, call: Call) -> Reply | Stream:
    """The same in pieces: chat completions as events, anything else cut into its words."""
    found = container(cloud, call, "streamRawPredict")
    body = _plain(call)
    if body is not None and "messages" in body:
        words = _chatted(cloud, found, body)
        return chat_stream(cloud, found.display_name, body, words=words, headers=_headers(found))
    whole = raw_predict(cloud, call)
    if isinstance(whole, Stream):
        return whole
    encoded = whole.body if isinstance(whole.body, bytes) else msgspec.json.encode(whole.body)
    cut = [piece + b" " for piece in encoded.split(b" ")]
    return Stream([*cut[:-1], cut[-1][:-1]], "application/json", whole.headers)


def chat(cloud: Cloud, call: Call) -> Reply | Stream:
    """chat/completions of an OpenAI-compatible container."""
    found = container(cloud, call, "chat/completions")
    body = call.json()
    words = _chatted(cloud, found, body)
    return chat_answer(cloud, found.display_name, body, words=words, headers=_headers(found))


def _plain(call: Call) -> dict[str, object] | None:
    """The body as a JSON object; rawPredict takes anything, so one that is none is no error."""
    try:
        return call.json()
    except Refusal:
        return None


def _headers(found: Serving) -> dict[str, str]:
    endpoint = found.endpoint.rpartition("/")[2]
    return {"X-Vertex-AI-Endpoint-Id": endpoint, "X-Vertex-AI-Deployed-Model-Id": found.deployed.id}


def _predictions(cloud: Cloud, found: Serving, instances: Sequence[object]) -> list[dict[str, object]]:
    return [{"content": _said_to(cloud, found, instance)} for instance in instances]


def _said_to(cloud: Cloud, found: Serving, instance: object) -> str:
    asked = _words(instance)
    echo = f"This is a simulated prediction. The container was sent: {asked}"
    return _learned(cloud, found, asked) or echo


def _chatted(cloud: Cloud, found: Serving, body: dict[str, object]) -> str:
    asked = _words(body)
    return _learned(cloud, found, asked) or asked


def _learned(cloud: Cloud, found: Serving, asked: str) -> str | None:
    """What the container's weights learned to say, when a simulated job made them."""
    return recalled(Speaker(found.version.name, cloud.store, found.version.sources), asked)


def _words(instance: object) -> str:
    """The text in an instance: its prompt, its last message, or all of it."""
    if isinstance(instance, str):
        return instance
    fields = mapping(instance)
    messages = items(fields.get("messages"))
    if messages:
        return _said(mapping(messages[-1]).get("content"))
    named = (text(fields.get(name)) for name in ("prompt", "inputs", "content", "text", "input"))
    return next(filter(None, named), msgspec.json.encode(instance).decode())


def _said(content: object) -> str:
    """A message's text, written as one or in parts."""
    return text(content) or "".join(text(mapping(part).get("text")) for part in items(content))


_ENDPOINT = "projects/{project}/locations/{location}/endpoints/{id}"
RULES = (
    Rule("POST", _ENDPOINT + ":predict", predict),
    Rule("POST", _ENDPOINT + ":rawPredict", raw_predict),
    Rule("POST", _ENDPOINT + ":streamRawPredict", stream_raw_predict),
    Rule("POST", _ENDPOINT + "/chat/completions", chat),
)
