"""Vertex AI: published models of every maker, and endpoints of every kind behind the same form of name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from tests.vendors.anthropic_messages import VERTEX_VERSIONS, Messages
from tests.vendors.counting import CountGemini, CountVertexClaude
from tests.vendors.fake import Asked, Delivery, Fake, Refused, Wire, answered, encoded, recorded, route
from tests.vendors.gemini import Generate, google_error, google_shaped, token_borne
from tests.vendors.listening import Heard
from tests.vendors.mistral import Mistral
from tests.vendors.openai_chat import Chat, shaped
from tests.vendors.script import Error, Reply
from tests.vendors.self_hosted import NAMELESS_CHAT, Vllm
from tests.vendors.shapes import MAP, many, record, refuse
from tests.vendors.vertex_embeddings import EmbedContent, TextEmbeddings

Kind = Literal["gemini", "vllm", "predict", "raw"]
PLACE = "/{version}/projects/{project}/locations/{location}"
PREDICT = record({"instances": many({})}, parameters=MAP)


@dataclass(frozen=True)
class Deployed:
    """What stands behind an endpoint: tuned Gemini, a vLLM container (answers chat/completions and predict), a plain
    container that answers ``predict``, or one that answers ``rawPredict`` alone."""

    kind: Kind
    dedicated: bool = False
    image: str = ""


class VertexClaude(Messages):
    """Claude behind rawPredict and streamRawPredict: the model in the path, the version in the body."""

    envelope = VERTEX_VERSIONS

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed

    @override
    def admitted(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)

    @override
    def version(self, asked: Asked) -> str:
        return str((asked.body or {}).get("anthropic_version"))

    @override
    def streams(self, asked: Asked) -> bool:
        if bool(asked.body.get("stream")) != self.streamed:
            raise refuse(400, "stream: does not agree with the method called")
        return self.streamed

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        by_google = error.status in {401, 403, 404} or (error.status == 429 and error.kind is None)
        return (google_error(error), {}) if by_google else super().failed(error)


class OpenApi(Chat):
    """``endpoints/openapi/chat/completions``: the model with its maker's name, errors as Google's in a list."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        shaped(asked, self.shape)
        if "/" not in asked.body["model"]:
            raise refuse(400, f"Malformed publisher model: {asked.body['model']}. Use publisher/model.")
        self.agrees(asked.body, fake)

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return [google_error(error)], {}


class Container(TextEmbeddings):
    """A custom container: ``predict`` answers each instance with what it says, ``rawPredict`` hands the body back."""

    def __init__(self, *, raw: bool) -> None:
        self.raw = raw

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        if not self.raw:
            google_shaped(asked.body, PREDICT)

    @override
    def heard(self, asked: Asked) -> Heard:
        return Heard(text=json.dumps(asked.body))

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        if self.raw:
            return {"echo": asked.body} if reply.text == self.heard(asked).text else {"predictions": [reply.text]}
        predictions = [_predicted(instance) for instance in asked.body["instances"]]
        told = reply.text != self.heard(asked).text
        named = {"deployedModelId": "1234567", "model": "projects/1/locations/us-central1/models/77"}
        return {"predictions": [reply.text] if told else predictions, **named, "modelVersionId": "1"}


class Served(Vllm):
    """The chat route of a vLLM container on an endpoint: the model's name may be left out or empty."""

    shape = NAMELESS_CHAT

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        shaped(asked, self.shape)

    @override
    def head(self, asked: Asked, kind: str) -> dict[str, Any]:
        return super().head(replace(asked, body={"model": "served", **asked.body}), kind)


def vertex_routes(fake: Fake) -> list[Route]:
    """Published models, the openapi endpoint, endpoints and what they are."""
    makers = f"{PLACE}/publishers"
    return [
        route(fake, f"{makers}/google/models/{{model}}:generateContent", Generate(streamed=False)),
        route(fake, f"{makers}/google/models/{{model}}:streamGenerateContent", Generate(streamed=True)),
        route(fake, f"{makers}/google/models/{{model}}:predict", TextEmbeddings()),
        route(fake, f"{makers}/google/models/{{model}}:embedContent", EmbedContent()),
        route(fake, f"{makers}/google/models/{{model}}:countTokens", CountGemini()),
        route(fake, f"{makers}/anthropic/models/count-tokens:rawPredict", CountVertexClaude()),
        route(fake, f"{makers}/anthropic/models/{{model}}:rawPredict", VertexClaude(streamed=False)),
        route(fake, f"{makers}/anthropic/models/{{model}}:streamRawPredict", VertexClaude(streamed=True)),
        route(fake, f"{makers}/mistralai/models/{{model}}:rawPredict", Mistral(streamed=False)),
        route(fake, f"{makers}/mistralai/models/{{model}}:streamRawPredict", Mistral(streamed=True)),
        route(fake, f"{PLACE}/endpoints/openapi/chat/completions", OpenApi()),
        _called(fake, f"{PLACE}/endpoints/{{endpoint}}/chat/completions", "chat"),
        _called(fake, f"{PLACE}/endpoints/{{endpoint}}:{{method}}", None),
        Route(f"{PLACE}/endpoints/{{endpoint}}", _described(fake, _endpoint), methods=["GET"]),
        Route(f"{PLACE}/models/{{model}}", _described(fake, _model), methods=["GET"]),
    ]


