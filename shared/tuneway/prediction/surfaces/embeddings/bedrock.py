"""Bedrock's embeddings: ``POST /model/{id}/invoke`` with Titan's body or Cohere's.

Titan takes one text a call, so several inputs are several calls. Cohere wants to know what the vectors are for; without
``task_type`` or ``input_type`` they are for documents to be searched. Neither cuts too long an input off, unless asked.
Sources: Bedrock's user guide, ``model-parameters-titan-embed-text`` and ``model-parameters-embed``.
"""

from collections.abc import Sequence
from typing import TypedDict, TypeVar

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

TITAN_UNSUPPORTED = ("task_type", "input_type", "title")
COHERE_UNSUPPORTED = ("title", "normalize")
FOR_DOCUMENTS = "search_document"


class TitanRequest(TypedDict, total=False):
    """Titan's body."""

    inputText: str
    dimensions: int
    normalize: bool


class CohereRequest(TypedDict, total=False):
    """Cohere's body."""

    texts: list[str]
    input_type: str
    truncate: str
    embedding_types: list[str]
    output_dimension: int


class _Titan(msgspec.Struct):
    embedding: list[float]
    token_count: int | None = msgspec.field(default=None, name="inputTextTokenCount")


class _Floats(msgspec.Struct):
    floats: list[list[float]] = msgspec.field(name="float")


class _Typed(msgspec.Struct):
    embeddings: _Floats


class _Untyped(msgspec.Struct):
    embeddings: list[list[float]]


def to_titan_requests(request: EmbeddingRequest, target: Target) -> list[TitanRequest]:
    """One body for each input. Raises BadInput naming what Titan cannot express."""
    kept = _sized(fitted(request, TITAN_UNSUPPORTED, target), target)
    if kept.truncate in {"START", "END"}:
        raise refused("truncate", request, f" as {kept.truncate}")
    options: TitanRequest = {}
    if kept.dimensions is not None:
        options["dimensions"] = kept.dimensions
    if kept.normalize is not None:
        options["normalize"] = kept.normalize
    return [{"inputText": text, **options} for text in texts_of(kept)]


def from_titan_responses(bodies: Sequence[bytes], request: EmbeddingRequest) -> EmbeddingResponse:
    """The answer of all calls together. Raises UpstreamError when a body is an error or holds no vector."""
    answers = [_parsed(body, _Titan) for body in bodies]
    counted = [answer.token_count for answer in answers if answer.token_count is not None]
    tokens = sum(counted) if len(counted) == len(answers) else None
    return told([answer.embedding for answer in answers], request, tokens)


def to_cohere_requests(request: EmbeddingRequest, target: Target) -> list[CohereRequest]:
    """The bodies, in order. Raises BadInput naming what Cohere's models cannot express."""
    kept = _sized(fitted(request, COHERE_UNSUPPORTED, target), target)
    limits = limits_of(target)
    options = _cohere_options(kept)
    return [
        {"texts": batch, **options}
        for batch in batches(texts_of(kept), most=limits.inputs, characters=limits.characters)
    ]


def from_cohere_responses(bodies: Sequence[bytes], request: EmbeddingRequest) -> EmbeddingResponse:
    """The answer of all calls together, its tokens estimated: Cohere's body has no count."""
    return told([vector for body in bodies for vector in _cohere_vectors(body)], request, None)


def _cohere_options(request: EmbeddingRequest) -> CohereRequest:
    task = task_of(request)
    purpose = FOR_DOCUMENTS if task is None else task[1]
    if not purpose:
        field = "input_type" if request.task_type is None else "task_type"
        raise refused(field, request, f" as {request.task_type or request.input_type}")
    options: CohereRequest = {
        "input_type": purpose,
        "truncate": request.truncate or "NONE",
        "embedding_types": ["float"],
    }
    if request.dimensions is not None:
        options["output_dimension"] = request.dimensions
    return options


def _cohere_vectors(body: bytes) -> list[list[float]]:
    """The vectors, whether told by type or, as older models do, bare."""
    try:
        return msgspec.json.decode(body, type=_Typed).embeddings.floats
    except msgspec.ValidationError:
        return _parsed(body, _Untyped).embeddings
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None


def _sized(request: EmbeddingRequest, target: Target) -> EmbeddingRequest:
    if request.dimensions is not None and not limits_of(target).dimensions:
        raise refused("dimensions", request)
    return request


_Answer = TypeVar("_Answer", _Titan, _Untyped)


def _parsed(body: bytes, kind: type[_Answer]) -> _Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None
