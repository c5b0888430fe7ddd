"""What the model will train on: the first rows turn by turn, and as they are sent to the provider."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from tuneway.tuning.datasets.faults import UnknownForm, fault
from tuneway.tuning.datasets.forms import INSPECTORS, Read, Target, form_of, targets_of
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import Checked, DatasetIssue, Finding, Form, TokenRange, issue
from tuneway.tuning.datasets.sensitive import masked
from tuneway.tuning.datasets.tokens import token_range, utf8_length

MOST_TEXT = 2_000
MOST_CONVERTED = 20_000
DEEPEST = 100

_decode = msgspec.json.Decoder().decode


class SeenTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn as the model sees it; ``loss`` is True when it learns to say it. Secrets are masked, long texts cut."""

    role: str
    loss: bool
    text: str
    tokens: TokenRange
    note: str = ""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One row. ``converted`` is what the provider gets, None when it cannot be written or is too long to show."""

    line: int
    form: Form | None
    turns: tuple[SeenTurn, ...] = ()
    tokens: TokenRange | None = None
    converted: object = None
    issues: tuple[DatasetIssue, ...] = ()


def preview(
    blocks: Iterable[bytes],
    *,
    limits: DatasetLimits,
    purpose: Purpose,
    rows: int,
    line_of: Callable[[int], int] = lambda number: number,
) -> tuple[Example, ...]:
    """The first ``rows`` rows of JSONL, also those with errors. Reads no more of the file than it must."""
    examples = (
        _example(line, line_of(number), limits=limits, purpose=purpose)
        for number, line in enumerate(_lines(blocks, limits.line_bytes), start=1)
        if isinstance(line, Overlong) or line.removeprefix(BYTE_ORDER_MARK).strip()
    )
    return tuple(islice(examples, rows))


def _lines(blocks: Iterable[bytes], bound: int) -> Iterator[Line]:
    decoder = LineDecoder(bound)
    for block in blocks:
        yield from decoder.decode(block)
    yield from decoder.flush()


def _example(line: Line, number: int, *, limits: DatasetLimits, purpose: Purpose) -> Example:
    if isinstance(line, Overlong):
        said = f"The line has more than {limits.line_bytes:,} bytes."
        return Example(line=number, form=None, issues=(issue(Finding("line_too_long", "$", said), number),))
    text = line.removeprefix(BYTE_ORDER_MARK).strip()
    try:
        form = form_of(text)
        if form is None:
            raise UnknownForm
        checked, row = INSPECTORS[form](text, limits)
    except (ValueError, RecursionError) as error:
        return Example(line=number, form=None, issues=(issue(fault(error, text), number),))
    return _shown(form, checked, row, number=number, target=purpose.target_of(form))


def _shown(form: Form, checked: Checked, row: Read, *, number: int, target: Target) -> Example:
    issues = tuple(issue(finding, number) for finding in checked.findings)
    bad = any(each.severity == "error" for each in issues)
    return Example(
        line=number,
        form=form,
        turns=tuple(_seen(row)),
        tokens=token_range(checked.characters, checked.utf8),
        converted=None if bad or target not in targets_of(form) else _converted(row, target),
        issues=issues,
    )


def _seen(row: Read) -> Iterator[SeenTurn]:
    for turn in row.turns():
        text = masked(turn.text[:MOST_TEXT]) + ("…" if len(turn.text) > MOST_TEXT else "")
        tokens = token_range(len(turn.text), utf8_length(turn.text))
        yield SeenTurn(role=turn.role, loss=turn.loss, text=text, tokens=tokens, note=turn.note)


def _converted(row: Read, target: Target) -> object:
    try:
        written = row.written(target)
    except (ValueError, RecursionError):
        return None
    return None if len(written) > MOST_CONVERTED else _without_secrets(_decode(written), DEEPEST)


def _without_secrets(value: object, deep: int) -> object:
    match value:
        case str():
            return masked(value)
        case list() if deep:
            return [_without_secrets(item, deep - 1) for item in msgspec.convert(value, list[object])]
        case dict() if deep:
            fields = msgspec.convert(value, dict[str, object])
            return {key: _without_secrets(item, deep - 1) for key, item in fields.items()}
        case _:
            return value if deep else None
