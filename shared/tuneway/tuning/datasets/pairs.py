"""Rows of one prompt and its answer, in two spellings, and the way from any of them to chat rows."""

from collections.abc import Iterator

import msgspec

from tuneway.tuning.datasets.gemini import RowOut
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.report import Checked, Finding, Measure
from tuneway.tuning.datasets.tokens import utf8_length

ROLES = ("user", "assistant")


class PromptRow(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """``{"prompt": …, "completion": …}``."""

    prompt: str
    completion: str


class QuestionRow(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """``{"question": …, "answer": …}``, the form of GSM8K."""

    question: str
    answer: str


PairRow = PromptRow | QuestionRow


def sides(row: PairRow) -> tuple[str, str]:
    """What is asked and what is answered."""
    match row:
        case PromptRow(prompt=asked, completion=answered):
            return asked, answered
        case QuestionRow(question=asked, answer=answered):
            return asked, answered


def check(row: PairRow, limits: DatasetLimits) -> Checked:
    """What the row holds and every rule that it breaks."""
    del limits  # text alone: only the row's length counts, and that is judged for every form alike
    asked, answered = sides(row)
    characters, utf8 = len(asked) + len(answered), utf8_length(asked) + utf8_length(answered)
    return Checked(tuple(_blanks(row)), characters, utf8, 0, ROLES)


def measured(row: PairRow) -> Measure | None:
    """What the row holds, if it breaks no rule; None when it has to be looked at more closely."""
    asked, answered = sides(row)
    # Only what is blank has nothing left when it is stripped; the usual text is not even copied.
    if not asked.strip() or not answered.strip():
        return None
    return utf8_length(asked) + utf8_length(answered), len(asked) + len(answered), ROLES


def _blanks(row: PairRow) -> Iterator[Finding]:
    for name, text in zip(row.__struct_fields__, sides(row), strict=True):
        if not text or text.isspace():
            yield Finding("empty_content", f"$.{name}", "There is no text.")


def to_gemini(row: PairRow) -> RowOut:
    """The row in Gemini's words: a user turn and a model turn."""
    asked, answered = sides(row)
    return {
        "contents": [
            {"role": "user", "parts": [{"text": asked}]},
            {"role": "model", "parts": [{"text": answered}]},
        ]
    }


def to_chat(row: PairRow, *, system: str | None = None) -> bytes:
    """The row as a line of OpenAI chat, without its line feed."""
    asked, answered = sides(row)
    turns = [("system", system), ("user", asked), ("assistant", answered)]
    return msgspec.json.encode({"messages": [{"role": role, "content": text} for role, text in turns if text]})
