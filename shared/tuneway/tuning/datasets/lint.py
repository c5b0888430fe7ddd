"""Lint a dataset: one pass, row by row, in constant memory, writing the copy for Gemini on the way when asked."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from tuneway.tuning.datasets.faults import fault, shown
from tuneway.tuning.datasets.fingerprints import Fingerprints
from tuneway.tuning.datasets.forms import INSPECTORS, Inspect, form_of
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.report import Checked, DatasetReport, Finding, Form
from tuneway.tuning.datasets.tally import Tally
from tuneway.tuning.datasets.tokens import high, low, token_range

CHUNK = 1 << 20

Sink = Callable[[bytes], object]


@runtime_checkable
class Readable(Protocol):
    """An open binary file."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...


Source = Readable | Iterable[bytes]
"""An open binary file, or its bytes in chunks of any size."""


def lint(source: Source, *, limits: DatasetLimits, sink: Sink | None = None, keep: int = 20) -> DatasetReport:
    """What the dataset holds and every rule that it breaks.

    ``sink`` receives the copy for Gemini row by row; it is complete only when the report accepts the file, and not
    needed when the report says that it does not differ. The report holds the first ``keep`` errors and warnings.
    Beyond ``limits.bytes`` the file is hashed and counted, but its rows are not read.
    """
    reading = _Pass(limits, sink, keep)
    for chunk in chunks(source):
        reading.feed(chunk)
    return reading.report()


def chunks(source: Source) -> Iterator[bytes]:
    """The bytes of ``source`` piece by piece."""
    if not isinstance(source, Readable):
        yield from source
        return
    while chunk := source.read(CHUNK):
        yield chunk


class _Pass:
    """What is known of the dataset so far."""

    def __init__(self, limits: DatasetLimits, sink: Sink | None, keep: int) -> None:
        self._limits = limits
        self._sink = sink
        self._tally = Tally(keep)
        self._lines = LineDecoder(limits.line_bytes)
        self._seen = Fingerprints()
        self._hash = hashlib.sha256()
        self._form: Form | None = None
        self._inspect: Inspect = self._detect
        self._bytes = self._number = self._rows = self._media_rows = 0
        self._characters = self._utf8 = 0
        self._longest = (0, 0)
        self._cleaned = False
        self._end = b"\n"

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        room = self._limits.bytes - self._bytes
        self._hash.update(chunk)
        self._bytes += len(chunk)
        for line in self._lines.decode(chunk if room >= len(chunk) else chunk[: max(0, room)]):
            self._line(line)

    def report(self) -> DatasetReport:
        """The report, once everything was read."""
        if self._bytes > self._limits.bytes:
            self._note("too_many_bytes", f"The file has {self._bytes:,} bytes of {self._limits.bytes:,} allowed.")
        else:
            self._end = b""
            for line in self._lines.flush():
                self._line(line)
        self._judge_size()
        tally = self._tally
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
            differs=self._cleaned or self._form not in (None, Form.GEMINI),
            errors=tally.issues("error"),
            error_count=tally.count("error"),
            warnings=tally.issues("warning"),
            warning_count=tally.count("warning"),
            by_rule=tally.by_rule,
        )

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
            self._rows += 1
            said = f"The line has more than {self._limits.line_bytes:,} bytes."
            self._add(Finding("line_too_long", "$", said, shown(line.start)))
            return
        # The usual row needs no cleaning, and is the whole of a usual file.
        text = line if line[:1] == b"{" and line[-1:] == b"}" else self._clean(line)
        if text:
            self._rows += 1
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
        if self._rows > self._limits.rows:
            return
        try:
            checked, write = self._inspect(line, self._limits)
        except (ValueError, RecursionError) as error:
            self._add(self._reason(error, line))
            return
        if self._seen.seen(line):
            self._add(Finding("duplicate_row", "$", "The row is the same as an earlier one.", shown(line)))
        self._measure(checked)
        for finding in checked.findings:
            self._add(finding)
        if self._sink is not None and self._tally.clean:
            self._copy(line, write)

    def _measure(self, checked: Checked) -> None:
        self._characters += checked.characters
        self._utf8 += checked.utf8
        self._media_rows += checked.media > 0
        self._longest = max(self._longest, (checked.utf8, checked.characters))
        if checked.utf8 > self._limits.row_tokens:
            self._judge_length(checked)

    def _judge_length(self, checked: Checked) -> None:
        least, most, allowed = low(checked.characters), high(checked.utf8), self._limits.row_tokens
        if most > allowed:
            rule = "row_too_long" if least > allowed else "row_maybe_too_long"
            said = f"The row has an estimated {least:,} to {most:,} tokens of {allowed:,} allowed."
            self._add(Finding(rule, "$", said))

    def _copy(self, line: bytes, write: Callable[[], bytes]) -> None:
        try:
            row = write()
        except (ValueError, RecursionError) as error:
            self._add(fault(error, line))
        else:
            if self._sink is not None:
                self._sink(row + self._end)

    def _add(self, finding: Finding) -> None:
        self._tally.add(finding, self._number)

    def _detect(self, line: bytes, limits: DatasetLimits) -> tuple[Checked, Callable[[], bytes]]:
        """Take the form of the first row that tells one for the form of the file."""
        self._form = form_of(line)
        if self._form is None:
            raise _UnknownForm
        self._inspect = INSPECTORS[self._form]
        return self._inspect(line, limits)

    def _reason(self, error: Exception, line: bytes) -> Finding:
        if isinstance(error, _UnknownForm):
            return Finding("unknown_form", "$", "The row's keys tell no known form.", shown(line))
        form = _form_or_none(line)
        if form is None or form == self._form:
            return fault(error, line)
        said = f"The row has the form '{form}', the file began with '{self._form}'."
        return Finding("mixed_forms", "$", said, shown(line))


class _UnknownForm(ValueError):
    """The row is a JSON object of no known form."""


def _form_or_none(line: bytes) -> Form | None:
    try:
        return form_of(line)
    except (ValueError, RecursionError):
        return None
