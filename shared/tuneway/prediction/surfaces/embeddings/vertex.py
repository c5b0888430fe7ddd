"""Vertex AI's text embeddings: ``…/publishers/google/models/{model}:predict``.

Too long an input is an error, as at OpenAI, not cut off in silence (``autoTruncate: false``), unless the request says
``truncate: "END"``. Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api.
"""

from collections.abc import Sequence
from typing import TypedDict

import msgspec

from tuneway.prediction.surfaces.embeddings.answer import EmbeddingResponse, told
from tuneway.prediction.surfaces.embeddings.limits import limits_of
from tuneway.prediction.surfaces.embeddings.request import (
    EmbeddingRequest,
    batches,
    fitted,
    refused,
    task_of,
    texts_of,
)
from tuneway.prediction.upstream_errors import from_event
from tuneway.routing.routes import Target

UNSUPPORTED = ("normalize",)


class Instance(TypedDict, total=False):
    """One text."""

    content: str
    task_type: str
    title: str


class Parameters(TypedDict, total=False):
    """How to embed."""

    outputDimensionality: int
    autoTruncate: bool


class PredictRequest(TypedDict):
    """The body."""

    instances: list[Instance]
    parameters: Parameters


class _Statistics(msgspec.Struct, frozen=True):
    token_count: float | None = None


class _Vector(msgspec.Struct, frozen=True):
    values: list[float]
    statistics: _Statistics = _Statistics()


class _Prediction(msgspec.Struct):
    embeddings: _Vector


class _Response(msgspec.Struct):
    predictions: list[_Prediction]


def to_requests(request: EmbeddingRequest, target: Target) -> list[PredictRequest]:
    """The bodies, in order. Raises BadInput naming what these models cannot express."""
    kept = fitted(request, UNSUPPORTED, target)
    limits = limits_of(target)
    parameters = _parameters(kept)
    return [
        {"instances": [_instance(text, kept) for text in batch], "parameters": parameters}
        for batch in batches(texts_of(kept), most=limits.inputs, characters=limits.characters)
    ]


def from_responses(bodies: Sequence[bytes], request: EmbeddingRequest) -> EmbeddingResponse:
    """The answer of all calls together. Raises UpstreamError when a body is an error or holds no vectors."""
    vectors = [prediction.embeddings for body in bodies for prediction in _parsed(body).predictions]
    counts = [vector.statistics.token_count for vector in vectors]
    counted = [int(count) for count in counts if count is not None]
    tokens = sum(counted) if len(counted) == len(counts) else None
    return told([vector.values for vector in vectors], request, tokens)


def _parsed(body: bytes) -> _Response:
    try:
        return msgspec.json.decode(body, type=_Response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None


def _instance(text: str, request: EmbeddingRequest) -> Instance:
    instance: Instance = {"content": text}
    if task := task_of(request):
        instance["task_type"] = task[0]
    if request.title is not None:
        instance["title"] = request.title
    return instance


def _parameters(request: EmbeddingRequest) -> Parameters:
    if request.truncate == "START":
        raise refused("truncate", request, " as START")
    parameters: Parameters = {"autoTruncate": request.truncate == "END"}
    if request.dimensions is not None:
        parameters["outputDimensionality"] = request.dimensions
    return parameters
