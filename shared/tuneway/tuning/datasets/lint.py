"""Lint a dataset: one pass, row by row, in constant memory, writing the copy for the provider on the way when asked."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from tuneway.ports import Method
from tuneway.tuning.datasets.census import Census
from tuneway.tuning.datasets.faults import UnknownForm, fault, shown
from tuneway.tuning.datasets.fingerprints import Fingerprints
from tuneway.tuning.datasets.forms import (
    INSPECTORS,
    Inspect,
    Read,
    Target,
    form_of,
    is_as_it_is,
    known_form,
    targets_of,
)
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.losses import Inexpressible
from tuneway.tuning.datasets.purpose import Placing, Purpose
from tuneway.tuning.datasets.report import PREFERENCES, Checked, DatasetReport, Finding, Form, Truncation
from tuneway.tuning.datasets.search import sensitive_findings
from tuneway.tuning.datasets.suspects import Suspects
from tuneway.tuning.datasets.tally import Tally
from tuneway.tuning.datasets.tokens import high, low, token_range
from tuneway.tuning.datasets.turns import prompt

CHUNK = 1 << 17
"""Bytes read at once: so many stay in a core's own cache while they are hashed, searched and cut into lines."""

OPENED, CLOSED = b"{}"

Sink = Callable[[bytes], object]


