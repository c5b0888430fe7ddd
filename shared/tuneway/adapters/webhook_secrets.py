"""The installation's secret from which those of its webhooks are made, for code without an event loop."""

import asyncio
import os
import secrets
from pathlib import Path

from tuneway.adapters import prediction
from tuneway.adapters.identity import referenced
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import BadInput, TryLater, UpstreamError
from tuneway.settings import Settings, environment

FILE = "webhooks.key"
LEAST = 16  # bytes: what is shorter can be guessed


def secret(settings: Settings) -> bytes:
    """It, read anew. Raises BadInput (there is none, or a poor one), TryLater."""
    if settings.webhook_secret is not None:
        found = _referenced(settings).encode()
        if len(found) < LEAST:
            raise BadInput(f"The installation's secret for webhooks has less than {LEAST} bytes. Make a longer one.")
        return found
    if settings.state_folder is not None:
        return _kept(settings.state_folder / FILE)
    raise BadInput(
        "This installation has no secret to sign webhooks with. Set TUNEWAY_WEBHOOK_SECRET to a reference to one, such "
        "as projects/…/secrets/…/versions/latest.",
        code="no_webhook_secret",
    )


def _referenced(settings: Settings) -> str:
    try:
        return asyncio.run(_asked(settings, settings.webhook_secret or ""))
    except UpstreamError as fault:
        raise TryLater(f"The secret for webhooks could not be had. {fault.message}") from fault


async def _asked(settings: Settings, ref: str) -> str:
    upstream = HttpxUpstream()
    try:
        google = prediction.google(settings, upstream)
        return await referenced(settings, upstream, google=google, environment=environment()).value(ref)
    finally:
        await upstream.close()


def _kept(path: Path) -> bytes:
    """A laptop's own, made when it is first needed; the one who comes first makes it for all."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    try:
        if not path.exists():
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_bytes()
    except OSError as fault:
        raise TryLater(f"The secret for webhooks in {path} cannot be used: {fault.strerror}.") from fault
