"""Chat completions, as OpenAI's clients know them."""

import time

import msgspec
from starlette.responses import Response

from tuneway.edge.surfaces.answering import Answering, Wish
from tuneway.edge.visits import Visit, body_of
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import ChatQuestion, Question
from tuneway.prediction.dialects.openai.passage import passage_of
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.journey import Journey
from tuneway.prediction.prompting import chat_prompted

CHAT = "/v1/chat/completions"


class Chat:
    """``POST /v1/chat/completions``."""

    def __init__(self, answering: Answering, *, max_body: int) -> None:
        self._answering = answering
        self._max_body = max_body

    async def completions(self, visit: Visit) -> Response:
        """The answer, or a stream of them."""
        body = await body_of(visit, limit=self._max_body)
        passage = passage_of(body, answer_id=f"chatcmpl-{visit.id[4:]}", created=int(time.time()))

        def question(asked: bytes, journey: Journey, via: Connection) -> Question:
            said = passage if asked is body else msgspec.structs.replace(passage, body=asked)
            return ChatQuestion(said, via=via, journey=journey)

        wish = Wish(
            operation="chat",
            model=passage.model,
            stream=passage.stream,
            body=body,
            check=decode_chat_request,
            put=chat_prompted,
        )
        return await self._answering.answered(visit, wish, question)
