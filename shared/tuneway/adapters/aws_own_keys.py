"""The installation's own AWS keys for code without an event loop: fetched when needed, kept while they are good."""

import asyncio
import threading
import time
from collections.abc import Callable

from tuneway.adapters import prediction
from tuneway.adapters.aws_keys import LENT_SECONDS, AwsKeys
from tuneway.adapters.identity import aws_source, referenced
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import NotAllowed, TryLater, TunewayError, UpstreamError
from tuneway.settings import Settings, environment

# Written keys are read again as often as lent ones are: somebody may have changed them.
RENEW_SECONDS = LENT_SECONDS - 900.0
LAST_SECONDS = LENT_SECONDS - 60.0
PAUSE_SECONDS = 10.0
SIMULATED = AwsKeys(access_key_id="simulated", secret_access_key="simulated")  # noqa: S106 - opens nothing


class OwnKeys:
    """One set of keys and its source. Threads may share it: one asks, the others wait for its answer."""

    def __init__(self, fetch: Callable[[], AwsKeys], *, clock: Callable[[], float] = time.monotonic) -> None:
        """``fetch`` raises NotAllowed and TryLater."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._held: AwsKeys | None = None
        self._fetched = self._asked = float("-inf")

    def keys(self) -> AwsKeys:
        """The keys; aged ones are renewed, and serve on for a while when their source fails."""
        with self._lock:
            age = self._clock() - self._fetched
            if self._held is None or age > LAST_SECONDS:
                return self._renewed()
            if age > RENEW_SECONDS and self._clock() - self._asked > PAUSE_SECONDS:
                try:
                    return self._renewed()
                except TunewayError:
                    return self._held
            return self._held

    def renewed(self) -> bool:
        """Ask the source now, because the keys were refused: True when it has given others."""
        with self._lock:
            before = self._held
            if self._clock() - self._asked < PAUSE_SECONDS:
                return False
            return self._renewed() != before

    def _renewed(self) -> AwsKeys:
        self._asked = self._clock()
        self._held = self._fetch()
        self._fetched = self._asked
        return self._held


def own_keys(settings: Settings) -> OwnKeys:
    """The keys that the settings name; made-up ones where AWS itself is replaced and they name none."""
    return OwnKeys(lambda: _fetched(settings))


def _fetched(settings: Settings) -> AwsKeys:
    if settings.aws_url is not None and settings.aws_secret is None and settings.aws_role is None:
        return SIMULATED
    try:
        return asyncio.run(_asked(settings))
    except UpstreamError as exc:
        raise TryLater(f"AWS keys could not be had. {exc.message}") from exc


async def _asked(settings: Settings) -> AwsKeys:
    upstream = HttpxUpstream()
    try:
        google = prediction.google(settings, upstream)
        secrets = referenced(settings, upstream, google=google, environment=environment())
        source = aws_source(settings, upstream, secrets)
        if source is None:
            raise NotAllowed(
                "This installation has no identity in AWS. Set TUNEWAY_AWS_ROLE to a role that trusts Google's "
                "identity tokens, or TUNEWAY_AWS_SECRET to a reference to AWS keys.",
                code="no_aws_identity",
            )
        return await source.keys()
    finally:
        await upstream.close()
