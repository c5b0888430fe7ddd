"""Embeddings, as OpenAI's clients know them."""

from starlette.responses import Response

from tuneway.edge.surfaces.answering import Answering, Wish
from tuneway.edge.visits import Visit, body_of
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import Question
from tuneway.prediction.dialects.openai.passage import asked_of
from tuneway.prediction.journey import Journey
from tuneway.prediction.surfaces.embeddings.question import EmbeddingQuestion
from tuneway.prediction.surfaces.embeddings.request import decode_embedding_request

EMBEDDINGS = "/v1/embeddings"


class Embeddings:
    """``POST /v1/embeddings``."""

    def __init__(self, answering: Answering, *, max_body: int) -> None:
        self._answering = answering
        self._max_body = max_body

    async def create(self, visit: Visit) -> Response:
        """The vectors."""
        body = await body_of(visit, limit=self._max_body)
        asked = asked_of(body)

        def question(_: bytes, journey: Journey, via: Connection) -> Question:
            return EmbeddingQuestion(body, via=via, journey=journey)

        wish = Wish(
            operation="embeddings",
            model=asked.model,
            stream=asked.stream is True,
            body=body,
            check=decode_embedding_request,
        )
        return await self._answering.answered(visit, wish, question)
