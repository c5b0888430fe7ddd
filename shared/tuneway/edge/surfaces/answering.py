"""Answer a question of any surface: find its route, go along it, tell the answer and what it took."""

from collections.abc import Callable

import msgspec
from starlette.responses import Response

from tuneway.access.keys import Grant
from tuneway.edge.replies import DONE, Ended, Lookout, Reply, StreamReply, Watch
from tuneway.edge.surfaces.directory import Directory, visible
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.visits import Visit
from tuneway.errors import BadInput, NotAuthenticated, NotFound
from tuneway.prediction.attempts import Attempts, Resolve
from tuneway.prediction.calls import Connection
from tuneway.prediction.chat import Question, left_out
from tuneway.prediction.closed import refuse_closed
from tuneway.prediction.journey import Journey
from tuneway.prediction.prices import Prices
from tuneway.prediction.prompting import Prompted, Put
from tuneway.prediction.withheld import Withheld, guarded, nothing_more
from tuneway.routing.routes import Route

UNWATCHED_SECONDS = 0.25
QuestionOf = Callable[[bytes, Journey, Connection], Question]
_PROMPTS = ("messages", "system", "prompt", "suffix", "input")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants, as far as the way there depends on it; ``operation`` as OpenTelemetry names it.

    ``last`` stands in the last event of a whole stream.
    ``check`` raises BadInput for a body that no target would take: told before a model that is not there.
    ``put`` puts a body into a prompt of the route's, on surfaces that have prompts.
    """

    operation: str
    model: str
    stream: bool = False
    body: bytes
    last: bytes = DONE
    check: Callable[[bytes], object] | None = None
    put: Put | None = None


class Answering:
    """The way of every question: whole or streamed, of whichever surface."""

    def __init__(
        self, via: Connection, directory: Directory, *, attempts: Attempts, prices: Prices, logs: Logs
    ) -> None:
        self._via = via
        self._directory = directory
        self._attempts = attempts
        self._prices = prices
        self._logs = logs
        self._lookout = Lookout(after=UNWATCHED_SECONDS)

    async def answered(self, visit: Visit, wish: Wish, question_of: QuestionOf) -> Response:
        """The answer, or a stream of them. Raises NotFound, BadInput, UpstreamError, ClientLeft."""
        if not wish.model:
            raise BadInput("Invalid 'model': expected the name of a model.", param="model", code="invalid_value")
        visit.model, visit.operation, visit.cost = wish.model, wish.operation, self._prices.cost
        route = visible(visit.snapshot, wish.model, admitted(visit)) or await self._found(visit, wish)
        if route.log_prompts:
            visit.prompt = _prompt(wish.body)
        refuse_closed(wish.body, self._via.closed)
        journey = Journey(route, stream=wish.stream, asleep=visit.snapshot.asleep)
        visit.sets_out(journey, wish.operation)
        question = guarded(self._question(wish, journey, question_of), journey)
        try:
            answer = await (
                self._streamed(visit, wish, journey=journey, question=question)
                if wish.stream
                else self._whole(visit, journey, question)
            )
        except Withheld as held:
            answer = self._told_after_all(visit, wish, journey=journey, held=held)
        if journey.target is not None:
            journey.dropped = left_out(wish.body, journey.target, journey.hints)
        return answer

    def _question(self, wish: Wish, journey: Journey, question_of: QuestionOf) -> Question:
        if not journey.route.prompts or wish.put is None:  # nearly every call
            return question_of(wish.body, journey, self._via)
        return Prompted(
            wish.body, journey=journey, put=wish.put, question_of=lambda body: question_of(body, journey, self._via)
        )

    async def _found(self, visit: Visit, wish: Wish) -> Route:
        try:
            return await self._directory.route(wish.model, visit.snapshot, admitted(visit))
        except NotFound:
            if wish.check is not None:
                wish.check(wish.body)
            raise

    async def _whole(self, visit: Visit, journey: Journey, question: Question) -> Response:
        with Watch(visit.receive, self._lookout):
            body = await self._attempts.answered(journey, question.whole, resolve=self._resolver(visit))
        return Reply(200, body)

    async def _streamed(self, visit: Visit, wish: Wish, *, journey: Journey, question: Question) -> Response:
        with Watch(visit.receive, self._lookout):
            first, events = await self._attempts.answered(journey, question.opened, resolve=self._resolver(visit))
        return StreamReply(first, events, ended=self._ended(visit), mark=wish.last)

    def _told_after_all(self, visit: Visit, wish: Wish, *, journey: Journey, held: Withheld) -> Response:
        """The answer that was withheld, since nobody gave a better one."""
        held.given_after_all(journey)
        if not wish.stream:
            return Reply(200, held.body)
        return StreamReply(held.body, nothing_more(), ended=self._ended(visit), mark=wish.last)

    def _ended(self, visit: Visit) -> Ended:
        return lambda status, fault: self._logs.write_soon(visit.line(status, fault))

    def _resolver(self, visit: Visit) -> Resolve:
        async def resolve(name: str) -> Route:
            return await self._directory.route(name, visit.snapshot, admitted(visit))

        return resolve


def admitted(visit: Visit) -> Grant:
    """Whom the door let in. Raises NotAuthenticated when it let nobody in."""
    if visit.grant is None:
        raise NotAuthenticated("No API key was looked at.")
    return visit.grant


def _prompt(body: bytes) -> object:
    """The words of a request, for a route that wants them in its log."""
    fields = msgspec.json.decode(body, type=dict[str, object])
    return {name: fields[name] for name in _PROMPTS if name in fields}
