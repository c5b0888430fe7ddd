"""Instances → hub: a prediction as a completion; ``predictions.py`` holds the table of shapes.

Tokens are those the container counted. Where it counted none they are estimated, four characters a token, and the
usage says so (``"estimated": true``): a zero would be a lie, a guess that looks counted another.
"""

import msgspec

from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.instances.predictions import Answer, answers_in, is_object, shape_of, usage_in
from tuneway.prediction.dialects.instances.request import prompt_of
from tuneway.prediction.hub.answer import AnswerMessage, ChatCompletion, Choice, Exchange, Usage
from tuneway.prediction.upstream_errors import broken, from_event

CHARACTERS_A_TOKEN = 4


def from_response(body: bytes, exchange: Exchange) -> ChatCompletion:
    """The completion. Raises UpstreamError when the body is an error, no JSON, or of no known shape."""
    decoded, prompt = parse(body), prompt_of(exchange.request.messages)
    answers = answers_of(decoded, prompt)
    return ChatCompletion(
        id=exchange.id,
        created=exchange.created,
        model=exchange.request.model,
        choices=[_choice(index, answer) for index, answer in enumerate(answers)],
        usage=usage_in(decoded) or estimated(prompt, sum(len(answer.text) for answer in answers)),
    )


def parse(body: bytes) -> object:
    """The body decoded. Raises UpstreamError when it is no JSON or an error object."""
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise from_event(body) from None
    if is_object(decoded) and decoded.get("error"):
        raise from_event(body)
    return decoded


def answers_of(decoded: object, prompt: str | None) -> list[Answer]:
    """The answers, at least one. Raises UpstreamError, showing the shape, when there are none."""
    try:
        answers = answers_in(decoded, prompt=prompt)
    except RecursionError:
        raise unknown_shape(decoded) from None
    if not answers:
        raise unknown_shape(decoded)
    return answers


def unknown_shape(decoded: object) -> UpstreamError:
    """The 502 for a prediction no one can read."""
    return broken(
        f"The container's prediction has a shape that holds no text tuneway can find: {shape_of(decoded)}. "
        "Let it answer with strings, or objects with a 'content' or 'text'."
    )


def estimated(prompt: str | None, written: int) -> Usage:
    """Tokens by the rule of thumb, marked as such; ``written`` is in characters."""
    read = _tokens(len(prompt or ""))
    return Usage(
        prompt_tokens=read,
        completion_tokens=_tokens(written),
        total_tokens=read + _tokens(written),
        estimated=True,
    )


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_A_TOKEN)


def _choice(index: int, answer: Answer) -> Choice:
    return Choice(index=index, message=AnswerMessage(content=answer.text), finish_reason=answer.finish or "stop")
