"""``/v1/embeddings``: vectors as OpenAI sends them, as numbers or as base64 of little-endian float32.

Shape: OpenAI's published OpenAPI document, ``CreateEmbeddingResponse``; base64 stands in the place of the numbers, as
OpenAI's SDKs ask for by default. ``usage.estimated`` is there, and true, where the host counted no tokens.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.surfaces.embeddings.request import EmbeddingRequest
from tuneway.prediction.upstream_errors import broken

CHARACTERS_A_TOKEN = 4
_FLOAT_BYTES = 4


class EmbeddingUsage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens read; ``estimated`` marks a guess."""

    prompt_tokens: int
    total_tokens: int
    estimated: Literal[True] | UnsetType = UNSET


class Embedding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One vector."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingResponse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole answer, in the order of the inputs."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


def told(vectors: Sequence[list[float]], request: EmbeddingRequest, tokens: int | None) -> EmbeddingResponse:
    """The answer; ``tokens`` as the host counted them, None where it did not. Raises UpstreamError on a wrong count."""
    expected = _count(request)
    if len(vectors) != expected:
        raise broken(f"The model's host sent {len(vectors)} vectors for {expected} inputs. Try again.")
    data = [Embedding(index=index, embedding=rendered(vector, request)) for index, vector in enumerate(vectors)]
    usage = estimated(request) if tokens is None else EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens)
    return EmbeddingResponse(data=data, model=request.model, usage=usage)


def rendered(vector: list[float], request: EmbeddingRequest) -> list[float] | str:
    """A vector in the format the caller asked for."""
    if request.encoding_format != "base64":
        return vector
    try:
        return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError as exc:
        raise broken("The model's host sent a vector whose numbers are out of range. Try again.") from exc


def numbers(text: str) -> list[float]:
    """The vector in a base64 text. Raises UpstreamError when it is none."""
    try:
        data = b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data))
    except (ValueError, struct.error) as exc:
        raise broken("The model's host sent a vector that cannot be read. Try again.") from exc


def estimated(request: EmbeddingRequest) -> EmbeddingUsage:
    """Tokens by the rule of thumb, marked as such; tokens that were sent are counted."""
    given = [request.input] if isinstance(request.input, str) else request.input
    tokens = sum(_tokens(one) for one in given)
    return EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens, estimated=True)


def _tokens(given: str | int | list[int]) -> int:
    match given:
        case str():
            return -(-len(given) // CHARACTERS_A_TOKEN)
        case int():
            return 1
        case _:
            return len(given)


def _count(request: EmbeddingRequest) -> int:
    """How many vectors are wanted: a bare list of tokens is one input."""
    return 1 if isinstance(request.input, str) or isinstance(request.input[0], int) else len(request.input)
