"""Whole numbers in addresses: of pages, of days."""

MOST_DIGITS = 9


def whole(text: str, *, least: int, most: int) -> int | None:
    """The number; None where the text is none from ``least``, which is not below 0, to ``most``."""
    # Python reads no number of thousands of digits: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        return None
    return int(text) if least <= int(text) <= most else None
