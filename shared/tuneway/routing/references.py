"""References to secrets: where a key is to be found, never a key."""

import re

_REFERENCE = re.compile(
    r"env:[A-Za-z_][A-Za-z0-9_]{0,255}|projects/[^/\s]+(?:/locations/[^/\s]+)?/secrets/[^/\s]+/versions/[^/\s]+"
)


def is_reference(text: str) -> bool:
    """Whether ``text`` is ``env:NAME`` or the full name of a version in Secret Manager."""
    return _REFERENCE.fullmatch(text) is not None
