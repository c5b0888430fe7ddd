"""Ask a target a few small questions, to see what it really can: answer, stream, call tools, keep to a schema, see.

Every question is one call of a few tokens within a time limit, made as a caller's own would be. The first is asked
alone; where it fails, the others would say the same.
"""

import asyncio
import re
import time
import zlib
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from struct import pack

import msgspec

from tuneway.errors import TunewayError, UpstreamError
from tuneway.prediction.calls import Connection, streams
from tuneway.prediction.chat import ChatQuestion
from tuneway.prediction.dialects.openai.passage import passage_of
from tuneway.prediction.hub.answer import Usage
from tuneway.prediction.journey import Journey
from tuneway.prediction.prices import Prices
from tuneway.routing.names import place
from tuneway.routing.probes import STARS, Finding, TargetProbe
from tuneway.routing.routes import Route, Target

SECONDS = 20.0  # for each question
WORDS, MORE_WORDS = 64, 512  # tokens: models that think need some for that before they call or write JSON
SIDE = 64  # pixels: some hosts refuse smaller pictures
_RED = re.compile(r"\bred\b", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
GOOD = Finding(works=True)
UNASKED = Finding(works=False, reason="Not asked, because the target does not answer.")
_CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_TOOL = {
    "type": "function",
    "function": {"name": "look_up_weather", "description": "The weather in a city.", "parameters": _CITY},
}
Clock = Callable[[], float]


class _Called(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _ToolCall(msgspec.Struct, frozen=True):
    function: _Called = _Called()


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    tool_calls: tuple[_ToolCall, ...] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message = _Message()
    finish_reason: str | None = None


class _Completion(msgspec.Struct, frozen=True):
    choices: tuple[_Choice, ...] = ()

    @property
    def message(self) -> _Message:
        """The only answer."""
        return self.choices[0].message if self.choices else _Message()

    @property
    def ended(self) -> str:
        """Why it ended, for people."""
        return f"it ended with '{self.choices[0].finish_reason}'" if self.choices else "it has no choice"


class _City(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    city: str


class Prober:
    """Asks one target after the other; ``seconds`` is what each question may take."""

    def __init__(
        self, via: Connection, prices: Prices, *, seconds: float = SECONDS, clock: Clock = time.perf_counter
    ) -> None:
        self._via = via
        self._prices = prices
        self._seconds = seconds
        self._clock = clock

    async def probed(self, target: Target) -> TargetProbe:
        """What the target can; never raises for what it or its host says."""
        asking = _Asking(target, self._via, seconds=self._seconds)
        began = self._clock()
        answers = await asking.found(lambda: _answers(asking))
        whole_ms = _ms(self._clock() - began)
        if not answers.works:
            stars: dict[str, Finding] = dict.fromkeys(map(str, STARS), UNASKED)
            return self._told(asking, answers=answers, stars=stars)
        first: list[float] = []
        rest = await asyncio.gather(
            asking.found(lambda: _streams(asking, self._clock, first)),
            asking.found(lambda: _calls_a_tool(asking)),
            asking.found(lambda: _keeps_to_a_schema(asking)),
            asking.found(lambda: _sees(asking)),
        )
        stars = dict(zip(map(str, STARS), (*rest, _counts(asking)), strict=True))
        first_ms = _ms(first[0]) if first else None
        return self._told(asking, answers=answers, stars=stars, first_chunk_ms=first_ms, whole_ms=whole_ms)

    def _told(
        self,
        asking: "_Asking",
        *,
        answers: Finding,
        stars: Mapping[str, Finding],
        first_chunk_ms: float | None = None,
        whole_ms: float | None = None,
    ) -> TargetProbe:
        target = asking.target
        costs = [self._prices.cost(usage, target) for usage in asking.counted]
        known = [cost for cost in costs if cost is not None]
        return TargetProbe(
            target=place(target),
            provider=target.provider,
            dialect=target.dialect,
            answers=answers,
            first_chunk_ms=first_chunk_ms,
            whole_ms=whole_ms,
            stars=dict(stars),
            tokens=sum(usage.total_tokens for usage in asking.counted),
            cost_usd=sum(known) if len(known) == len(costs) else None,
        )


class _Asking:
    """One target under questions, and the tokens of their answers."""

    def __init__(self, target: Target, via: Connection, *, seconds: float) -> None:
        self.target = target
        self._via = via
        self._seconds = seconds
        self._journeys: list[Journey] = []

    @property
    def counted(self) -> list[Usage]:
        """The tokens of every answer that told them."""
        return [journey.usage for journey in self._journeys if journey.usage is not None]

    async def found(self, look: Callable[[], Awaitable[Finding]]) -> Finding:
        """What a look came to; a fault and an end of patience are findings, too."""
        try:
            async with asyncio.timeout(self._seconds):
                return await look()
        except TunewayError as fault:
            status = fault.status if isinstance(fault, UpstreamError) else None
            return Finding(works=False, reason=fault.message, code=fault.code, status=status)
        except TimeoutError:
            said = f"There was no answer within {self._seconds:g} seconds."
            return Finding(works=False, reason=said, code="upstream_timeout", status=504)
        except msgspec.DecodeError as fault:
            return Finding(works=False, reason=f"The answer is none that OpenAI's clients can read: {fault}.")

    def question(self, content: object, *, stream: bool = False, words: int = WORDS, **more: object) -> ChatQuestion:
        """One question, as a caller's body."""
        fields = {"model": "probe", "messages": [{"role": "user", "content": content}], "max_tokens": words, **more}
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        body = msgspec.json.encode({**fields, **streamed})
        route = Route(alias="probe", targets=(self.target,), created_at=0.0)
        journey = Journey(route, stream=stream)
        journey.asks(self.target)
        self._journeys.append(journey)
        passage = passage_of(body, answer_id="chatcmpl-probe", created=int(time.time()))
        return ChatQuestion(passage, via=self._via, journey=journey)

    async def completion(self, question: ChatQuestion) -> _Completion:
        """The whole answer, read."""
        return msgspec.json.decode(await question.whole(self.target), type=_Completion)


async def _answers(asking: _Asking) -> Finding:
    answer = await asking.completion(asking.question("Answer with one short word."))
    return GOOD if answer.choices else Finding(works=False, reason=f"The answer is empty: {answer.ended}.")


async def _streams(asking: _Asking, clock: Clock, first: list[float]) -> Finding:
    if not streams(asking.target):
        return Finding(works=False, reason="Its host cannot stream: a stream is the whole answer in one chunk.")
    began = clock()
    head, events = await asking.question("Count from one to ten in words.", stream=True).opened(asking.target)
    first.append(clock() - began)
    async with aclosing(events):
        told = head + b"".join([event async for event in events])
    if b'"error"' in told and b"data: [DONE]" not in told:
        return Finding(works=False, reason="The stream broke before its end.")
    return GOOD if b'"delta"' in told else Finding(works=False, reason="The stream held no words.")


async def _calls_a_tool(asking: _Asking) -> Finding:
    question = asking.question("Look up the weather in Paris.", words=MORE_WORDS, tools=[_TOOL], tool_choice="auto")
    answer = await asking.completion(question)
    called = [call.function for call in answer.message.tool_calls or ()]
    if not called:
        return Finding(works=False, reason=f"It was given a tool to call and called none: {answer.ended}.")
    if called[0].name != "look_up_weather" or _city_in(called[0].arguments) is None:
        return Finding(works=False, reason="It called a tool otherwise than the tool's schema asks for.")
    return GOOD


async def _keeps_to_a_schema(asking: _Asking) -> Finding:
    form = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": _CITY}}
    question = asking.question("Which city is the capital of France?", words=MORE_WORDS, response_format=form)
    answer = await asking.completion(question)
    if _city_in(answer.message.content or "") is None:
        return Finding(works=False, reason=f"The answer does not keep to the JSON schema it was given: {answer.ended}.")
    return GOOD


async def _sees(asking: _Asking) -> Finding:
    content = [
        {"type": "text", "text": "Which colour has this picture? Answer with the colour's name in English."},
        {"type": "image_url", "image_url": {"url": picture()}},
    ]
    answer = await asking.completion(asking.question(content, words=MORE_WORDS))
    if _RED.search(answer.message.content or ""):
        return GOOD
    return Finding(works=False, reason=f"It took the picture, and did not say what is on it: {answer.ended}.")


def _counts(asking: _Asking) -> Finding:
    counted = asking.counted
    if any(usage.estimated is True for usage in counted) or not counted:
        return Finding(works=False, reason="Its host counts no tokens: they are estimated.")
    if any(usage.prompt_tokens == 0 or usage.completion_tokens == 0 for usage in counted):
        return Finding(works=False, reason="Its host counts no tokens for some of its answers.")
    return GOOD


def _city_in(text: str) -> str | None:
    try:
        return msgspec.json.decode(text, type=_City).city
    except msgspec.DecodeError:
        return None


def picture() -> str:
    """A red square as a PNG in a data URL, in about a hundred bytes."""
    rows = (b"\x00" + b"\xff\x00\x00" * SIDE) * SIDE
    head = pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    data = b64encode(_PNG + b"".join(chunks)).decode()
    return f"data:image/png;base64,{data}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
