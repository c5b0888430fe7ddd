"""Hub → Gemini: how much to think, in the model's own measure, as its profile says.

Gemini 3 has levels, 2.5 a budget in tokens, older models do not think. Source: Vertex AI's guide to thinking.
"""

from typing import TypedDict

from tuneway.prediction.hub.fit import unsupported_parameter
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.profiles import Profile


class ThinkingConfig(TypedDict, total=False):
    """How much to think, by level or by tokens, and whether to show it."""

    thinkingLevel: str
    thinkingBudget: int
    includeThoughts: bool


def thinking(request: ChatRequest, profile: Profile) -> ThinkingConfig | None:
    """What says the request's effort: who asks for one sees the thoughts, and none is as little as the model can.

    Raises BadInput for a model that does not think.
    """
    effort = request.reasoning_effort
    if effort is None:
        return None
    shown = effort != "none"
    match profile.reasoning:
        case "level" if effort in profile.efforts:
            return {"thinkingLevel": profile.efforts[effort], "includeThoughts": shown}
        case "budget" if effort in profile.budgets:
            return {"thinkingBudget": profile.budgets[effort], "includeThoughts": shown}
        case "none" if not shown:
            return None
        case _:
            raise unsupported_parameter(request, "reasoning_effort")
