"""Completions of a text, filling in the middle among them, as OpenAI's clients know them."""

import time

from starlette.responses import Response

from tuneway.edge.surfaces.answering import Answering, Wish
from tuneway.edge.visits import Visit, body_of
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import Question
from tuneway.prediction.dialects.openai.passage import asked_of
from tuneway.prediction.journey import Journey
from tuneway.prediction.prompting import completion_prompted
from tuneway.prediction.surfaces.completions.question import CompletionQuestion
from tuneway.prediction.surfaces.completions.request import decode_completion_request

COMPLETIONS = "/v1/completions"


class Completions:
    """``POST /v1/completions``."""

    def __init__(self, answering: Answering, *, max_body: int) -> None:
        self._answering = answering
        self._max_body = max_body

    async def create(self, visit: Visit) -> Response:
        """The answer, or a stream of them."""
        body = await body_of(visit, limit=self._max_body)
        asked = asked_of(body)
        answer_id, created = f"chatcmpl-{visit.id[4:]}", int(time.time())

        def question(said: bytes, journey: Journey, via: Connection) -> Question:
            return CompletionQuestion(said, id=answer_id, created=created, via=via, journey=journey)

        wish = Wish(
            operation="text_completion",
            model=asked.model,
            stream=asked.stream is True,
            body=body,
            check=decode_completion_request,
            put=completion_prompted,
        )
        return await self._answering.answered(visit, wish, question)
