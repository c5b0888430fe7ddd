"""Cloud Scheduler's part in the local stack: a call to ``/tick`` at every beat."""

import logging
from collections.abc import Mapping

import httpx

from tuneway.local.rounds import Rounds

logger = logging.getLogger(__name__)

# What Cloud Scheduler sends: https://cloud.google.com/scheduler/docs/reference/rpc (HTTP targets).
SCHEDULER = {"user-agent": "Google-Cloud-Scheduler", "x-cloudscheduler": "true"}


class Beat(Rounds):
    """POSTs to ``url`` at once and then every ``interval`` seconds; a beat is left out while the one before runs."""

    def __init__(
        self, url: str, interval: float, headers: Mapping[str, str] | None = None, *, timeout: float = 55.0
    ) -> None:
        self._url = url
        self._client = httpx.Client(timeout=timeout, headers={**SCHEDULER, **(headers or {})}, trust_env=False)
        super().__init__(self._call, interval, name="beat", at_once=True, close=self._client.close)

    def _call(self) -> None:
        try:
            answer = self._client.post(self._url)
        except httpx.HTTPError as exc:
            logger.warning("The beat was not answered: %r", exc)
        else:
            if not answer.is_success:
                logger.warning("The beat was answered %d.", answer.status_code)
