"""Embeddings of an OpenAI-compatible server: the caller's own body, and its answer under the caller's model name.

Servers that send numbers where base64 was asked for, or the other way round, or no count, are set right.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from tuneway.prediction.dialects.openai import faults
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.surfaces.embeddings.answer import (
    Embedding,
    EmbeddingResponse,
    EmbeddingUsage,
    estimated,
    numbers,
    rendered,
)
from tuneway.prediction.surfaces.embeddings.request import EmbeddingRequest
from tuneway.prediction.upstream_errors import broken
from tuneway.routing.routes import Target


class _Item(msgspec.Struct, gc=False):
    embedding: list[float] | str
    index: int | None = None


class _Counted(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None


class _Response(msgspec.Struct, gc=False):
    data: list[_Item]
    usage: _Counted | None = None


def to_requests(body: bytes, target: Target) -> list[Raw]:
    """The one body, as the caller wrote it but for the name of the model. Raises BadInput."""
    return [Raw(passed_on(body, target, stream=False))]


def from_responses(bodies: Sequence[bytes], request: EmbeddingRequest) -> EmbeddingResponse:
    """The answer. Raises UpstreamError when the body is an error or holds no vectors."""
    (body,) = bodies
    try:
        answer = msgspec.json.decode(body, type=_Response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise faults.from_event(body) from None
    if not answer.data:
        raise broken("The model's host answered without a vector. Try again.")
    items = [_embedding(item, position, request) for position, item in enumerate(answer.data)]
    return EmbeddingResponse(
        data=sorted(items, key=lambda item: item.index), model=request.model, usage=_usage(answer, request)
    )


def _embedding(item: _Item, position: int, request: EmbeddingRequest) -> Embedding:
    index = position if item.index is None else item.index
    if isinstance(item.embedding, str) and request.encoding_format == "base64":
        return Embedding(index=index, embedding=item.embedding)
    vector = numbers(item.embedding) if isinstance(item.embedding, str) else item.embedding
    return Embedding(index=index, embedding=rendered(vector, request))


def _usage(answer: _Response, request: EmbeddingRequest) -> EmbeddingUsage:
    tokens = answer.usage.prompt_tokens if answer.usage else None
    return estimated(request) if tokens is None else EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens)
