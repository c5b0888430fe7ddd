"""Parts of an answer exactly as OpenAI's document has them: what decodes into these is passed on unmended."""

import msgspec
from msgspec import UNSET, UnsetType


class ExactDetails(msgspec.Struct, frozen=True, gc=False):
    """Details as the document has them."""

    cached_tokens: int | UnsetType = UNSET
    audio_tokens: int | UnsetType = UNSET
    reasoning_tokens: int | UnsetType = UNSET


class ExactUsage(msgspec.Struct, frozen=True, gc=False):
    """A ``usage`` as the document has it."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: ExactDetails | UnsetType = UNSET
    completion_tokens_details: ExactDetails | UnsetType = UNSET


class ExactTop(msgspec.Struct, gc=False):
    """What a token could have been."""

    token: str
    logprob: float
    bytes: list[int] | None


class ExactToken(ExactTop, kw_only=True, gc=False):
    """A chosen token."""

    top_logprobs: list[ExactTop]


class ExactLogprobs(msgspec.Struct, gc=False):
    """Log probabilities of a chat answer's tokens."""

    content: list[ExactToken] | None
    refusal: list[ExactToken] | None
