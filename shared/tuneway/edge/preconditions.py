"""From which version an edit was made: ``If-Match: "7"``, or a ``version`` in the body or the query.

A stale edit is answered 409 with the current version in the message and in ``ETag``. An edit that names no version is
made whatever is there.
"""

import re

from tuneway.edge.door import Call
from tuneway.errors import BadInput

TAG = re.compile(r'(?:W/)?"(?P<quoted>[0-9]{1,15})"|(?P<plain>[0-9]{1,15})')
ANY = ("", "*")


def expected_version(call: Call, said: int | None = None) -> int | None:
    """The version that the edit names; ``said`` is the body's. None when it names none. Raises BadInput."""
    header = call.headers.get("if-match", "").strip()
    if header in ANY:
        return said if said is not None else _number(call.query.get("version", ""), "version")
    number = _number(header, "If-Match")
    if said is not None and said != number:
        raise BadInput(f"If-Match says version {number} and the body {said}. Send one of them.", param="version")
    return number


def _number(text: str, param: str) -> int | None:
    if text in ANY:
        return None
    if (found := TAG.fullmatch(text)) is None:
        raise BadInput(f"'{param}' is the number of the version that was read, such as \"7\".", param=param)
    return int(found["quoted"] or found["plain"])
