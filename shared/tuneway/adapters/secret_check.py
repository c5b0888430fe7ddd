"""Which references lead to no secret, asked by a function that has no event loop of its own.

The secrets themselves are read and forgotten: nothing of them is told.
"""

import asyncio
from collections.abc import Mapping, Sequence

from tuneway.adapters import prediction
from tuneway.adapters.identity import referenced
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import UpstreamError
from tuneway.ports import Secrets
from tuneway.settings import Settings, environment


def unreadable(settings: Settings, references: Sequence[str]) -> Mapping[str, str]:
    """Those of them that cannot be read, each with why not."""
    return asyncio.run(_asked(settings, references))


async def _asked(settings: Settings, references: Sequence[str]) -> Mapping[str, str]:
    upstream = HttpxUpstream()
    try:
        google = prediction.google(settings, upstream)
        secrets = referenced(settings, upstream, google=google, environment=environment())
        reasons = await asyncio.gather(*(_reason(secrets, reference) for reference in references))
    finally:
        await upstream.close()
    return {reference: why for reference, why in zip(references, reasons, strict=True) if why is not None}


async def _reason(secrets: Secrets, reference: str) -> str | None:
    try:
        found = await secrets.value(reference)
    except UpstreamError as fault:
        return _inner(fault.message)
    return None if found else "it is empty"


def _inner(message: str) -> str:
    """The reason within the sentence that callers of models are told."""
    return message.partition(": ")[2].partition(". ")[0] or message
