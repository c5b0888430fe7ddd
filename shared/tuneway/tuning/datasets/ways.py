"""The ways from a row's form to another one, as a table: what comes out, and what is lost on the way."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeVar

import msgspec

from tuneway.tuning.datasets import chat_to_pair, gemini_to_chat, pairs
from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_lines import chat_line, preference_line
from tuneway.tuning.datasets.forms import INSPECTORS
from tuneway.tuning.datasets.gemini import Content, GeminiRow, PreferenceRow
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.losses import Inexpressible, Lost, inexpressible
from tuneway.tuning.datasets.pairs import PromptRow, QuestionRow
from tuneway.tuning.datasets.preferences import AVOIDED, PREFERRED, DpoRow, preference
from tuneway.tuning.datasets.report import Form
from tuneway.tuning.datasets.rules import RULES

R = TypeVar("R")
Target = Literal["gemini", "openai", "prompt_completion", "csv"]

Written = tuple[bytes, Sequence[Lost]]
Way = Callable[[bytes], Written]
"""A row's line in, the row in the other form out. Raises Inexpressible, ValueError and RecursionError (no such row)."""

# What a lint finds in a row that it lets pass, or would, if nothing were lost.
_LOSSES = {
    "name_dropped": "name",
    "detail_dropped": "detail",
    "strict_dropped": "strict",
    "parallel_tool_calls_dropped": "parallel_tool_calls",
    "weight_zero": "weight",
}
_LIMITS = DatasetLimits()
_encode = msgspec.json.encode


def header(form: Form) -> bytes:
    """The first line of a table of such rows: of whole conversations the system message is a column, too."""
    return {
        Form.PROMPT_COMPLETION: b"prompt,completion\r\n",
        Form.QUESTION_ANSWER: b"question,answer\r\n",
    }.get(form, b"prompt,completion,system\r\n")


def _to_gemini(form: Form) -> Way:
    inspect = INSPECTORS[form]

    def way(line: bytes) -> Written:
        checked, row = inspect(line, _LIMITS)
        lost: list[Lost] = []
        for finding in checked.findings:
            if finding.rule in _LOSSES:
                lost.append(Lost(_LOSSES[finding.rule], finding.path))
            elif RULES[finding.rule].severity == "error":
                raise Inexpressible(finding)
        return row.written("gemini"), lost

    return way


def _way(kind: type[R], write: Callable[[R], bytes], losses: Callable[[R], Iterator[Lost]] = lambda _: iter(())) -> Way:
    decode = msgspec.json.Decoder(kind).decode

    def way(line: bytes) -> Written:
        row = decode(line)
        return write(row), tuple(losses(row))

    return way


def _gemini_to_openai(row: GeminiRow) -> bytes:
    return chat_line(gemini_to_chat.to_chat(row, row.contents))


def _dpo_to_openai(row: DpoRow) -> bytes:
    return preference_line(preference(row))


def _preference_to_openai(row: PreferenceRow) -> bytes:
    chosen, rejected = _ranked(row)
    asked = gemini_to_chat.to_chat(row, row.contents)
    answers = [gemini_to_chat.to_chat(row, [*row.contents, each]).messages[-1:] for each in (chosen, rejected)]
    made = preference(DpoRow(prompt=asked.messages, chosen=answers[0], rejected=answers[1]))
    return preference_line(msgspec.structs.replace(made, row=asked))


def _ranked(row: PreferenceRow) -> tuple[Content, Content]:
    match sorted(row.completions, key=lambda each: -each.score):
        case [best, worst] if best.score > worst.score:
            return best.completion, worst.completion
        case _:
            raise inexpressible("$.completions", "OpenAI takes two answers, one of them better than the other.")


def _preference_losses(row: PreferenceRow) -> Iterator[Lost]:
    yield from gemini_to_chat.losses(row)
    if {each.score for each in row.completions} != {PREFERRED, AVOIDED}:
        yield Lost("scores", "$.completions")


