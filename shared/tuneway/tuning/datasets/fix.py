"""Write a corrected copy of a dataset: safe mends only, each one told with its line where there is one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.datasets.faults import fault, shown
from tuneway.tuning.datasets.fingerprints import Fingerprints
from tuneway.tuning.datasets.forms import INSPECTORS, form_of
from tuneway.tuning.datasets.ledger import Placed
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.mends import Change, Json, mended
from tuneway.tuning.datasets.report import Form, issue
from tuneway.tuning.datasets.rules import RULES
from tuneway.tuning.datasets.tokens import length_finding

_decode = msgspec.json.Decoder(Json).decode
_encode = msgspec.json.encode


class PlacedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change and the line of the file it was made on; None is the whole file."""

    line: int | None
    rule: str
    path: str
    before: str
    after: str = ""


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the file; ``changes`` are the first of all that ``by_rule`` counts.

    ``left`` rows still break a rule: no mend of theirs would be safe.
    """

    rows_read: int
    rows_written: int
    left: int
    changes: tuple[PlacedChange, ...] = ()
    by_rule: dict[str, int] = {}


class Fixer:
    """Goes through a dataset once; ``drop_bad`` leaves out rows that cannot be mended.

    ``faults`` gives what could not be read since it was last asked, and raises where the file breaks: rows that could
    not be read are bad ones, and what is no loss is told among the changes.
    """

    def __init__(
        self,
        sink: Callable[[bytes], object],
        *,
        limits: DatasetLimits,
        drop_bad: bool = False,
        keep: int = 20,
        line_of: Callable[[int], int] = lambda number: number,
        faults: Callable[[], Sequence[Placed]] = tuple,
    ) -> None:
        self._sink = sink
        self._limits = limits
        self._drop_bad = drop_bad
        self._keep = keep
        self._line_of = line_of
        self._faults = faults
        self._seen = Fingerprints()
        self._form: Form | None = None
        self._changes: list[PlacedChange] = []
        self._by_rule: Counter[str] = Counter()
        self._number = self._read = self._written = self._left = 0

    def fix(self, blocks: Iterable[bytes]) -> Fixed:
        """Write the corrected copy of this JSONL. Raises BadInput: what cannot be read may not be left out."""
        decoder = LineDecoder(self._limits.line_bytes)
        for block in blocks:
            for line in decoder.decode(block):
                self._line(line)
            self._take_faults()
        for line in decoder.flush():
            self._line(line)
        self._take_faults()
        return Fixed(
            rows_read=self._read,
            rows_written=self._written,
            left=self._left,
            changes=tuple(self._changes),
            by_rule=dict(self._by_rule),
        )

    def _take_faults(self) -> None:
        for finding, line in self._faults():
            stops = RULES[finding.rule].severity == "error"
            if stops and not self._drop_bad:
                said = f"No corrected copy was written: {issue(finding, line).text} --drop-bad leaves such rows out."
                raise BadInput(said, param="file", code=finding.rule)
            self._read += stops
            self._told(Change(rule=finding.rule, path="$", before=finding.excerpt or finding.message), line)

    def _line(self, line: Line) -> None:
        self._number += 1
        if isinstance(line, Overlong):
            # What was not read cannot be copied.
            self._read += 1
            self._note(Change(rule="line_too_long", path="$", before=shown(line.start)))
            return
        text = self._clean(line)
        if text:
            self._read += 1
            self._row(text)

    def _clean(self, line: bytes) -> bytes:
        text = line
        if self._number == 1 and text.startswith(BYTE_ORDER_MARK):
            text = text[len(BYTE_ORDER_MARK) :]
            self._note(Change(rule="byte_order_mark", path="$", before="U+FEFF"))
        if text.endswith(b"\r"):
            text = text[:-1]
            self._by_rule["carriage_return"] += 1
        if not text or text.isspace():
            self._note(Change(rule="blank_line", path="$", before=""))
            return b""
        return text

    def _row(self, line: bytes) -> None:
        row, changes = self._mended(line)
        error = self._error(row)
        if error and self._drop_bad:
            self._note(Change(rule=error, path="$", before=shown(line)))
            return
        if self._seen.seen(row):
            self._note(Change(rule="duplicate_row", path="$", before=shown(line)))
            return
        for change in changes:
            self._note(msgspec.structs.replace(change, path=f"$.{change.path}"))
        self._left += error is not None
        self._written += 1
        self._sink(row + b"\n")

    def _mended(self, line: bytes) -> tuple[bytes, list[Change]]:
        """The row, byte for byte the same where nothing had to be mended."""
        try:
            row, changes = mended(_decode(line))
            return (_encode(row), changes) if changes else (line, [])
        except (ValueError, RecursionError):
            return line, []

    def _error(self, row: bytes) -> str | None:
        """The first rule that the row breaks and that stops a file."""
        try:
            form = form_of(row)
            if form is None:
                return "unknown_form"
            self._form = self._form or form
            if form != self._form:
                return "mixed_forms"
            checked = INSPECTORS[form](row, self._limits)[0]
        except (ValueError, RecursionError) as broken:
            return fault(broken, row).rule
        too_long = length_finding(checked.characters, checked.utf8, self._limits.row_tokens)
        findings = (*checked.findings, too_long) if too_long else checked.findings
        return next((each.rule for each in findings if RULES[each.rule].severity == "error"), None)

    def _note(self, change: Change) -> None:
        self._told(change, self._line_of(self._number))

    def _told(self, change: Change, line: int | None) -> None:
        self._by_rule[change.rule] += 1
        if len(self._changes) < self._keep:
            self._changes.append(
                PlacedChange(line=line, rule=change.rule, path=change.path, before=change.before, after=change.after)
            )
