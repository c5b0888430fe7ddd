"""The forms of rows as a table: how each is recognised, decoded, checked and written in a provider's words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from tuneway.tuning.datasets import (
    chat_check,
    chat_plain,
    chat_to_gemini,
    gemini_check,
    gemini_plain,
    gemini_to_chat,
    pairs,
    preferences,
    provider_rows,
    turns,
)
from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.gemini import GeminiRow, PreferenceRow
from tuneway.tuning.datasets.gemini_plain import PlainGemini
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.pairs import PairRow, PromptRow, QuestionRow
from tuneway.tuning.datasets.preferences import DpoRow, OpenAIPreference
from tuneway.tuning.datasets.report import Checked, Form
from tuneway.tuning.datasets.turns import Turn

R = TypeVar("R")

Target = Literal["gemini", "messages", "prompt_completion", "claude", "converse"]
"""The words in which a provider wants its rows, as the catalogue names them."""

_encode = msgspec.json.encode


class Read(Protocol):
    """A row that was read."""

    def written(self, target: Target) -> bytes:
        """The row in a provider's words; it must have passed the checks. Raises ValueError when it cannot be."""
        ...

    def turns(self) -> Sequence[Turn]:
        """Who says what in it."""
        ...


Inspect = Callable[[bytes, DatasetLimits], tuple[Checked, Read]]
"""A line to what it holds. Raises ValueError or RecursionError when it is no such row."""


class _Words(msgspec.Struct, Generic[R], frozen=True):
    """``writers`` say for each target what it gets of a row; None is the line as it is."""

    turns: Callable[[R], Sequence[Turn]]
    writers: Mapping[Target, Callable[[R], bytes] | None]


class _Held(msgspec.Struct, Generic[R], frozen=True, gc=False):
    row: R
    line: bytes
    words: _Words[R]

    def written(self, target: Target) -> bytes:
        write = self.words.writers[target]
        return self.line if write is None else write(self.row)

    def turns(self) -> Sequence[Turn]:
        return self.words.turns(self.row)


def _inspector(decode: Callable[[bytes], R], check: Callable[[R, DatasetLimits], Checked], words: _Words[R]) -> Inspect:
    def inspect(line: bytes, limits: DatasetLimits) -> tuple[Checked, Read]:
        row = decode(line)
        return check(row, limits), _Held(row, line, words)

    return inspect


def _chat_to_gemini(row: ChatRow | PlainRow) -> bytes:
    return chat_plain.gemini_line(row) if isinstance(row, PlainRow) else _encode(chat_to_gemini.to_gemini(row))


def _pair_to_gemini(row: PairRow) -> bytes:
    return _encode(pairs.to_gemini(row))


def _preference_to_gemini(row: OpenAIPreference | DpoRow) -> bytes:
    return _encode(preferences.to_gemini(row))


def _pair_to_prompt(row: PairRow) -> bytes:
    return _encode(PromptRow(*pairs.sides(row)))


def _through_chat(write: Callable[[ChatRow | PlainRow], bytes]) -> Callable[[GeminiRow | PlainGemini], bytes]:
    def through(row: GeminiRow | PlainGemini) -> bytes:
        full = gemini_plain.in_full(row) if isinstance(row, PlainGemini) else row
        return write(gemini_to_chat.to_chat(full, full.contents))

    return through


def _pair_through_chat(write: Callable[[ChatRow | PlainRow], bytes]) -> Callable[[PairRow], bytes]:
    return lambda row: write(chat_plain.decode(pairs.to_chat(row)))


