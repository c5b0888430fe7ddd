"""Targets that answer by a script, on a clock that nobody waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from tuneway.errors import NotFound, TunewayError, UpstreamError
from tuneway.prediction.attempts import Attempts
from tuneway.prediction.journey import Journey
from tuneway.routing.routes import Route, Target

Outcome = str | TunewayError | float


def fault(status: int, code: str | None = None, *, retry_after: float | None = None) -> UpstreamError:
    return UpstreamError(f"{status} {code}", status=status, kind="server_error", code=code, retry_after=retry_after)


def target(name: str, **fields: object) -> Target:
    return Target(provider="custom_openai", dialect="openai", model=name, **fields)  # type: ignore[arg-type]  # test data


def route(alias: str, *names: str, **fields: object) -> Route:
    targets = tuple(target(name, order=place) for place, name in enumerate(names or (alias,)))
    return Route(alias=alias, targets=targets, created_at=0.0, **fields)  # type: ignore[arg-type]  # test data


class Script:
    """What each target says, in turn; the last outcome stays. A number is a wait before the next outcome."""

    def __init__(self, **outcomes: Outcome | Iterable[Outcome]) -> None:
        self.outcomes: dict[str, list[Outcome]] = {
            name: [told] if isinstance(told, str | float | TunewayError) else list(told)
            for name, told in outcomes.items()
        }
        self.asked: list[str] = []
        self.pauses: list[float] = []
        self.renewals: list[str] = []
        self.renewable = False
        self.now = 0.0
        self.routes: dict[str, Route] = {}
        self.attempts = Attempts(renew=self._renew, draw=lambda: 0.0, clock=lambda: self.now, sleep=self._sleep)

    async def ask(self, target: Target) -> str:
        self.asked.append(target.model)
        told = self._next(target.model)
        if isinstance(told, float):
            await asyncio.sleep(told)
            told = self._next(target.model)
        if isinstance(told, TunewayError):
            raise told
        return str(told)

    async def answered(
        self, way: Route, *, stream: bool = False, ask: Callable[[Target], Awaitable[str]] | None = None
    ) -> str:
        self.journey = Journey(way, stream=stream, began=0.0)
        return await self.attempts.answered(self.journey, ask or self.ask, resolve=self._resolve)

    def _next(self, name: str) -> Outcome:
        outcomes = self.outcomes[name]
        return outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]

    async def _resolve(self, name: str) -> Route:
        if name not in self.routes:
            raise NotFound("No such model.", code="model_not_found")
        return self.routes[name]

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def _renew(self, target: Target) -> bool:
        self.renewals.append(target.model)
        return self.renewable
