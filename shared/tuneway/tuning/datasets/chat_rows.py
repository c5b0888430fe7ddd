"""Turn rows of prompt and completion, or of question and answer, into OpenAI chat rows."""

from collections.abc import Callable, Iterator

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.datasets.faults import fault, shown
from tuneway.tuning.datasets.forms import form_of
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.lint import Source, chunks
from tuneway.tuning.datasets.pairs import PairRow, PromptRow, QuestionRow, to_chat
from tuneway.tuning.datasets.report import Finding, Form, issue

READERS: dict[Form, Callable[[bytes], PairRow]] = {
    Form.PROMPT_COMPLETION: msgspec.json.Decoder(PromptRow).decode,
    Form.QUESTION_ANSWER: msgspec.json.Decoder(QuestionRow).decode,
}


def chat_rows(source: Source, *, system: str | None = None) -> Iterator[bytes]:
    """Lines of OpenAI chat, each with its line feed; ``system`` stands before every pair, chat rows stay as they are.

    Raises BadInput that names the line, the rule and the remedy.
    """
    decoder = LineDecoder(DatasetLimits().line_bytes)
    for number, line in enumerate(_lines(source, decoder), start=1):
        if isinstance(line, Overlong) or line.strip():
            yield _chat_row(line, number, system) + b"\n"


def _lines(source: Source, decoder: LineDecoder) -> Iterator[Line]:
    for chunk in chunks(source):
        yield from decoder.decode(chunk)
    yield from decoder.flush()


def _chat_row(line: Line, number: int, system: str | None) -> bytes:
    if isinstance(line, Overlong):
        raise _refused(Finding("line_too_long", "$", "The line is too long.", shown(line.start)), number)
    text = (line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line).strip()
    try:
        form = form_of(text)
        if form == Form.OPENAI_CHAT:
            return text
        if form is not None and form in READERS:
            return to_chat(READERS[form](text), system=system)
    except (ValueError, RecursionError) as error:
        raise _refused(fault(error, text), number) from error
    raise _refused(Finding("unknown_form", "$", "The row is neither a pair nor chat.", shown(text)), number)


def _refused(finding: Finding, number: int) -> BadInput:
    return BadInput(issue(finding, number).text, param="training_file", code=finding.rule)
