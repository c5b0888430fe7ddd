"""Lint a dataset: one pass, row by row, in constant memory, writing the copy for the provider on the way when asked."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Protocol, runtime_checkable

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
)
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lines import BYTE_ORDER_MARK, Line, LineDecoder, Overlong
from tuneway.tuning.datasets.losses import Inexpressible
from tuneway.tuning.datasets.purpose import Placing, Purpose
from tuneway.tuning.datasets.report import Checked, DatasetReport, Finding, Form, Measure, Truncation
from tuneway.tuning.datasets.search import sensitive_findings
from tuneway.tuning.datasets.suspects import Suspects
from tuneway.tuning.datasets.tally import Tally
from tuneway.tuning.datasets.tokens import length_finding, token_range
from tuneway.tuning.datasets.usual import CLOSED, USUAL, AnyUsual
from tuneway.tuning.datasets.whole_file import count_findings

CHUNK = 1 << 17
"""Bytes read at once: so many stay in a core's own cache while they are hashed, searched and cut into lines."""

OPENED = ord("{")

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
        self._census = Census()
        self._measures: list[Measure] = []
        self._hash = hashlib.sha256()
        self._form: Form | None = None
        self._target: Target = purpose.target
        self._inspect: Inspect = self._detect
        self._usual: AnyUsual | None = None
        self._bytes = self._end = self._number = self._rows = self._media_rows = 0
        self._cleaned = False
        self._ending = b"\n"

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        room = self._limits.bytes - self._bytes
        self._hash.update(chunk)
        self._bytes += len(chunk)
        taken = chunk if room >= len(chunk) else chunk[: max(0, room)]
        self._suspects.feed(taken)
        self._take(self._lines.decode(taken))
        self._take_faults()

    def report(self) -> DatasetReport:
        """The report, once everything was read."""
        self._finish()
        tally, census = self._tally, self._census
        return DatasetReport(
            verdict="accepted" if tally.clean else "rejected",
            form=self._form,
            rows=self._rows,
            media_rows=self._media_rows,
            bytes=self._bytes,
            sha256=self._hash.hexdigest(),
            characters=census.characters,
            tokens=token_range(census.characters, census.utf8),
            longest_row=token_range(census.longest[1], census.longest[0]),
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
        self._census.add(self._measures)
        clean = self._tally.clean
        for finding in count_findings(self._limits, rows=self._rows, media_rows=self._media_rows, clean=clean):
            self._tally.add(finding, None)
        if self._seen.full:
            said = f"Duplicates were looked for among the first {self._seen.count:,} different rows only."
            self._note("duplicates_unchecked", said)

    def _take_faults(self) -> None:
        for finding, line in self._placing.faults() if self._placing else ():
            self._tally.add(finding, line)

    def _note(self, rule: str, message: str) -> None:
        self._tally.add(Finding(rule, "$", message), None)

    def _take(self, lines: Sequence[Line]) -> None:
        """Take whole lines: usual rows by the run, the one behind a run by itself."""
        at, running = 0, True
        while at < len(lines):
            run = self._run(lines, at) if running else 0
            # Where one unusual row stands beside another, there are more of them.
            running = run > 0 or self._form is None
            at += run
            if at < len(lines):
                self._line(lines[at])
                at += 1
        self._census.add(self._measures)
        self._measures = []

    def _run(self, lines: Sequence[Line], at: int) -> int:
        """Take the usual rows from there on, and say how many they are."""
        if self._usual is None:
            return 0
        found = self._usual.run(
            islice(lines, at, self._closer(lines, at)),
            known=self._known,
            most=self._limits.row_tokens,
            sink=self._sink if self._tally.clean else None,
            target=self._target,
        )
        self._number += len(found)
        self._rows += len(found)
        self._end += sum(map(len, islice(lines, at, at + len(found)))) + len(found)
        self._measures += found
        return len(found)

    def _closer(self, lines: Sequence[Line], at: int) -> int:
        """Where the next line stands in which there is something to see, or that is too many."""
        last = min(len(lines), at + max(0, self._limits.rows - self._rows))
        if not self._due:
            return last
        place, ends = self._due[0][0], accumulate((len(line) + 1 for line in lines[at:last]), initial=self._end)
        return max(at, next((index for index, end in enumerate(ends, at - 1) if end > place), last))

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
        self._measures.append(checked.measure)
        self._media_rows += checked.media > 0
        for finding in self._findings(line, checked, row):
            self._add(finding)
        if self._sink is not None and self._tally.clean:
            self._copy(line, row)

    def _findings(self, line: bytes, checked: Checked, row: Read) -> Iterator[Finding]:
        if self._known(line):
            yield Finding("duplicate_row", "$", "The row is the same as an earlier one.", shown(line))
        if too_long := length_finding(checked.characters, checked.utf8, self._limits.row_tokens):
            yield too_long
        yield from checked.findings
        if self._due and (signs := self._suspects.within(self._end)):
            yield from sensitive_findings(line, signs)
        if self._purpose.compares:
            yield from self._purpose.leaks(line, row)

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
        self._usual = None if self._purpose.compares else USUAL.get(self._form)
        if refusal := self._purpose.refusal_of(self._form):
            self._tally.add(refusal, None)
        return self._inspect(line, limits)

    def _reason(self, error: Exception, line: bytes) -> Finding:
        form = known_form(line)
        if isinstance(error, UnknownForm) or form is None or form == self._form:
            return fault(error, line)
        said = f"The row has the form '{form}', the file began with '{self._form}'."
        return Finding("mixed_forms", "$", said, shown(line))
