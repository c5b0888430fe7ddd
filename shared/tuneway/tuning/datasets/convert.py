"""Convert a dataset row by row into another form, and refuse by name whatever would be lost."""

from collections import Counter
from collections.abc import Collection, Iterator

from tuneway.tuning.datasets.faults import fault, shown
from tuneway.tuning.datasets.forms import form_of
from tuneway.tuning.datasets.losses import NAMES, Inexpressible, Lost, inexpressible
from tuneway.tuning.datasets.reading import Reading
from tuneway.tuning.datasets.report import Finding, Form
from tuneway.tuning.datasets.row_lines import RowLines
from tuneway.tuning.datasets.ways import WAYS, Target, Way, header


class Conversion:
    """A dataset on its way into another form.

    ``drop`` are the names (of ``losses.NAMES``) that may be lost. ``rows`` and ``lost`` count what went through
    ``blocks`` so far.
    """

    def __init__(self, source: Reading, target: Target, *, drop: Collection[str] = ()) -> None:
        """Raises BadInput: a name in ``drop`` is not known."""
        self._lines = RowLines(source, drop=drop)
        self._target: Target = target
        self._form: Form | None = None
        self._way: Way | None = None
        self.rows = 0

    @property
    def lost(self) -> Counter[str]:
        """How often each name was lost."""
        return self._lines.lost

    def blocks(self) -> Iterator[bytes]:
        """The file in the other form. Raises BadInput that names line, place, rule and remedy: nothing is kept then."""
        for rows in self._lines.blocks():
            yield b"".join(self._row(line, number) for number, line in rows)

    def _row(self, line: bytes, number: int) -> bytes:
        try:
            if self._way is None:
                return self._begun(line) + self._written(line, number)
            return self._written(line, number)
        except Inexpressible as error:
            raise self._lines.refused(error.finding, number) from error
        except (ValueError, RecursionError) as error:
            raise self._lines.refused(self._reason(error, line), number) from error

    def _begun(self, line: bytes) -> bytes:
        """Take the form of the first row for that of all; a table begins with its header."""
        form = form_of(line)
        if form is None:
            raise Inexpressible(Finding("unknown_form", "$", "The row's keys tell no known form.", shown(line)))
        self._form, self._way = form, WAYS[self._target].get(form)
        return header(form) if self._target == "csv" else b""

    def _written(self, line: bytes, number: int) -> bytes:
        if self._way is None:
            raise inexpressible("$", f"Rows of the form '{self._form}' cannot become {self._target}.")
        made, lost = self._way(line)
        for each in lost:
            self._lose(each, number)
        self.rows += 1
        return made if self._target == "csv" else made + b"\n"

    def _lose(self, lost: Lost, number: int) -> None:
        if lost.name not in self._lines.drop:
            said = f"The row would lose {NAMES[lost.name]}: allow it as '{lost.name}'."
            raise self._lines.refused(Finding("would_be_lost", lost.path, said), number)
        self.lost[lost.name] += 1

    def _reason(self, error: Exception, line: bytes) -> Finding:
        try:
            form = form_of(line)
        except (ValueError, RecursionError):
            form = None
        if form is None or form == self._form:
            return fault(error, line)
        said = f"The row has the form '{form}', the file began with '{self._form}'."
        return Finding("mixed_forms", "$", said, shown(line))