GENERATE: Mapping[str, Wire] = {
    "generateContent": Generate(streamed=False),
    "streamGenerateContent": Generate(streamed=True),
    "countTokens": CountGemini(),
}
RAW: Mapping[str, Wire] = {"rawPredict": Container(raw=True)}
SPOKEN: Mapping[Kind, Mapping[str, Wire]] = {
    "gemini": GENERATE,
    "vllm": {"chat": Served(), "predict": Container(raw=False), **RAW},
    "predict": {"predict": Container(raw=False), **RAW},
    "raw": RAW,
}


def _called(fake: Fake, path: str, method: str | None) -> Route:
    async def call(request: Request) -> Response:
        asked = await recorded(fake, request)
        try:
            wire = _speaker(asked, fake, method or asked.parameters["method"])
        except Refused as refused:
            parts = [encoded(google_error(refused.error))]
            return Delivery(asked, parts, status=refused.error.status)
        return answered(asked, fake, wire)

    return Route(path, call, methods=["POST"])


def _speaker(asked: Asked, fake: Fake, method: str) -> Wire:
    """What answers a method there. Raises Refused as the other kinds of endpoint refuse it."""
    token_borne(asked, fake)
    deployed = _deployed(asked, fake)
    if method in SPOKEN[deployed.kind]:
        return SPOKEN[deployed.kind][method]
    match deployed.kind, method:
        case "gemini", "chat":
            raise refuse(501, "Operation is not implemented, or supported, or enabled.")
        case "gemini", _:
            said = "Gemini cannot be accessed through Vertex Predict/RawPredict API."
            raise refuse(400, said, kind="FAILED_PRECONDITION")
        case _, "generateContent" | "streamGenerateContent":
            raise refuse(400, f"Endpoint {asked.parameters['endpoint']} does not serve a Gemini model.")
        case _, "chat":
            raise refuse(404, '{"detail":"Not Found"}')
        case _:
            raise refuse(501, "Operation is not implemented, or supported, or enabled.")


def _deployed(asked: Asked, fake: Fake) -> Deployed:
    found = fake.facts.get("endpoints", {}).get(asked.parameters["endpoint"])
    if not isinstance(found, Deployed):
        raise refuse(404, f"The Endpoint `{asked.parameters['endpoint']}` does not exist.")
    return found


def _described(fake: Fake, describe: Any) -> Any:
    async def get(request: Request) -> Response:
        asked = await recorded(fake, request)
        try:
            token_borne(asked, fake)
            return Delivery(asked, [encoded(describe(asked, fake))])
        except Refused as refused:
            return Delivery(asked, [encoded(google_error(refused.error))], status=refused.error.status)

    return get


def _endpoint(asked: Asked, fake: Fake) -> dict[str, Any]:
    """``endpoints.get``: a tuned Gemini's deployment has no machine."""
    deployed, at = _deployed(asked, fake), asked.parameters
    place = f"projects/{at['project']}/locations/{at['location']}"
    machine = {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
    owned = {} if deployed.kind == "gemini" else {"dedicatedResources": {"machineSpec": machine, "minReplicaCount": 1}}
    model = {"id": "1234567", "model": f"{place}/models/{at['endpoint']}@1", "displayName": "shop", **owned}
    host = f"{at['endpoint']}.{at['location']}-123.prediction.vertexai.goog"
    own = {"dedicatedEndpointEnabled": True, "dedicatedEndpointDns": host} if deployed.dedicated else {}
    name = f"{place}/endpoints/{at['endpoint']}"
    return {"name": name, "displayName": "shop", "deployedModels": [model], "trafficSplit": {"1234567": 100}, **own}


def _model(asked: Asked, fake: Fake) -> dict[str, Any]:
    """``models.get``: the model has its endpoint's id here."""
    at = asked.parameters
    number = at["model"].partition("@")[0]
    deployed = _deployed(replace(asked, parameters={**at, "endpoint": number}), fake)
    name = f"projects/{at['project']}/locations/{at['location']}/models/{number}"
    sources: Mapping[str, dict[str, Any]] = {
        "gemini": {
            "baseModelSource": {"genieSource": {"baseModelUri": "publishers/google/models/gemini-3.5-flash"}},
            "modelSourceInfo": {"sourceType": "GENIE"},
        },
        "vllm": {"containerSpec": _container(deployed.image or "vllm-dockers/pytorch-vllm-serve:1", "/generate")},
    }
    custom = {"containerSpec": _container(deployed.image or "europe-docker.pkg.dev/acme/models/shop:3", "/predict")}
    return {"name": name, "versionId": "1", "displayName": "shop", **sources.get(deployed.kind, custom)}


def _container(image: str, route_: str) -> dict[str, Any]:
    return {"imageUri": image, "predictRoute": route_, "healthRoute": "/health", "ports": [{"containerPort": 8080}]}


def _predicted(instance: Any) -> str:
    """What a container says to an instance: the prompt, or the last of its messages, back."""
    if not isinstance(instance, dict):
        return str(instance)
    messages = instance.get("messages") or [{"content": instance.get("prompt", json.dumps(instance))}]
    return str(messages[-1]["content"])
