"""The tokens of a prompt before it is sent, as Anthropic's clients ask for them, whichever model is named."""

from starlette.responses import Response

from tuneway.edge.surfaces.answering import Answering, Wish
from tuneway.edge.surfaces.messages import MESSAGES, REQUEST_ID
from tuneway.edge.visits import Visit, body_of
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import Question
from tuneway.prediction.journey import Journey
from tuneway.prediction.prompting import messages_prompted
from tuneway.prediction.surfaces.counts.question import CountQuestion
from tuneway.prediction.surfaces.counts.request import measured
from tuneway.prediction.surfaces.messages.headers import VERSION_HEADER, checked
from tuneway.prediction.surfaces.messages.passing import BETA_HEADER

COUNT_TOKENS = f"{MESSAGES}/count_tokens"
ESTIMATED: tuple[bytes, bytes] = (b"x-tuneway-estimated", b"input_tokens")


class CountTokens:
    """``POST /v1/messages/count_tokens``."""

    def __init__(self, answering: Answering, *, max_body: int) -> None:
        self._answering = answering
        self._max_body = max_body

    async def create(self, visit: Visit) -> Response:
        """The count; a header says when it is an estimate."""
        body = await body_of(visit, limit=self._max_body)
        sent = checked({name: visit.header(name.encode()) for name in (VERSION_HEADER, BETA_HEADER)})
        asked = measured(body, sent)
        questions: list[CountQuestion] = []

        def question(said: bytes, journey: Journey, via: Connection) -> Question:
            questions.append(CountQuestion(asked if said is body else measured(said, sent), via=via, journey=journey))
            return questions[-1]

        wish = Wish(operation="count_tokens", model=asked.model, body=body, put=messages_prompted)
        answer = await self._answering.answered(visit, wish, question)
        answer.raw_headers.append((REQUEST_ID.encode(), visit.id.encode()))
        if any(question.estimated for question in questions):
            answer.raw_headers.append(ESTIMATED)
        return answer
