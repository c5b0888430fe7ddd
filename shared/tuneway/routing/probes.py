"""What was found out about a route's targets by asking them: measured, not promised."""

from typing import Literal

import msgspec

from tuneway.routing.routes import Dialect, Provider

Star = Literal["stream", "tools", "json_schema", "vision", "usage"]
STARS: tuple[Star, ...] = ("stream", "tools", "json_schema", "vision", "usage")


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether one thing works; ``reason`` says why not, ``code`` and ``status`` where a host or we refused it."""

    works: bool
    reason: str | None = None
    code: str | None = None
    status: int | None = None


class TargetProbe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One target: what it speaks, how fast, and what of ``STARS`` works.

    Milliseconds are of a short question: until the first chunk of a stream, and until the whole answer. ``cost_usd`` is
    None where no price is known. ``answers`` is about that question; where it fails, the rest was not asked. What is
    ``asleep`` was not asked at all, and is not woken for it.
    """

    target: str
    provider: Provider
    dialect: Dialect
    answers: Finding
    first_chunk_ms: float | None = None
    whole_ms: float | None = None
    stars: dict[str, Finding] = {}
    tokens: int = 0
    cost_usd: float | None = None
    asleep: bool = False


class RouteProbe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All targets of one version of a route, asked at ``at`` (Unix seconds)."""

    alias: str
    version: int
    at: float
    by: str
    targets: tuple[TargetProbe, ...]
    cost_usd: float | None = None
