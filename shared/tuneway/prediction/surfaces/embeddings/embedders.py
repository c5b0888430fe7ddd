"""Who embeds: the transforms of each host, by one table. A request is one call or several, the answer one.

``to_bodies`` gives the bodies of all calls, in order; ``from_responses`` takes their answers in the same order.
"""

from collections.abc import Callable, Sequence

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.profiles import profile_of
from tuneway.prediction.surfaces.embeddings import bedrock, embed_content, openai, vertex
from tuneway.prediction.surfaces.embeddings.answer import EmbeddingResponse
from tuneway.prediction.surfaces.embeddings.request import EmbeddingRequest
from tuneway.routing.routes import Target

_ENCODER = msgspec.json.Encoder()
_Told = Callable[[EmbeddingRequest, Target], Sequence[object]]


class Embedder(msgspec.Struct, frozen=True, kw_only=True):
    """A host's transforms."""

    to_requests: _Told | None
    from_responses: Callable[[Sequence[bytes], EmbeddingRequest], EmbeddingResponse]

    def to_bodies(self, request: EmbeddingRequest, body: bytes, target: Target) -> list[bytes]:
        """The bodies to send; ``body`` is the caller's own. Raises BadInput."""
        told = openai.to_requests(body, target) if self.to_requests is None else self.to_requests(request, target)
        return [_ENCODER.encode(one) for one in told]


VERTEX = Embedder(to_requests=vertex.to_requests, from_responses=vertex.from_responses)
CONTENT = Embedder(to_requests=embed_content.to_requests, from_responses=embed_content.from_responses)
OPENAI = Embedder(to_requests=None, from_responses=openai.from_responses)
TITAN = Embedder(to_requests=bedrock.to_titan_requests, from_responses=bedrock.from_titan_responses)
COHERE = Embedder(to_requests=bedrock.to_cohere_requests, from_responses=bedrock.from_cohere_responses)


def embedder_of(target: Target) -> Embedder:
    """The transforms for a target. Raises BadInput when its model is not known to embed."""
    match target.dialect:
        case "openai":
            return OPENAI
        case "gemini" if profile_of(target).embeds_content:
            return CONTENT
        case "gemini" if "embedding" in target.resource or "/endpoints/" in target.resource:
            return VERTEX
        case "instances":  # a tuned text embedding model has machines of its own, like any container
            return VERTEX
        case "bedrock" if "titan-embed" in target.model:
            return TITAN
        case "bedrock" if "cohere.embed" in target.model:
            return COHERE
        case _:
            raise BadInput(
                "This model cannot embed. Use a text embedding model, such as vertex_ai/text-embedding-005.",
                param="model",
                code="unsupported_model",
            )


def encode_embeddings(answer: EmbeddingResponse) -> bytes:
    """The answer's JSON."""
    return _ENCODER.encode(answer)
