"""The forms of rows as a table: how each is recognised, decoded, checked and written for Gemini."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from tuneway.tuning.datasets import chat_check, chat_to_gemini, gemini_check, pairs
from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.gemini import GeminiRow, RowOut
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.pairs import PromptRow, QuestionRow
from tuneway.tuning.datasets.report import Checked, Form

R = TypeVar("R")
Inspect = Callable[[bytes, DatasetLimits], tuple[Checked, Callable[[], bytes]]]
"""A line to what it holds and how to write it. Raises ValueError or RecursionError when it is no such row."""

_encode = msgspec.json.encode


def _inspector(
    kind: type[R], check: Callable[[R, DatasetLimits], Checked], to_gemini: Callable[[R], RowOut] | None
) -> Inspect:
    decode = msgspec.json.Decoder(kind).decode

    def inspect(line: bytes, limits: DatasetLimits) -> tuple[Checked, Callable[[], bytes]]:
        row = decode(line)
        return check(row, limits), lambda: line if to_gemini is None else _encode(to_gemini(row))

    return inspect


INSPECTORS: dict[Form, Inspect] = {
    Form.OPENAI_CHAT: _inspector(ChatRow, chat_check.check, chat_to_gemini.to_gemini),
    Form.GEMINI: _inspector(GeminiRow, gemini_check.check, None),
    Form.PROMPT_COMPLETION: _inspector(PromptRow, pairs.check, pairs.to_gemini),
    Form.QUESTION_ANSWER: _inspector(QuestionRow, pairs.check, pairs.to_gemini),
}

MARKS: dict[str, Form] = {
    "messages": Form.OPENAI_CHAT,
    "contents": Form.GEMINI,
    "prompt": Form.PROMPT_COMPLETION,
    "completion": Form.PROMPT_COMPLETION,
    "question": Form.QUESTION_ANSWER,
    "answer": Form.QUESTION_ANSWER,
}

_keys: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def form_of(line: bytes) -> Form | None:
    """The form that the keys of a row tell, or None. Raises ValueError or RecursionError when it is no JSON object."""
    keys = _keys.decode(line)
    return next((form for mark, form in MARKS.items() if mark in keys), None)
