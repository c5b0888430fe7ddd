"""Texts as OpenAI's older surfaces take them: one or several, or as tokens, which few can read."""

from collections.abc import Sequence

from tuneway.errors import BadInput

Tokens = list[int]
Texts = str | Sequence[str | int | Tokens]


def require_one_kind(given: Texts, param: str) -> None:
    """Raise BadInput for a mixture of texts and tokens."""
    if not isinstance(given, str) and len({type(one) for one in given}) > 1:
        fault = f"Invalid '{param}': expected a string, strings, tokens or lists of tokens, not a mixture."
        raise BadInput(fault, param=param, code="invalid_type")


def texts_in(given: Texts, param: str, *, model: str) -> list[str]:
    """Each text. Raises BadInput for tokens, which only the model's own server can read."""
    texts = [given] if isinstance(given, str) else [one for one in given if isinstance(one, str)]
    if not texts:
        fault = f"'{param}' holds tokens, which '{model}' cannot be sent. Send text."
        raise BadInput(fault, param=param, code="unsupported_parameter")
    return texts
