"""Hub → Gemini: a stand-in where a tool call of the current turn came back without its thought signature.

Gemini 3 refuses a step whose first call is unsigned. Many clients keep only OpenAI's fields of an answer, and a
conversation may come from another vendor's model; for both Google documents a value that skips the check, at the cost
of the thoughts behind the call: https://ai.google.dev/gemini-api/docs/thought-signatures (FAQ).
"""

from tuneway.prediction.dialects.gemini.parts import Part
from tuneway.prediction.dialects.gemini.turns import Content

STAND_IN = "skip_thought_signature_validator"


def stood_in(turns: list[Content]) -> list[Content]:
    """The turns; in those since the user last spoke, each first call bears a signature."""
    spoke = [place for place, turn in enumerate(turns) if turn["role"] == "user" and not _answers(turn["parts"])]
    current = spoke[-1] if spoke else 0
    return [*turns[:current], *(_signed(turn) for turn in turns[current:])]


def _answers(parts: list[Part]) -> bool:
    """Whether the turn only gives the results of calls."""
    return all("functionResponse" in part for part in parts)


def _signed(turn: Content) -> Content:
    first = next((place for place, part in enumerate(turn["parts"]) if "functionCall" in part), None)
    if first is None or "thoughtSignature" in turn["parts"][first]:
        return turn
    call: Part = {**turn["parts"][first], "thoughtSignature": STAND_IN}
    return {"role": turn["role"], "parts": [*turn["parts"][:first], call, *turn["parts"][first + 1 :]]}
