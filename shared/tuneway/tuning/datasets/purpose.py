"""What a lint is told of a dataset beside its bytes and its limits."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from tuneway.ports import Method
from tuneway.tuning.datasets.forms import OWN_WORDS, Read, Target, targets_of
from tuneway.tuning.datasets.leakage import Learned
from tuneway.tuning.datasets.report import PREFERENCES, Finding, Form
from tuneway.tuning.datasets.turns import prompt


class Placing(Protocol):
    """Where lines of a source stand in the user's own file, when that is another; ``Reading`` is one."""

    def line_of(self, row: int) -> int:
        """The line of the file on which the source's ``row``-th line stands, both from 1."""
        ...

    def faults(self) -> list[tuple[Finding, int | None]]:
        """What could not be read, since the last call, with its line."""
        ...


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is for.

    ``target`` is how the provider wants its rows, ``also`` in which other words it takes them as they are; ``method``
    None takes supervised data and preferences alike.
    ``learned`` is filled from a training file, and a validation file is held ``against`` it.
    """

    target: Target = "gemini"
    also: tuple[Target, ...] = ()
    method: Method | None = None
    learned: Learned | None = None
    against: Learned | None = None

    def target_of(self, form: Form) -> Target:
        """What rows of this form are written as: themselves, where the provider takes that."""
        own = OWN_WORDS.get(form)
        return own if own is not None and own in self.also else self.target

    def refusal_of(self, form: Form) -> Finding | None:
        """Why rows of this form do not serve, if they do not."""
        target, method = self.target_of(form), self.method
        if method is not None and (method is Method.PREFERENCE) is not (form in PREFERENCES):
            said = f"The rows have the form '{form}', which is not for the method '{method}'."
            return Finding("method_mismatch", "$", said)
        if target not in targets_of(form):
            return Finding("not_convertible", "$", f"Rows of the form '{form}' cannot be written as '{target}'.")
        return None

    @property
    def compares(self) -> bool:
        """Whether each row's prompt is asked for."""
        return self.learned is not None or self.against is not None

    def leaks(self, line: bytes, row: Read) -> Iterator[Finding]:
        """What of a validation row was learned; a training row is learned on the way."""
        asked = prompt(row.turns())
        if self.learned:
            self.learned.learn(asked)
        if self.against:
            yield from self.against.findings(line, asked)
