"""Simulated tokens: four characters each, the rule of thumb that Google publishes."""

CHARACTERS = 4


def tokens_in(text: str) -> int:
    """How many tokens a text has."""
    return -(-len(text) // CHARACTERS)


def first_tokens(text: str, count: int) -> str:
    """The beginning of a text that has at most ``count`` tokens."""
    return text[: count * CHARACTERS]
