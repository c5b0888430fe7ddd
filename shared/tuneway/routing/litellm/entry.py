"""One mapping of a LiteLLM configuration, read name by name; every value that is read leaves its line in the report."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from tuneway.routing.litellm.report import REFERENCE, Notes, shown

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_NO_KEYS = {"", "none", "null", "empty", "dummy", "fake", "fake-key", "not-needed", "no-key", "na", "n/a", "anything"}
_NOT_STORED = "Put the key into a variable or Secret Manager and write os.environ/NAME; a key is never stored."


class Entry:
    """The mapping at ``path``. ``failed`` once something in it was refused.

    What it ``inherited`` stands in for what it leaves open, and has its line elsewhere.
    """

    def __init__(
        self, path: str, values: Mapping[str, object], notes: Notes, *, environment: Mapping[str, str]
    ) -> None:
        self.path = path
        self.values = {name: value for name, value in values.items() if value is not None}
        self.notes = notes
        self.environment = environment
        self.inherited: Mapping[str, object] = {}
        self.failed = False
        self._read = {name for name, value in values.items() if value is None}

    def whole(self) -> bool:
        """Whether nothing in it was refused so far."""
        return not self.failed

    def at(self, name: str) -> str:
        """The path of a name."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, *names: str) -> bool:
        """Whether any of them stands in it and was not read."""
        return any(self._found(name) is not None and name not in self._read for name in names)

    def raw(self, name: str) -> object:
        """The value, whatever it is; who asks writes its line."""
        self._read.add(name)
        return self._found(name)

    def _found(self, name: str) -> object:
        return self.values.get(name, self.inherited.get(name))

    def unread(self) -> list[str]:
        """What nobody has asked for."""
        return [name for name in self.values if name not in self._read]

    def text(self, name: str, became: str = "") -> str | None:
        """The value as text, with a reference to the environment put in; None without one."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, f"'{name}' is a text.", f"Write {name} as a text.")
            return None
        if value.startswith(REFERENCE):
            return self._resolved(name, value.removeprefix(REFERENCE))
        if name in self.values:
            self.notes.took(self.at(name), value, became)
        return value.strip()

    def number(self, name: str, *, least: float, most: float) -> float | None:
        """The value as a number; who asks writes its line when it is one."""
        value = self.raw(name)
        if isinstance(value, str):
            value = self.environment.get(value.removeprefix(REFERENCE), value) if REFERENCE in value else value
            value = _number(value)
        if value is None and name not in self.values:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.refuse(name, f"'{name}' is a number from {least:g} to {most:g}.", "Write such a number.")
            return None
        return value

    def flag(self, name: str) -> bool | None:
        """The value as true or false; who asks writes its line when it is one."""
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return value
        self.refuse(name, f"'{name}' is true or false.", "Write true or false.")
        return None

    def names(self, name: str) -> tuple[str, ...]:
        """The value as a list of texts; who asks writes its line when it is one."""
        value = self.raw(name)
        many = cast("list[object]", value) if isinstance(value, list) else [value] if isinstance(value, str) else None
        if value is None:
            return ()
        if many is None or not all(isinstance(one, str) and one for one in many):
            self.refuse(name, f"'{name}' is a list of names.", "Write a list of names.")
            return ()
        return tuple(cast("list[str]", many))

    def secret(self, name: str) -> str | None:
        """A reference to the key, ``env:NAME``; an empty text for the placeholder of a server without keys."""
        value = self.raw(name)
        if value is None:
            return None
        text = value if isinstance(value, str) else ""
        variable = text.removeprefix(REFERENCE)
        if text.startswith(REFERENCE) and _VARIABLE.fullmatch(variable):
            self.notes.translated(self.at(name), value, f"secret env:{variable}")
            return f"env:{variable}"
        if isinstance(value, str) and text.strip().lower() in _NO_KEYS:
            self.notes.translated(self.at(name), value, "no key: this is no real one")
            return ""
        self.refuse(name, "A key stands in the file itself.", _NOT_STORED)
        return None

    def refuse(self, name: str, became: str, remedy: str) -> None:
        """Refuse what stands under a name, and with it the mapping."""
        self._read.add(name)
        self.failed = True
        self.notes.refused(self.at(name), self.values.get(name), became, remedy)

    def leave(self, names: Iterable[str], became: str, remedy: str = "") -> None:
        """Leave out those of the names that stand in it."""
        there = frozenset(names)
        for name in (one for one in self.unread() if one in there):
            self.notes.left(self.at(name), self.raw(name), became, remedy)

    def _resolved(self, name: str, variable: str) -> str | None:
        found = self.environment.get(variable, "").strip()
        if not found:
            self.refuse(
                name,
                f"The variable {variable} is not known here.",
                f"Write the value here, or set {variable} where the import is started: only keys stay references.",
            )
            return None
        self.notes.translated(self.at(name), self.values[name], str(shown(self.at(name), found)))
        return found


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text
