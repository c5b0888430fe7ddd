"""The usual row, which breaks no rule: read, measured and written in as few steps as there can be.

Nearly every row of nearly every file is one. What may be another kind of row ends the run, and is left to the look
that tells every rule; so nothing is said of a row here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from tuneway.tuning.datasets import chat_plain, gemini_plain, pairs
from tuneway.tuning.datasets.chat_plain import PlainRow
from tuneway.tuning.datasets.forms import CHAT, GEMINI, PAIR, Target
from tuneway.tuning.datasets.gemini_plain import PlainGemini
from tuneway.tuning.datasets.lines import Line
from tuneway.tuning.datasets.pairs import PromptRow, QuestionRow
from tuneway.tuning.datasets.report import Form, Measure

R = TypeVar("R")

CLOSED = ord("}")


class Usual(msgspec.Struct, Generic[R], frozen=True):
    """How the usual rows of a form are read and measured; ``measured`` gives None for one that may break a rule."""

    decode: Callable[[bytes], R]
    measured: Callable[[R], Measure | None]
    writers: Mapping[Target, Callable[[R], bytes] | None]

    def run(
        self,
        lines: Iterable[Line],
        *,
        known: Callable[[bytes], bool],
        most: int,
        sink: Callable[[bytes], object] | None,
        target: Target,
    ) -> list[Measure]:
        """The first rows up to one that is not usual, ``known`` already or longer than ``most`` bytes of text.

        They are written to ``sink`` in the words of ``target``.
        """
        decode, measured = self.decode, self.measured
        found: list[Measure] = []
        for line in lines:
            if not isinstance(line, bytes):
                break
            try:
                row = decode(line)
                measure = measured(row)
                written = self._written(row, line, target) if sink and measure else b""
            except (ValueError, RecursionError):
                break
            # Behind the row there may be what is not taken over into a copy.
            if measure is None or measure[0] > most or line[-1] != CLOSED or known(line):
                break
            if sink:
                sink(written + b"\n")
            found.append(measure)
        return found

    def _written(self, row: R, line: bytes, target: Target) -> bytes:
        write = self.writers[target]
        return line if write is None else write(row)


AnyUsual = Usual[PlainRow] | Usual[PlainGemini] | Usual[PromptRow] | Usual[QuestionRow]
USUAL: dict[Form, AnyUsual] = {
    Form.OPENAI_CHAT: Usual(chat_plain.decode_plain, chat_plain.measured, CHAT.writers),
    Form.GEMINI: Usual(gemini_plain.decode_plain, gemini_plain.measured, GEMINI.writers),
    Form.PROMPT_COMPLETION: Usual(msgspec.json.Decoder(PromptRow).decode, pairs.measured, PAIR.writers),
    Form.QUESTION_ANSWER: Usual(msgspec.json.Decoder(QuestionRow).decode, pairs.measured, PAIR.writers),
}
"""Forms whose usual rows are known; rows of the others all get the close look."""
