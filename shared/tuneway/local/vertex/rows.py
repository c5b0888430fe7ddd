"""Training rows as Vertex AI takes them: Gemini's form for all, chat and prompt/completion rows for open models."""

from collections.abc import Callable
from typing import Literal

import msgspec

from tuneway.local.vertex.store import Example

KINDS = (
    "text",
    "inline_data",
    "file_data",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
)
CHOICES = 2  # a preference needs two to choose from


class BadRow(Exception):
    """A row breaks a rule; the message says which."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A piece of a turn: exactly one of its kinds is set."""

    text: str | None = None
    inline_data: dict[str, object] | None = None
    file_data: dict[str, object] | None = None
    function_call: dict[str, object] | None = None
    function_response: dict[str, object] | None = None
    executable_code: dict[str, object] | None = None
    code_execution_result: dict[str, object] | None = None


class Content(msgspec.Struct, frozen=True, rename="camel"):
    """One turn."""

    parts: list[Part]
    role: str = ""


class GeminiRow(msgspec.Struct, frozen=True, rename="camel"):
    """A row of supervised tuning data."""

    contents: list[Content]
    system_instruction: Content | None = None


class Completion(msgspec.Struct, frozen=True, rename="camel"):
    """A scored answer."""

    score: float
    completion: Content


class PreferenceRow(msgspec.Struct, frozen=True, rename="camel"):
    """A row of preference data."""

    contents: list[Content]
    completions: list[Completion]


class ChatPart(msgspec.Struct, frozen=True):
    """A piece of a chat message."""

    type: Literal["text", "image_url"]
    text: str = ""


class ChatTurn(msgspec.Struct, frozen=True, rename="camel"):
    """One message of a chat row."""

    role: Literal["system", "user", "assistant"]
    content: str | list[ChatPart]

    @property
    def parts(self) -> list[Part]:
        """What it says, as a turn's parts; pictures say nothing here."""
        if isinstance(self.content, str):
            return [Part(text=self.content)]
        return [Part(text="".join(part.text for part in self.content))]


class OpenRow(msgspec.Struct, frozen=True, rename="camel"):
    """A row for an open model: one of the three forms."""

    prompt: str | None = None
    completion: str | None = None
    messages: list[ChatTurn] | None = None
    contents: list[Content] | None = None


class Parsed(msgspec.Struct, frozen=True, rename="camel"):
    """What a row comes to: text read and written, user turns, and what is learned from it."""

    read: str
    written: str
    user_turns: int
    examples: tuple[Example, ...]


Parser = Callable[[bytes], Parsed]
_gemini = msgspec.json.Decoder(GeminiRow)
_preference = msgspec.json.Decoder(PreferenceRow)
_open = msgspec.json.Decoder(OpenRow)


def supervised(line: bytes) -> Parsed:
    """A Gemini row. Raises BadRow or msgspec.MsgspecError."""
    row = _gemini.decode(line)
    return _parsed(row.contents, row.system_instruction, answers={"model"})


def preference(line: bytes) -> Parsed:
    """A preference row; the best completion is what is learned. Raises as ``supervised``."""
    row = _preference.decode(line)
    if len(row.completions) < CHOICES:
        raise BadRow("completions must hold at least two scored answers")
    best = max(row.completions, key=lambda each: each.score).completion
    return _parsed([*row.contents, Content(best.parts, "model")], None, answers={"model"})


def prompts(line: bytes) -> Parsed:
    """A row that a teacher is to answer: its own answer, if it has one, is not learned. Raises as ``supervised``."""
    row = _open.decode(line)
    nothing = [Part(text="")]
    match row:
        case OpenRow(contents=list(contents)) if contents and contents[-1].role not in {"model", "assistant"}:
            row = msgspec.structs.replace(row, contents=[*contents, Content(nothing, "assistant")])
        case OpenRow(messages=list(messages)) if messages and messages[-1].role != "assistant":
            row = msgspec.structs.replace(row, messages=[*messages, ChatTurn("assistant", "")])
        case OpenRow(prompt=str()):
            row = msgspec.structs.replace(row, completion="")
        case _:
            pass
    return _of_open(row)


def open_model(line: bytes) -> Parsed:
    """A row for an open model. Raises as ``supervised``."""
    return _of_open(_open.decode(line))


def _of_open(row: OpenRow) -> Parsed:
    match row:
        case OpenRow(contents=list(contents)):
            return _parsed(contents, None, answers={"model", "assistant"})
        case OpenRow(messages=list(messages)):
            system = [Content(turn.parts) for turn in messages if turn.role == "system"]
            turns = [Content(turn.parts, turn.role) for turn in messages if turn.role != "system"]
            return _parsed(turns, system[0] if system else None, answers={"assistant"})
        case OpenRow(prompt=str(prompt), completion=str(completion)):
            turns = [Content([Part(text=prompt)], "user"), Content([Part(text=completion)], "assistant")]
            return _parsed(turns, None, answers={"assistant"})
        case _:
            raise BadRow("a row needs contents, messages, or prompt and completion")


def said(content: Content) -> str:
    """The text of a turn."""
    return "".join(part.text or "" for part in content.parts)


def _parsed(contents: list[Content], system: Content | None, *, answers: set[str]) -> Parsed:
    _check(contents, answers)
    told = [said(turn) for turn in contents if turn.role not in answers]
    written = [_answer_text(turn) for turn in contents if turn.role in answers]
    read = "\n".join([said(system), *told] if system else told)
    users = sum(turn.role == "user" for turn in contents)
    return Parsed(read, "\n".join(written), users, _examples(contents, answers))


def _check(contents: list[Content], answers: set[str]) -> None:
    if not contents:
        raise BadRow("contents must not be empty")
    for number, turn in enumerate(contents):
        if turn.role not in {"user", "function", *answers}:
            raise BadRow(f"contents[{number}].role must be 'user' or '{min(answers)}', not '{turn.role}'")
        if not turn.parts or any(sum(getattr(part, kind) is not None for kind in KINDS) != 1 for part in turn.parts):
            raise BadRow(f"contents[{number}].parts must hold parts with exactly one of {', '.join(KINDS)}")
    if contents[-1].role not in answers:
        raise BadRow(f"the last turn must be the answer, with the role '{min(answers)}'")
    if all(turn.role in answers for turn in contents):
        raise BadRow("there is no user turn")


def _examples(contents: list[Content], answers: set[str]) -> tuple[Example, ...]:
    found: list[Example] = []
    asked = ""
    for turn in contents:
        if turn.role in answers:
            found.append(Example(asked, msgspec.json.encode(turn.parts)))
        else:
            asked = said(turn) or asked
    return tuple(found)


def _answer_text(turn: Content) -> str:
    calls = [msgspec.json.encode(part.function_call).decode() for part in turn.parts if part.function_call]
    return said(turn) + "".join(calls)
