"""Gemini Embedding 2 and later on Vertex AI: ``…/publishers/google/models/{model}:embedContent``, one text a call.

What a vector is for, and a document's title, these models read in the text itself, so both are refused by name. Too
long an input is an error unless the request says ``truncate: "END"``. Source: ``EmbedContentRequest`` of
``google.cloud.aiplatform_v1beta1`` and Google's page on text embeddings.
"""

from collections.abc import Sequence
from typing import TypedDict

import msgspec

from tuneway.prediction.surfaces.embeddings.answer import EmbeddingResponse, told
from tuneway.prediction.surfaces.embeddings.request import EmbeddingRequest, fitted, refused, texts_of
from tuneway.prediction.upstream_errors import from_event
from tuneway.routing.routes import Target

UNSUPPORTED = ("normalize", "task_type", "input_type", "title")


class Part(TypedDict):
    """Words."""

    text: str


class Content(TypedDict):
    """What is embedded."""

    parts: list[Part]


class EmbedContentRequest(TypedDict, total=False):
    """The body."""

    content: Content
    outputDimensionality: int
    autoTruncate: bool


class _Vector(msgspec.Struct, frozen=True):
    values: list[float]


class _Counts(msgspec.Struct, frozen=True, rename="camel"):
    prompt_token_count: int | None = None


class _Response(msgspec.Struct, rename="camel"):
    embedding: _Vector
    usage_metadata: _Counts = _Counts()


def to_requests(request: EmbeddingRequest, target: Target) -> list[EmbedContentRequest]:
    """The bodies, in order. Raises BadInput naming what these models cannot express."""
    kept = fitted(request, UNSUPPORTED, target)
    if kept.truncate == "START":
        raise refused("truncate", kept, " as START")
    common: EmbedContentRequest = {"autoTruncate": kept.truncate == "END"}
    if kept.dimensions is not None:
        common["outputDimensionality"] = kept.dimensions
    return [{"content": {"parts": [{"text": text}]}, **common} for text in texts_of(kept)]


def from_responses(bodies: Sequence[bytes], request: EmbeddingRequest) -> EmbeddingResponse:
    """The answer of all calls together. Raises UpstreamError when a body is an error or holds no vector."""
    answers = [_parsed(body) for body in bodies]
    counts = [answer.usage_metadata.prompt_token_count for answer in answers]
    counted = [count for count in counts if count is not None]
    tokens = sum(counted) if len(counted) == len(counts) else None
    return told([answer.embedding.values for answer in answers], request, tokens)


def _parsed(body: bytes) -> _Response:
    try:
        return msgspec.json.decode(body, type=_Response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None
