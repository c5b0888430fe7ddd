"""What is wrong with a dataset as a whole: how many rows it has."""

from collections.abc import Iterator

from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.report import Finding


def count_findings(limits: DatasetLimits, *, rows: int, media_rows: int, clean: bool) -> Iterator[Finding]:
    """The limits that a file of that many rows breaks; ``clean`` says that no error was found in it."""
    if not rows and clean:
        yield _finding("empty_dataset", "The file holds no rows.")
    if rows > limits.rows:
        yield _finding("too_many_rows", f"The file has {rows:,} rows of {limits.rows:,} allowed.")
    if media_rows > limits.media_rows:
        said = f"{media_rows:,} rows hold files; {limits.media_rows:,} are allowed."
        yield _finding("too_many_media_rows", said)
    if 0 < rows < limits.recommended_rows:
        yield _finding("short_dataset", f"Rows in the file: {rows:,}.")


def _finding(rule: str, said: str) -> Finding:
    return Finding(rule, "$", said)
