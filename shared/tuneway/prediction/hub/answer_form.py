"""The form of an answer, for hosts that keep to none by themselves: a tool that takes it, or a sentence that asks.

- A schema becomes a tool that must be used; its input is told to the caller as the answer's text.
- Any JSON object is asked for in words. Models that are asked so like to put it into a code fence, which is taken off:
  what ``json_object`` promises is an answer that is JSON.
"""

from typing import Literal

import msgspec

from tuneway.prediction.hub.answer import ChatCompletion, Choice, Chunk, ChunkChoice
from tuneway.prediction.hub.request import ChatRequest, JsonObjectFormat, JsonSchemaFormat

ANSWER_TOOL = "tuneway_json_answer"
ANSWER_TOOL_SAYS = "Gives the answer."
JSON_SENTENCE = "Answer with one JSON object and nothing else: no other words, no code fence."
_FENCE = "```"
_LONGEST_OPENING = 20  # ```json, and other languages' names


def answer_schema(request: ChatRequest) -> dict[str, object] | None:
    """The schema the answer must follow, if any."""
    match request.response_format:
        case JsonSchemaFormat(json_schema=wanted):
            return wanted.schema if wanted.schema is not None else {"type": "object"}
        case _:
            return None


def wants_object(request: ChatRequest) -> bool:
    """Whether any JSON object is wanted."""
    return isinstance(request.response_format, JsonObjectFormat)


def json_sentence(request: ChatRequest) -> str | None:
    """What to tell a model that is asked for any JSON object."""
    return JSON_SENTENCE if wants_object(request) else None


class Unfenced:
    """Text in, the same out without the fence around it; nothing waits that cannot be part of one."""

    def __init__(self) -> None:
        self._state: Literal["opening", "within", "plain"] = "opening"
        self._held = ""

    def decode(self, text: str) -> str:
        """What can be told by now."""
        held, self._held = self._held + text, ""
        match self._state:
            case "opening":
                return self._opened(held)
            case "within":
                return self._until_end(held)
            case "plain":
                return held

    def flush(self) -> str:
        """What is left, but the fence's end."""
        held, self._held = self._held, ""
        return "" if self._state == "within" and held.strip() in {"", _FENCE} else held

    def _opened(self, held: str) -> str:
        begun = held.lstrip()
        line, ended, rest = begun.partition("\n")
        if not (_FENCE.startswith(begun[:3]) and len(line) < _LONGEST_OPENING):
            self._state = "plain"
            return held
        if not (ended and line.startswith(_FENCE)):
            self._held = held
            return ""
        self._state = "within"
        return self._until_end(rest)

    def _until_end(self, held: str) -> str:
        place = _end_in(held)
        self._held = held[place:]
        return held[:place]


def _end_in(held: str) -> int:
    """Where what may be the end begins: blanks, a fence or as much of one as is there, blanks.

    Cut from behind: a pattern would look at a long run of blanks from each of its places, for minutes.
    """
    words = held.rstrip()
    fence = min(len(words) - len(words.rstrip("`")), len(_FENCE))
    return len(words[: len(words) - fence].rstrip())


def unfenced(completion: ChatCompletion) -> ChatCompletion:
    """The answer, each choice without a fence."""
    return msgspec.structs.replace(completion, choices=[_bare(choice) for choice in completion.choices])


class UnfencedChunks:
    """Chunks in, the same out without fences; what waited goes with the choice's finish."""

    def __init__(self) -> None:
        self._choices: dict[int, Unfenced] = {}

    def decode(self, chunk: Chunk) -> Chunk:
        """The chunk."""
        return msgspec.structs.replace(chunk, choices=[self._bare(choice) for choice in chunk.choices])

    def _bare(self, choice: ChunkChoice) -> ChunkChoice:
        words = self._choices.setdefault(choice.index, Unfenced())
        given = choice.delta.content
        text = words.decode(given) if isinstance(given, str) else ""
        if choice.finish_reason is not None:
            text += words.flush()
        content = text if text or isinstance(given, str) else given
        return msgspec.structs.replace(choice, delta=msgspec.structs.replace(choice.delta, content=content))


def _bare(choice: Choice) -> Choice:
    if choice.message.content is None:
        return choice
    words = Unfenced()
    text = words.decode(choice.message.content) + words.flush()
    return msgspec.structs.replace(choice, message=msgspec.structs.replace(choice.message, content=text))
