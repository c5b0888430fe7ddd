"""``/v1/embeddings``, asked of any target: one call, or as many as its host wants for so many inputs."""

from functools import cached_property, partial

from tuneway.errors import BadInput
from tuneway.prediction.calls import Call, Connection, whole
from tuneway.prediction.events import Events
from tuneway.prediction.hub.answer import Usage
from tuneway.prediction.journey import Journey
from tuneway.prediction.side_calls import in_order
from tuneway.prediction.surfaces.embeddings.answer import EmbeddingUsage
from tuneway.prediction.surfaces.embeddings.embedders import embedder_of, encode_embeddings
from tuneway.prediction.surfaces.embeddings.request import EmbeddingRequest, decode_embedding_request
from tuneway.routing.routes import Target

CALLS_AT_ONCE = 16


class EmbeddingQuestion:
    """``prediction.chat.Question`` of ``/v1/embeddings``."""

    def __init__(self, body: bytes, *, via: Connection, journey: Journey) -> None:
        self._body = body
        self._via = via
        self._journey = journey

    @cached_property
    def request(self) -> EmbeddingRequest:
        """The request, read. Raises BadInput naming the field."""
        return decode_embedding_request(self._body)

    async def whole(self, target: Target) -> bytes:
        """The vectors, in the order of the inputs."""
        embedder = embedder_of(target)
        bodies = embedder.to_bodies(self.request, self._body, target)
        answer = embedder.from_responses(await self._answers(bodies, target), self.request)
        self._journey.usage = _counted(answer.usage)
        return encode_embeddings(answer)

    async def opened(self, target: Target) -> tuple[bytes, Events]:
        """Raises BadInput: vectors are not streamed, where there are any."""
        embedder_of(target)
        raise BadInput("Embeddings cannot be streamed. Leave 'stream' out.", param="stream", code="unsupported_value")

    async def _answers(self, bodies: list[bytes], target: Target) -> list[bytes]:
        """The time until all are there is theirs."""
        calls = [Call(target=target, operation="embeddings", body=body) for body in bodies]
        asked = [partial(whole, call, via=self._via, journey=self._journey.part()) for call in calls]
        self._journey.waits()
        try:
            return await in_order(asked, at_once=CALLS_AT_ONCE)
        finally:
            self._journey.goes_on()


def _counted(usage: EmbeddingUsage) -> Usage:
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=0,
        total_tokens=usage.total_tokens,
        estimated=usage.estimated,
    )