def _pair_to_prompt(row: QuestionRow) -> bytes:
    return _encode(PromptRow(*pairs.sides(row)))


def _chat_to_prompt(row: ChatRow) -> bytes:
    asked, answered, _ = chat_to_pair.to_pair(row)
    return _encode(PromptRow(asked, answered))


def _chat_to_cells(row: ChatRow) -> bytes:
    asked, answered, system = chat_to_pair.to_pair(row)
    return _cells(asked, answered, system or "")


def _pair_to_cells(row: PromptRow | QuestionRow) -> bytes:
    return _cells(*pairs.sides(row))


def _cells(*texts: str) -> bytes:
    """A row of RFC 4180: quoted where it has to be."""
    if not any(texts):
        raise inexpressible("$", "The row is empty, as a blank line is.")
    return ",".join(_quoted(text) for text in texts).encode() + b"\r\n"


def _quoted(text: str) -> str:
    # A blank at an edge is quoted as well: there are readers that would take it away.
    plain = text == text.strip() and not any(mark in text for mark in '",\r\n;\t|')
    return text if plain else '"' + text.replace('"', '""') + '"'


def _pair_losses(row: ChatRow) -> Iterator[Lost]:
    yield from chat_to_pair.losses(row)
    if chat_to_pair.to_pair(row)[2] is not None:
        yield Lost("system", "$.messages[0]")


def _gemini_as_chat(row: GeminiRow) -> ChatRow:
    return gemini_to_chat.to_chat(row, row.contents)


def _gemini_to_prompt(row: GeminiRow) -> bytes:
    return _chat_to_prompt(_gemini_as_chat(row))


def _gemini_to_cells(row: GeminiRow) -> bytes:
    return _chat_to_cells(_gemini_as_chat(row))


def _gemini_cell_losses(row: GeminiRow) -> Iterator[Lost]:
    yield from gemini_to_chat.losses(row)
    yield from chat_to_pair.losses(_gemini_as_chat(row))


def _gemini_pair_losses(row: GeminiRow) -> Iterator[Lost]:
    yield from gemini_to_chat.losses(row)
    yield from _pair_losses(_gemini_as_chat(row))


def _as_it_is(line: bytes) -> Written:
    return line, ()


WAYS: dict[Target, dict[Form, Way]] = {
    "gemini": {form: _to_gemini(form) for form in Form},
    "openai": {
        Form.OPENAI_CHAT: _as_it_is,
        Form.OPENAI_PREFERENCE: _as_it_is,
        Form.PROMPT_COMPLETION: _way(PromptRow, pairs.to_chat),
        Form.QUESTION_ANSWER: _way(QuestionRow, pairs.to_chat),
        Form.GEMINI: _way(GeminiRow, _gemini_to_openai, gemini_to_chat.losses),
        Form.DPO: _way(DpoRow, _dpo_to_openai),
        Form.GEMINI_PREFERENCE: _way(PreferenceRow, _preference_to_openai, _preference_losses),
    },
    "prompt_completion": {
        Form.PROMPT_COMPLETION: _as_it_is,
        Form.QUESTION_ANSWER: _way(QuestionRow, _pair_to_prompt),
        Form.OPENAI_CHAT: _way(ChatRow, _chat_to_prompt, _pair_losses),
        Form.GEMINI: _way(GeminiRow, _gemini_to_prompt, _gemini_pair_losses),
    },
    "csv": {
        Form.PROMPT_COMPLETION: _way(PromptRow, _pair_to_cells),
        Form.QUESTION_ANSWER: _way(QuestionRow, _pair_to_cells),
        Form.OPENAI_CHAT: _way(ChatRow, _chat_to_cells, chat_to_pair.losses),
        Form.GEMINI: _way(GeminiRow, _gemini_to_cells, _gemini_cell_losses),
    },
}
"""For each target the forms that have a way there."""