@runtime_checkable
class Readable(Protocol):
    """An open binary file."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...


Source = Readable | Iterable[bytes]
"""An open binary file, or its bytes in chunks of any size."""


ANY = Purpose()


def lint(
    source: Source,
    *,
    limits: DatasetLimits,
    sink: Sink | None = None,
    keep: int = 20,
    purpose: Purpose = ANY,
    placing: Placing | None = None,
) -> DatasetReport:
    """What the dataset holds and every rule that it breaks.

    ``sink`` receives the copy for the provider row by row; it is complete only when the report accepts the file, and
    not needed when the report says that it does not differ. The report holds the first ``keep`` errors and warnings.
    Beyond ``limits.bytes`` the file is hashed and counted, but its rows are not read.
    """
    reading = _Pass(limits, sink, keep=keep, purpose=purpose, placing=placing)
    for chunk in chunks(source):
        reading.feed(chunk)
    return reading.report()


def chunks(source: Source) -> Iterator[bytes]:
    """The bytes of ``source`` piece by piece, none larger than ``CHUNK``."""
    blocks = iter(lambda: source.read(CHUNK), b"") if isinstance(source, Readable) else source
    for block in blocks:
        if len(block) <= CHUNK:
            yield block
        else:
            yield from (block[at : at + CHUNK] for at in range(0, len(block), CHUNK))


class _Pass:
    """What is known of the dataset so far."""

    def __init__(
        self, limits: DatasetLimits, sink: Sink | None, *, keep: int, purpose: Purpose, placing: Placing | None
    ) -> None:
        self._limits = limits
        self._sink = sink
        self._purpose = purpose
        self._placing = placing
        self._tally = Tally(keep)
        self._lines = LineDecoder(limits.line_bytes)
        self._suspects = Suspects()
        self._seen = purpose.learned.rows if purpose.learned else Fingerprints()
        self._known = self._seen.seen
        self._due = self._suspects.due
        self._compares = purpose.learned is not None or purpose.against is not None
        self._census = Census()
        self._count = self._census.add
        self._hash = hashlib.sha256()
        self._form: Form | None = None
        self._target: Target = purpose.target
        self._inspect: Inspect = self._detect
        self._bytes = self._end = self._number = self._rows = self._media_rows = 0
        self._characters = self._utf8 = 0
        self._longest = (0, 0)
        self._cleaned = False
        self._ending = b"\n"

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        room = self._limits.bytes - self._bytes
        self._hash.update(chunk)
        self._bytes += len(chunk)
        taken = chunk if room >= len(chunk) else chunk[: max(0, room)]
        self._suspects.feed(taken)
        for line in self._lines.decode(taken):
            self._line(line)
        self._take_faults()

    def report(self) -> DatasetReport:
        """The report, once everything was read."""
        self._finish()
        self._judge_size()
        tally, census = self._tally, self._census
        return DatasetReport(
            verdict="accepted" if tally.clean else "rejected",
            form=self._form,
            rows=self._rows,
            media_rows=self._media_rows,
            bytes=self._bytes,
            sha256=self._hash.hexdigest(),
            characters=self._characters,
            tokens=token_range(self._characters, self._utf8),
            longest_row=token_range(self._longest[1], self._longest[0]),
            differs=self._cleaned or (self._form is not None and not is_as_it_is(self._form, self._target)),
            errors=tally.issues("error"),
            error_count=tally.count("error"),
            warnings=tally.issues("warning"),
            warning_count=tally.count("warning"),
            by_rule=tally.by_rule,
            tokens_per_row=census.tokens,
            turns_per_row=census.turns,
            roles=census.roles,
            truncation=self._truncation(),
        )

    def _truncation(self) -> Truncation:
        counts = self._tally.by_rule
        certain, possible = counts.get("row_too_long", 0), counts.get("row_maybe_too_long", 0)
        return Truncation(limit=self._limits.row_tokens, certain=certain, possible=possible)

    def _finish(self) -> None:
        if self._bytes > self._limits.bytes:
            self._note("too_many_bytes", f"The file has {self._bytes:,} bytes of {self._limits.bytes:,} allowed.")
        else:
            self._ending = b""
            for line in self._lines.flush():
                self._line(line)
        self._take_faults()

    def _take_faults(self) -> None:
        for finding, line in self._placing.faults() if self._placing else ():
            self._tally.add(finding, line)

    def _judge_size(self) -> None:
        limits, rows, media_rows = self._limits, self._rows, self._media_rows
        if not rows and self._tally.clean:
            self._note("empty_dataset", "The file holds no rows.")
        if rows > limits.rows:
            self._note("too_many_rows", f"The file has {rows:,} rows of {limits.rows:,} allowed.")
        if media_rows > limits.media_rows:
            said = f"{media_rows:,} rows hold files; {limits.media_rows:,} are allowed."
            self._note("too_many_media_rows", said)
        if 0 < rows < limits.recommended_rows:
            self._note("short_dataset", f"Rows in the file: {rows:,}.")
        if self._seen.full:
            said = f"Duplicates were looked for among the first {self._seen.count:,} different rows only."
            self._note("duplicates_unchecked", said)

    def _note(self, rule: str, message: str) -> None:
        self._tally.add(Finding(rule, "$", message), None)

    def _line(self, line: Line) -> None:
        self._number += 1
        if isinstance(line, Overlong):
            self._end += line.size + 1
            self._rows += 1
            said = f"The line has more than {self._limits.line_bytes:,} bytes."
            self._add(Finding("line_too_long", "$", said, shown(line.start)))
            return
        self._end += len(line) + 1
        # The usual row needs no cleaning, and is the whole of a usual file.
        text = line if line and line[0] == OPENED and line[-1] == CLOSED else self._clean(line)
        if text:
            self._rows += 1
            if self._rows <= self._limits.rows:
                self._row(text)

    def _clean(self, line: bytes) -> bytes:
        text = line
        if self._number == 1 and text.startswith(BYTE_ORDER_MARK):
            self._add(Finding("byte_order_mark", "$", "The file begins with a byte order mark."))
            text = text[len(BYTE_ORDER_MARK) :]
        text = text[:-1] if text.endswith(b"\r") else text
        if not text or text.isspace():
            self._add(Finding("blank_line", "$", "The line is blank."))
            text = b""
        self._cleaned = self._cleaned or len(text) != len(line) or not text
        return text

    def _row(self, line: bytes) -> None:
        try:
            checked, row = self._inspect(line, self._limits)
        except (ValueError, RecursionError) as error:
            self._add(self._reason(error, line))
            return
        if self._known(line):
            self._add(Finding("duplicate_row", "$", "The row is the same as an earlier one.", shown(line)))
        self._measure(checked)
        for finding in checked.findings:
            self._add(finding)
        if self._due and (signs := self._suspects.within(self._end)):
            for finding in sensitive_findings(line, signs):
                self._add(finding)
        if self._compares:
            self._compare(line, row)
        if self._sink is not None and self._tally.clean:
            self._copy(line, row)

    def _compare(self, line: bytes, row: Read) -> None:
        asked = prompt(row.turns())
        if self._purpose.learned:
            self._purpose.learned.learn(asked)
        if self._purpose.against:
            for finding in self._purpose.against.findings(line, asked):
                self._add(finding)

    def _measure(self, checked: Checked) -> None:
        utf8 = checked.utf8
        self._characters += checked.characters
        self._utf8 += utf8
        self._count(utf8, checked.roles)
        if checked.media:
            self._media_rows += 1
        if utf8 >= self._longest[0]:
            self._longest = max(self._longest, (utf8, checked.characters))
        if utf8 > self._limits.row_tokens:
            self._judge_length(checked)

    def _judge_length(self, checked: Checked) -> None:
        least, most, allowed = low(checked.characters), high(checked.utf8), self._limits.row_tokens
        if most > allowed:
            rule = "row_too_long" if least > allowed else "row_maybe_too_long"
            said = f"The row has an estimated {least:,} to {most:,} tokens of {allowed:,} allowed."
            self._add(Finding(rule, "$", said))

    def _copy(self, line: bytes, row: Read) -> None:
        try:
            written = row.written(self._target)
        except Inexpressible as no:
            self._add(no.finding)
        except (ValueError, RecursionError) as error:
            self._add(fault(error, line))
        else:
            if self._sink is not None:
                self._sink(written + self._ending)

    def _add(self, finding: Finding) -> None:
        self._tally.add(finding, self._placing.line_of(self._number) if self._placing else self._number)

    def _detect(self, line: bytes, limits: DatasetLimits) -> tuple[Checked, Read]:
        """Take the form of the first row that tells one for the form of the file."""
        self._form = form_of(line)
        if self._form is None:
            raise UnknownForm
        self._inspect = INSPECTORS[self._form]
        self._target = self._purpose.target_of(self._form)
        self._judge_form(self._form)
        return self._inspect(line, limits)

    def _judge_form(self, form: Form) -> None:
        target, method = self._target, self._purpose.method
        if method is not None and (method is Method.PREFERENCE) is not (form in PREFERENCES):
            self._note("method_mismatch", f"The rows have the form '{form}', which is not for the method '{method}'.")
        elif target not in targets_of(form):
            self._note("not_convertible", f"Rows of the form '{form}' cannot be written as '{target}'.")

    def _reason(self, error: Exception, line: bytes) -> Finding:
        form = known_form(line)
        if isinstance(error, UnknownForm) or form is None or form == self._form:
            return fault(error, line)
        said = f"The row has the form '{form}', the file began with '{self._form}'."
        return Finding("mixed_forms", "$", said, shown(line))
