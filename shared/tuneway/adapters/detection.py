"""Ask an endpoint what it speaks, from a function that has no event loop of its own."""

import asyncio

from tuneway.adapters import prediction
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.prediction.detect import detected
from tuneway.routing.routes import Target
from tuneway.settings import Settings


def answered(settings: Settings, named: Target) -> Target:
    """How to call the endpoint that ``named`` names. Raises NotFound, BadInput, UpstreamError."""
    return asyncio.run(_asked(settings, named))


async def _asked(settings: Settings, named: Target) -> Target:
    upstream = HttpxUpstream()
    try:
        google = prediction.google(settings, upstream)
        return (await detected(named, via=prediction.connection(settings, upstream, google))).target
    finally:
        await upstream.close()
