"""Who says what in a row, and what of it the model learns: the same view of every form."""

from collections.abc import Iterator, Sequence

import msgspec

from tuneway.tuning.datasets import preferences
from tuneway.tuning.datasets.chat import AssistantMessage, ChatRow, ImagePart, Message
from tuneway.tuning.datasets.chat_check import role_of, texts_of
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.gemini import Content, GeminiRow, Part, PreferenceRow
from tuneway.tuning.datasets.gemini_plain import PlainGemini, in_full
from tuneway.tuning.datasets.pairs import PairRow, sides
from tuneway.tuning.datasets.preferences import DpoRow, OpenAIPreference

_encode = msgspec.json.encode


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn; ``loss`` is True when the model learns to say it. ``note`` tells what the text alone does not."""

    role: str
    text: str
    loss: bool
    note: str = ""


def of_chat(row: ChatRow | PlainRow) -> Sequence[Turn]:
    """Every assistant turn is learned, unless it has the weight 0."""
    if isinstance(row, PlainRow):
        kinds = ((str(each.__struct_config__.tag), each.content) for each in row.messages)
        return [Turn(role=role, text=text, loss=role == "assistant") for role, text in kinds]
    return [_of_message(message) for message in row.messages]


def _of_message(message: Message, *, note: str = "") -> Turn:
    files = [part.image_url.url for part in message.content or () if isinstance(part, ImagePart)]
    learned = isinstance(message, AssistantMessage) and message.weight != 0
    text = "\n".join([*texts_of(message), *files])
    return Turn(role=role_of(message), text=text, loss=learned, note=note)


def of_gemini(row: GeminiRow | PlainGemini) -> Sequence[Turn]:
    """Every model turn is learned."""
    if isinstance(row, PlainGemini):
        return of_gemini(in_full(row))
    return [*_instruction(row), *(_of_content(content, loss=content.role == "model") for content in row.contents)]


def _instruction(row: GeminiRow | PreferenceRow) -> Iterator[Turn]:
    if row.system_instruction is not None:
        yield msgspec.structs.replace(_of_content(row.system_instruction, loss=False), role="system")


def _of_content(content: Content, *, loss: bool, note: str = "") -> Turn:
    return Turn(role=content.role or "", text="\n".join(map(_of_part, content.parts)), loss=loss, note=note)


def _of_part(part: Part) -> str:
    held = (part.text, part.function_call, part.function_response, part.file_data and part.file_data.file_uri)
    found = next((each for each in held if each is not None), "")
    return found if isinstance(found, str) else _encode(found).decode()


def of_gemini_preference(row: PreferenceRow) -> Sequence[Turn]:
    """The completions alone are learned from, each by its score."""
    answers = (_of_content(each.completion, loss=True, note=f"score {each.score:g}") for each in row.completions)
    return [*_instruction(row), *(_of_content(content, loss=False) for content in row.contents), *answers]


def of_preference(row: OpenAIPreference | DpoRow) -> Sequence[Turn]:
    """The two answers alone are learned from: one to prefer, one to avoid."""
    found = preferences.preference(row)
    return [
        *(msgspec.structs.replace(_of_message(turn), loss=False) for turn in found.prompt.turns),
        *(_of_message(turn, note="preferred") for turn in found.chosen.turns),
        *(_of_message(turn, note="avoided") for turn in found.rejected.turns),
    ]


def of_pair(row: PairRow) -> Sequence[Turn]:
    """The answer is learned."""
    asked, answered = sides(row)
    return [Turn(role="user", text=asked, loss=False), Turn(role="assistant", text=answered, loss=True)]


def prompt(turns: Sequence[Turn]) -> str:
    """What stands before the last answer to learn."""
    last = max((index for index, turn in enumerate(turns) if not turn.loss), default=-1)
    return "\n".join(turn.text for turn in turns[: last + 1])
