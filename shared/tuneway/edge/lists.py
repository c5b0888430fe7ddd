"""Lists as OpenAI writes them, and how long a page of them may be."""

from collections.abc import Sequence

MOST_DIGITS = 9


def listed(rows: Sequence[object]) -> dict[str, object]:
    """All there are."""
    return {"object": "list", "data": rows}


def page_size(text: str, *, most: int) -> int | None:
    """The size of a page; None where the text is no whole number from 1 to ``most``."""
    # Python reads no number of thousands of digits: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        return None
    return int(text) if 1 <= int(text) <= most else None


def page(rows: Sequence[dict[str, object]], limit: int) -> dict[str, object]:
    """At most ``limit`` rows, made from one row more; OpenAI's document wants texts at both ends."""
    shown = rows[:limit]
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else ("", "")
    return {"object": "list", "data": shown, "has_more": len(rows) > limit, "first_id": first, "last_id": last}
