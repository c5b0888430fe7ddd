"""Tokens of an answer: as the server counted them, or estimated and marked so, never a made-up zero."""

import msgspec
from msgspec import UNSET

from tuneway.prediction.dialects.openai.exact import ExactDetails, ExactUsage
from tuneway.prediction.dialects.openai.values import Fields, is_list, is_object
from tuneway.prediction.hub.answer import CompletionDetails, PromptDetails, Usage

CHARACTERS_A_TOKEN = 4
_TEXTS = frozenset({"messages", "content", "text", "prompt", "suffix", "arguments", "function", "tool_calls", "input"})


class Details(msgspec.Struct, frozen=True, gc=False):
    """What some of the tokens were; servers send null for what they do not count."""

    cached_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class Counted(msgspec.Struct, frozen=True, gc=False):
    """A server's ``usage``."""

    prompt_tokens: int
    completion_tokens: int = 0
    total_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None


def usage_in(value: object) -> Usage | None:
    """The usage in a decoded ``usage``; None when it holds no counts."""
    try:
        return usage_of(msgspec.convert(value, Counted))
    except msgspec.ValidationError:
        return None


def clean_usage(value: Fields) -> Fields:
    """A server's ``usage`` as OpenAI's document has it: no nulls, and the sum; other counts stay."""
    counts = {
        name: {key: one for key, one in count.items() if one is not None} if is_object(count) else count
        for name, count in value.items()
        if count is not None
    }
    usage = usage_in(value)
    if usage is None:
        return counts
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        **counts,
    }


def usage_of(counted: Counted | ExactUsage) -> Usage:
    """A server's counts in the hub's words; details only where the server gave them."""
    read, written = counted.prompt_tokens_details, counted.completion_tokens_details
    total = counted.total_tokens
    return Usage(
        prompt_tokens=counted.prompt_tokens,
        completion_tokens=counted.completion_tokens,
        total_tokens=counted.prompt_tokens + counted.completion_tokens if total is None else total,
        prompt_tokens_details=_prompt(read) if read else UNSET,
        completion_tokens_details=_completion(written) if written else UNSET,
    )


def estimated(asked: bytes, written: int) -> Usage:
    """Tokens by the rule of thumb, marked as such; ``asked`` is the request's body, ``written`` in characters."""
    read, told = _tokens(characters(msgspec.json.decode(asked))), _tokens(written)
    return Usage(prompt_tokens=read, completion_tokens=told, total_tokens=read + told, estimated=True)


def characters(value: object) -> int:
    """The characters of all words in a decoded request; pictures and sound are none."""
    if isinstance(value, str):
        return len(value)
    if is_object(value):
        return sum(characters(held) for name, held in value.items() if name in _TEXTS)
    return sum(characters(item) for item in value) if is_list(value) else 0


def _prompt(details: Details | ExactDetails) -> PromptDetails:
    return PromptDetails(cached_tokens=details.cached_tokens or 0, audio_tokens=details.audio_tokens or 0)


def _completion(details: Details | ExactDetails) -> CompletionDetails:
    return CompletionDetails(reasoning_tokens=details.reasoning_tokens or 0, audio_tokens=details.audio_tokens or 0)


def _tokens(count: int) -> int:
    return -(-count // CHARACTERS_A_TOKEN)
