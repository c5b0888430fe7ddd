"""Cloud Scheduler's part in the local stack: a call to ``/tick`` at every beat."""

import logging
import threading
from collections.abc import Mapping

import httpx

logger = logging.getLogger(__name__)

# What Cloud Scheduler sends: https://cloud.google.com/scheduler/docs/reference/rpc (HTTP targets).
SCHEDULER = {"user-agent": "Google-Cloud-Scheduler", "x-cloudscheduler": "true"}


class Beat:
    """POSTs to ``url`` at once and then every ``interval`` seconds; a beat is left out while the one before runs."""

    def __init__(
        self, url: str, interval: float, headers: Mapping[str, str] | None = None, *, timeout: float = 55.0
    ) -> None:
        self._url = url
        self._interval = interval
        self._client = httpx.Client(timeout=timeout, headers={**SCHEDULER, **(headers or {})}, trust_env=False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self, *, grace: float = 10.0) -> None:
        """No more beats; wait ``grace`` seconds for the one under way."""
        self._stopping.set()
        self._thread.join(grace)
        if not self._thread.is_alive():
            self._client.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._call()
            self._stopping.wait(self._interval)

    def _call(self) -> None:
        try:
            answer = self._client.post(self._url)
        except httpx.HTTPError as exc:
            logger.warning("The beat was not answered: %r", exc)
        else:
            if not answer.is_success:
                logger.warning("The beat was answered %d.", answer.status_code)
