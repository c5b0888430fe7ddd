"""Probe targets from a function that has no event loop of its own."""

import asyncio
from collections.abc import Sequence

from tuneway.adapters import prediction
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.prediction.probing import Prober
from tuneway.routing.names import place
from tuneway.routing.probes import Finding, TargetProbe
from tuneway.routing.routes import Target
from tuneway.settings import Settings

AT_ONCE = 8
SECONDS = 50.0  # for all of them: the function that asks has 60
LATE = Finding(works=False, reason="There was no time left to ask it. Probe a route with fewer targets.", status=504)


def probed(settings: Settings, targets: Sequence[Target]) -> list[TargetProbe]:
    """What each of them can, in their order."""
    return asyncio.run(_probed(settings, targets))


async def _probed(settings: Settings, targets: Sequence[Target]) -> list[TargetProbe]:
    upstream = HttpxUpstream()
    try:
        google = prediction.google(settings, upstream)
        via = prediction.connection(settings, upstream, google)
        return await all_probed(Prober(via, prediction.prices(settings)), targets)
    finally:
        await upstream.close()


async def all_probed(prober: Prober, targets: Sequence[Target], *, seconds: float = SECONDS) -> list[TargetProbe]:
    """All of them, some at once; those that there was no time for say so."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(target: Target) -> TargetProbe:
        async with turn:
            return await prober.probed(target)

    asked = [asyncio.ensure_future(one(target)) for target in targets]
    _, late = await asyncio.wait(asked, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [_late(target) if task in late else task.result() for target, task in zip(targets, asked, strict=True)]


def _late(target: Target) -> TargetProbe:
    return TargetProbe(target=place(target), provider=target.provider, dialect=target.dialect, answers=LATE)
