"""One call on its way: which target is asked, what comes after a fault, and when it is enough.

A route is asked in rounds: each of its targets once, by order and weight, then a pause, then those again that may have
mended, as often as ``retries`` says. What is left goes to the route's fallbacks. An answer, or the first chunk of one,
ends the way: nothing is ever asked again once a chunk has left.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tuneway.errors import NotFound, TunewayError, UpstreamError
from tuneway.prediction.asleep import AsleepByTheClock, ModelAsleep, asleep_fault
from tuneway.prediction.journey import Journey
from tuneway.prediction.patience import too_slow
from tuneway.prediction.withheld import Withheld
from tuneway.routing.health import Health
from tuneway.routing.places import place_of
from tuneway.routing.policy import Move, move_after, pause
from tuneway.routing.routes import Route, Target
from tuneway.routing.select import Draw, sequence

A = TypeVar("A")
Ask = Callable[[Target], Awaitable[A]]
Resolve = Callable[[str], Awaitable[Route]]
Renew = Callable[[Target], Awaitable[bool]]
REFUSED_CREDENTIALS = "upstream_authentication_failed"


class Attempts:
    """What one instance knows of its targets, and how it goes on after a fault. For one event loop."""

    def __init__(
        self,
        *,
        renew: Renew,
        draw: Draw = random.random,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``renew`` gets a target's host a fresh token; False where there is none other. ``now`` is in Unix seconds."""
        self._health = Health(clock=clock)
        self._renew = renew
        self._draw = draw
        self._clock = clock
        self._sleep = sleep
        self._now = now

    async def answered(self, journey: Journey, ask: Ask[A], *, resolve: Resolve) -> A:
        """The first answer. Raises the fault that says most when there is none; 504 when the route's time is up.

        ``resolve`` finds a fallback's route. Raises NotFound, BadInput, UpstreamError for a name that leads nowhere.
        """
        route, total = journey.route, journey.route.timeouts.total
        if total is None:
            if _leads_to_one(route) and not journey.asleep:  # nearly every call: it need not pay for ways it never goes
                return await self._asked(route.targets[0], journey, ask)
            return await self._along(journey, ask, resolve)
        journey.ends_at = asyncio.get_running_loop().time() + total
        try:
            async with asyncio.timeout_at(journey.ends_at):
                return await self._along(journey, ask, resolve)
        except TimeoutError as exc:
            raise too_slow() from exc

    async def _along(self, journey: Journey, ask: Ask[A], resolve: Resolve) -> A:
        """The route, then its fallbacks, each name once."""
        route: Route | None = journey.route
        names, visited = list[str](), {journey.route.alias}
        told: list[TunewayError] = []
        while route is not None:
            try:
                return await self._over(route, journey, ask)
            except TunewayError as fault:
                told.append(fault)
                names += [name for name in _fallbacks(route, fault) if name not in visited]
                visited.update(names)
            route = await _next_route(names, resolve)
        raise _gravest(told)

    async def _over(self, route: Route, journey: Journey, ask: Ask[A]) -> A:
        """One route, in rounds."""
        journey.along = route
        asked = route.targets if len(route.targets) == 1 else self._chosen(route)
        told: list[TunewayError] = []
        for failures in range(route.retries + 1):
            passing: list[tuple[Target, UpstreamError]] = []
            for target in asked:
                if journey.asleep and (resting := self._resting(target, journey)) is not None:
                    told.append(resting)
                    continue
                try:
                    return await self._asked(target, journey, ask)
                except TunewayError as fault:
                    told.append(fault)
                    self._weigh(fault, target, route)
                    journey.blames()  # what is left after _weigh is about this target
                    if isinstance(fault, UpstreamError):
                        passing += [(target, fault)] if move_after(fault) is Move.RETRY else []
            asked = await self._rested(passing, failures, journey) if failures < route.retries else ()
        raise _gravest(told)

    def _chosen(self, route: Route) -> Sequence[Target]:
        return sequence(route.targets, cooling=self._health.cooling, draw=self._draw)

    def _resting(self, target: Target, journey: Journey) -> ModelAsleep | None:
        """The fault of a target whose place is asleep: it is passed over, like one that cools down."""
        said = journey.asleep.get(place_of(target))
        if said is None:
            return None
        journey.slept = (*journey.slept, target)
        return asleep_fault(journey.route.alias, said, now=self._now())

    def _weigh(self, fault: TunewayError, target: Target, route: Route) -> None:
        """Remember it of the target. Raises the fault when every target of the route would say the same."""
        if move_after(fault) not in {Move.RETRY, Move.NEXT}:
            raise fault
        if isinstance(fault, UpstreamError):
            self._health.failed(target, cooldown=route.cooldown, retry_after=fault.retry_after)

    async def _rested(
        self, passing: Sequence[tuple[Target, UpstreamError]], failures: int, journey: Journey
    ) -> Sequence[Target]:
        """After a pause, those that may answer now: none when there is none left, or no time."""
        if not passing or self._clock() - journey.began > journey.patience:
            return ()
        asked = min(fault.retry_after or 0.0 for _, fault in passing)
        seconds = pause(failures, asked=asked, draw=self._draw)
        if seconds is None:
            return ()
        await self._sleep(seconds)
        journey.waited += seconds
        return [target for target, fault in passing if (fault.retry_after or 0.0) <= seconds]

    async def _asked(self, target: Target, journey: Journey, ask: Ask[A]) -> A:
        """One target once; credentials that have just run out are renewed, and asked with again."""
        try:
            answer = await self._in_time(target, journey, ask)
        except UpstreamError as fault:
            if fault.code != REFUSED_CREDENTIALS or not await self._renew(target):
                raise
            answer = await self._in_time(target, journey, ask)
        self._health.answered(target)
        return answer

    def _in_time(self, target: Target, journey: Journey, ask: Ask[A]) -> Awaitable[A]:
        """The attempt; of a stream with a limit on its first chunk, within it."""
        journey.asks(target)
        first = journey.route.timeouts.first if journey.stream else None
        return ask(target) if first is None else _within(first, ask(target))


