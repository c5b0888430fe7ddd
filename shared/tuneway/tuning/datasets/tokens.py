"""Tokens from text without a tokenizer: an interval, because no tokenizer of the provider runs here.

The range of tokens a character is the one used in Google's own tuning samples. It was made for English; the high end
therefore counts UTF-8 bytes, so that scripts of three bytes a character stay inside the interval.
"""

from math import ceil, floor

from tuneway.tuning.datasets.report import Finding, TokenRange

TOKENS_PER_CHARACTER_LOW = 0.231
TOKENS_PER_CHARACTER_HIGH = 0.317
BASIS = (
    "0.231 tokens a character to 0.317 tokens a UTF-8 byte of text (range from Google Cloud's tuning samples); "
    "files in rows are not counted"
)


def low(characters: int) -> int:
    """The least tokens that this much text may have."""
    return floor(characters * TOKENS_PER_CHARACTER_LOW)


def high(utf8: int) -> int:
    """The most tokens that this much text may have."""
    return ceil(utf8 * TOKENS_PER_CHARACTER_HIGH)


def token_range(characters: int, utf8: int) -> TokenRange:
    """The interval for text of so many characters and UTF-8 bytes."""
    return TokenRange(low=low(characters), high=high(utf8), basis=BASIS)


def utf8_length(text: str) -> int:
    """Bytes of ``text`` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def length_finding(characters: int, utf8: int, allowed: int) -> Finding | None:
    """That a row of so much text has, or may have, more tokens than allowed."""
    least, most = low(characters), high(utf8)
    if most <= allowed:
        return None
    said = f"The row has an estimated {least:,} to {most:,} tokens of {allowed:,} allowed."
    return Finding("row_too_long" if least > allowed else "row_maybe_too_long", "$", said)
