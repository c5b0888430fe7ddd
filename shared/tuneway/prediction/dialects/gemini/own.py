"""Hub → Gemini: Google's own fields, as Google's OpenAI layer takes them: below ``google`` or ``extra_body.google``.

Source: Vertex AI's page on the OpenAI library, "extra_body" (read 2026-11), with the shapes of ``SafetySetting`` and
``ThinkingConfig`` in Vertex AI's REST reference.
"""

from typing import TypedDict

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.thinking import ThinkingConfig
from tuneway.prediction.hub.bad_fields import bad_field
from tuneway.prediction.hub.fit import extras_in
from tuneway.prediction.hub.request import ChatRequest

EXTRAS = ("google", "extra_body")


class SafetySetting(TypedDict, total=False):
    """From where on a kind of harm is blocked."""

    category: str
    threshold: str
    method: str


class _SafetySetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    category: str
    threshold: str
    method: str | None = None


class _Thinking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Google's fields; ``cached_content`` is the name of a cache (``projects/…/cachedContents/…``)."""

    safety_settings: list[_SafetySetting] = []
    cached_content: str | None = None
    thinking_config: _Thinking | None = None

    @property
    def safety(self) -> list[SafetySetting]:
        """The settings in Gemini's words, which are the same."""
        return msgspec.convert(msgspec.to_builtins(self.safety_settings), list[SafetySetting])

    @property
    def thinking(self) -> ThinkingConfig:
        """How to think, in Gemini's words."""
        asked, told = self.thinking_config or _Thinking(), ThinkingConfig()
        if asked.include_thoughts is not None:
            told["includeThoughts"] = asked.include_thoughts
        if asked.thinking_budget is not None:
            told["thinkingBudget"] = asked.thinking_budget
        if asked.thinking_level is not None:
            told["thinkingLevel"] = asked.thinking_level.upper()
        return told


class _Wrapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    google: Own | None = None


_NOTHING = Own()


def own(request: ChatRequest, *, drop: tuple[str, ...]) -> Own:
    """Google's fields of a request. Raises BadInput naming one that is unknown, wrong, or said twice."""
    sent = extras_in(request, EXTRAS, drop=drop)
    if not sent:
        return _NOTHING
    try:
        plain, wrapped = msgspec.convert(sent, _Both).both
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc
    if plain is not None and wrapped is not None:
        raise BadInput("Send 'google' or 'extra_body.google', not both.", param="extra_body", code="invalid_value")
    found = plain or wrapped or _NOTHING
    _refuse_twice(request, found)
    return found


class _Both(msgspec.Struct, frozen=True):
    google: Own | None = None
    extra_body: _Wrapped | None = None

    @property
    def both(self) -> tuple[Own | None, Own | None]:
        """Those at the top, and those wrapped."""
        return self.google, self.extra_body.google if self.extra_body is not None else None


def _refuse_twice(request: ChatRequest, found: Own) -> None:
    if found.thinking_config is not None and request.reasoning_effort is not None:
        raise BadInput(
            "Send 'reasoning_effort' or 'google.thinking_config', not both.",
            param="reasoning_effort",
            code="invalid_value",
        )
