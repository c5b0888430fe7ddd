"""The fields of all Structs, read before threads come.

msgspec 0.22 reads a Struct's fields at its first use, and lets a second thread see what a first one has half read: the
process dies of it (a NULL type in ``convert``). So whatever answers in threads reads them all while it starts.
"""

from collections.abc import Iterator
from contextlib import suppress

import msgspec


def read_fields() -> None:
    """Read those of every Struct that is imported by now; repeating the call costs next to nothing."""
    for kind in _below(msgspec.Struct):
        # What cannot be decoded (a generic one's own variable, a port in a field) is never converted to.
        with suppress(TypeError, NameError):
            msgspec.json.Decoder(kind)


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for lower in kind.__subclasses__():
        yield lower
        yield from _below(lower)