async def _within(seconds: float, answer: Awaitable[A]) -> A:
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as exc:
        raise too_slow() from exc


def _leads_to_one(route: Route) -> bool:
    return len(route.targets) == 1 and not (
        route.retries or route.fallbacks or route.context_fallbacks or route.content_fallbacks
    )


async def _next_route(names: list[str], resolve: Resolve) -> Route | None:
    """The first fallback that leads somewhere; ``names`` is used up to it."""
    while names:
        try:
            return await resolve(names.pop(0))
        except TunewayError:  # a fallback that was removed is none; what failed before it is what the caller is told
            continue
    return None


def _fallbacks(route: Route, fault: TunewayError) -> tuple[str, ...]:
    match move_after(fault):
        case Move.CONTEXT:
            return route.context_fallbacks
        case Move.CONTENT:
            return route.content_fallbacks
        case Move.GIVE_UP:
            return ()
        case Move.RETRY | Move.NEXT:
            return route.fallbacks


def _gravest(faults: list[TunewayError]) -> TunewayError:
    """The fault the caller can do most with: an answer after all, the last one that may pass, else the first.

    A model that was the first choice and sleeps will answer soon; one that was to stand in for others says nothing. One
    whose hours have to come may take longer than whatever passes of the others.
    """
    withheld = [fault for fault in faults if isinstance(fault, Withheld)]
    if withheld:
        return withheld[0]
    passing = [fault for fault in faults if move_after(fault) is Move.RETRY and not isinstance(fault, ModelAsleep)]
    first = faults[0] if faults else None
    if isinstance(first, ModelAsleep) and not (passing and isinstance(first, AsleepByTheClock)):
        return first
    untold = NotFound("The route has no target to ask.", param="model", code="model_not_found")
    return passing[-1] if passing else next(iter(faults), untold)