# What each form can be written as. A way from a form to a target is one more entry.
CHAT = _Words[ChatRow | PlainRow](
    turns.of_chat,
    {
        "gemini": _chat_to_gemini,
        "messages": provider_rows.to_messages,
        "prompt_completion": provider_rows.to_prompt_completion,
        "claude": provider_rows.to_claude,
        "converse": provider_rows.to_converse,
    },
)
GEMINI = _Words[GeminiRow | PlainGemini](
    turns.of_gemini,
    {
        "gemini": None,
        "messages": _through_chat(provider_rows.to_messages),
        "prompt_completion": _through_chat(provider_rows.to_prompt_completion),
        "claude": _through_chat(provider_rows.to_claude),
        "converse": _through_chat(provider_rows.to_converse),
    },
)
GEMINI_PREFERENCE = _Words[PreferenceRow](turns.of_gemini_preference, {"gemini": None})
PREFERENCE = _Words[OpenAIPreference | DpoRow](turns.of_preference, {"gemini": _preference_to_gemini})
PAIR = _Words[PairRow](
    turns.of_pair,
    {
        "gemini": _pair_to_gemini,
        "messages": pairs.to_chat,
        "prompt_completion": _pair_to_prompt,
        "claude": _pair_through_chat(provider_rows.to_claude),
        "converse": _pair_through_chat(provider_rows.to_converse),
    },
)

_Preferences = _Words[OpenAIPreference | DpoRow]
_Pairs = _Words[PairRow]
INSPECTORS: dict[Form, Inspect] = {
    Form.OPENAI_CHAT: _inspector(chat_plain.decode, chat_check.check, CHAT),
    Form.GEMINI: _inspector(gemini_plain.decode, gemini_check.check, GEMINI),
    Form.PROMPT_COMPLETION: _inspector(msgspec.json.Decoder(PromptRow).decode, pairs.check, PAIR),
    Form.QUESTION_ANSWER: _inspector(msgspec.json.Decoder(QuestionRow).decode, pairs.check, PAIR),
    Form.OPENAI_PREFERENCE: _inspector(msgspec.json.Decoder(OpenAIPreference).decode, preferences.check, PREFERENCE),
    Form.GEMINI_PREFERENCE: _inspector(
        msgspec.json.Decoder(PreferenceRow).decode, gemini_check.check_preferences, GEMINI_PREFERENCE
    ),
    Form.DPO: _inspector(msgspec.json.Decoder(DpoRow).decode, preferences.check, PREFERENCE),
}
_WORDS: dict[
    Form, _Words[ChatRow | PlainRow] | _Words[GeminiRow | PlainGemini] | _Words[PreferenceRow] | _Preferences | _Pairs
] = {
    Form.OPENAI_CHAT: CHAT,
    Form.GEMINI: GEMINI,
    Form.PROMPT_COMPLETION: PAIR,
    Form.QUESTION_ANSWER: PAIR,
    Form.OPENAI_PREFERENCE: PREFERENCE,
    Form.GEMINI_PREFERENCE: GEMINI_PREFERENCE,
    Form.DPO: PREFERENCE,
}

OWN_WORDS: dict[Form, Target] = {
    Form.OPENAI_CHAT: "messages",
    Form.GEMINI: "gemini",
    Form.GEMINI_PREFERENCE: "gemini",
    Form.PROMPT_COMPLETION: "prompt_completion",
}


def targets_of(form: Form) -> frozenset[Target]:
    """The words that rows of this form can be written in."""
    return frozenset(_WORDS[form].writers)


def is_as_it_is(form: Form, target: Target) -> bool:
    """Whether the target takes rows of this form without a change."""
    return _WORDS[form].writers.get(target, len) is None


# The first of these keys that a row has tells its form.
MARKS: dict[str, Form] = {
    "messages": Form.OPENAI_CHAT,
    "completions": Form.GEMINI_PREFERENCE,
    "contents": Form.GEMINI,
    "preferred_output": Form.OPENAI_PREFERENCE,
    "non_preferred_output": Form.OPENAI_PREFERENCE,
    "chosen": Form.DPO,
    "rejected": Form.DPO,
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


def known_form(line: bytes) -> Form | None:
    """The form of a row, or None also when the line is no row at all."""
    try:
        return form_of(line)
    except (ValueError, RecursionError):
        return None
