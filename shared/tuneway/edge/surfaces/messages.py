"""Messages, as Anthropic's clients know them: their own requests, events and errors, whichever model answers."""

import time

import msgspec
from starlette.responses import Response

from tuneway.edge.errors import Answer, rendered
from tuneway.edge.surfaces.answering import Answering, Wish
from tuneway.edge.visits import Visit, body_of
from tuneway.errors import TunewayError
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import Question
from tuneway.prediction.journey import Journey
from tuneway.prediction.prompting import messages_prompted
from tuneway.prediction.surfaces.messages.errors import encode_error
from tuneway.prediction.surfaces.messages.headers import VERSION_HEADER, checked
from tuneway.prediction.surfaces.messages.passing import BETA_HEADER
from tuneway.prediction.surfaces.messages.question import MessagesQuestion, Received
from tuneway.prediction.surfaces.messages.request import envelope_of

MESSAGES = "/v1/messages"
REQUEST_ID = "request-id"  # where Anthropic's clients look for it
LAST_EVENT = b"event: message_stop\n"


class Messages:
    """``POST /v1/messages``."""

    def __init__(self, answering: Answering, *, max_body: int) -> None:
        self._answering = answering
        self._max_body = max_body

    async def create(self, visit: Visit) -> Response:
        """The message, or its events."""
        body = await body_of(visit, limit=self._max_body)
        envelope = envelope_of(body)
        sent = checked({name: visit.header(name.encode()) for name in (VERSION_HEADER, BETA_HEADER)})
        received = Received(body=body, model=envelope.model, headers=sent, id=visit.id, created=int(time.time()))

        def question(asked: bytes, journey: Journey, via: Connection) -> Question:
            said = received if asked is body else msgspec.structs.replace(received, body=asked)
            return MessagesQuestion(said, via=via, journey=journey)

        stream = envelope.stream is True
        wish = Wish(
            operation="chat",
            model=envelope.model,
            stream=stream,
            body=body,
            last=LAST_EVENT,
            put=messages_prompted,
        )
        answer = await self._answering.answered(visit, wish, question)
        answer.raw_headers.append((REQUEST_ID.encode(), visit.id.encode()))
        return answer


def refusal(fault: TunewayError, request_id: str) -> Answer:
    """The answer for a fault, in Anthropic's shape."""
    plain = rendered(fault)
    return msgspec.structs.replace(
        plain,
        body=encode_error(fault, status=plain.status, request_id=request_id),
        headers={**plain.headers, REQUEST_ID: request_id},
    )
