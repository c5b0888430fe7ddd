"""Hub → Converse: how much to think, in the model's own fields, as its profile says."""

from typing import assert_never

from tuneway.errors import BadInput
from tuneway.prediction.hub.fit import refuse_beside_thinking, unsupported_parameter
from tuneway.prediction.hub.request import ChatRequest, output_limit
from tuneway.prediction.profiles import Profile

AdditionalFields = dict[str, object]
LEAST_BUDGET = 1024  # https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
_ROOM_TO_ANSWER = 4096


def thinking(request: ChatRequest, profile: Profile) -> AdditionalFields:
    """What goes into ``additionalModelRequestFields``; nothing where no effort was asked for."""
    asked = request.reasoning_effort
    if asked is None or profile.reasoning == "none":
        return {}
    if asked == "none":
        return _no_thinking(request, profile)
    match profile.reasoning:
        case "effort":
            return {"reasoning_effort": profile.efforts.get(asked, asked)}
        case "adaptive":
            refuse_beside_thinking(request)
            return {"thinking": {"type": "adaptive", "display": "summarized"}}
        case "budget":
            refuse_beside_thinking(request)
            return {"thinking": {"type": "enabled", "budget_tokens": _budget(request, profile)}}
        case "level":
            raise unsupported_parameter(request, "reasoning_effort")
        case _:
            assert_never(profile.reasoning)


def effort(request: ChatRequest, profile: Profile) -> str | None:
    """The word for ``outputConfig.effort``, for models that choose themselves how long to think."""
    asked = request.reasoning_effort
    if asked is None or asked == "none" or profile.reasoning != "adaptive":
        return None
    return profile.efforts.get(asked, asked)


def written_limit(request: ChatRequest, profile: Profile) -> int | None:
    """The most tokens to write. Thoughts count as written, so where they have a budget there is room after it."""
    asked = output_limit(request)
    if asked is not None or profile.reasoning != "budget" or request.reasoning_effort in (None, "none"):
        return asked
    room = _budget(request, profile) + _ROOM_TO_ANSWER
    return max(room, profile.default_max_tokens or room)


def _no_thinking(request: ChatRequest, profile: Profile) -> AdditionalFields:
    match profile.thinking_off:
        case "omit":
            return {}
        case "disabled" | "between_tools":
            return {"thinking": {"type": profile.thinking_off}}
        case "impossible":
            raise unsupported_parameter(request, "reasoning_effort")
        case _:
            assert_never(profile.thinking_off)


def _budget(request: ChatRequest, profile: Profile) -> int:
    """The profile's number for the effort, less where the caller's own limit leaves less."""
    asked, limit = request.reasoning_effort, output_limit(request)
    budget = profile.budgets.get(asked, LEAST_BUDGET) if asked is not None else LEAST_BUDGET
    if limit is None or budget < limit:
        return budget
    if limit <= LEAST_BUDGET:
        raise BadInput(
            f"Thinking takes at least {LEAST_BUDGET} tokens, and 'max_completion_tokens' must leave more. "
            "Raise it, or leave 'reasoning_effort' out.",
            param="max_completion_tokens",
            code="invalid_value",
        )
    return limit - 1
