"""Send the end of a job to the webhooks that asked for it: each of them once, as far as its answers tell."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, TryLater, TunewayError
from tuneway.ports import Documents
from tuneway.state import Collection, Stored
from tuneway.tuning.jobs import Job, JobId
from tuneway.tuning.webhooks import CANCELLED, FAILED, SUCCEEDED, Webhook, Webhooks, payload

SENT: dict[str, str] = {
    "tuneway.job.succeeded": SUCCEEDED,
    "tuneway.job.failed": FAILED,
    "tuneway.job.cancelled": CANCELLED,
}
Post = Callable[[str, bytes, Mapping[str, str]], None]
"""Send a body with its headers to an address.

Raises BadInput and NotAllowed (nothing is sent there), NotFound and TryLater (not taken).
"""
# What no retry mends: an address that may not be reached, an installation without a secret.
PERMANENT = (BadInput, NotAllowed)
# Seconds in which sendings begin; the last one ends before the function's time does. What is left comes with a retry.
BUDGET = 80.0

log = logging.getLogger(__name__)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event of ``tuning-events``, as far as webhooks need it; ``time`` is RFC 3339."""

    id: str
    type: str
    subject: str
    time: datetime


class Delivery(msgspec.Struct, frozen=True):
    """What became of an event at a webhook: taken, or not for the ``fault``; unless ``ended`` it is sent again."""

    at: float
    fault: str | None = None
    ended: bool = True


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a webhook is owed, and what became of it before."""

    webhook: Webhook
    deliveries: Collection[Delivery]
    before: Stored[Delivery] | None

    @property
    def turn(self) -> tuple[float, float, str]:
        """Never tried first, then the longest ago: one that never answers must not use up everybody's time."""
        tried = 0.0 if self.before is None else self.before.value.at
        return tried, self.webhook.created_at, self.webhook.id


class Notifier:
    """The handler of ``tuning-events``."""

    def __init__(self, documents: Documents, webhooks: Webhooks, *, post: Post, now: Callable[[], float]) -> None:
        self._documents = documents
        self._jobs = Collection(documents, "jobs", Job)
        self._webhooks = webhooks
        self._post = post
        self._now = now

    def __call__(self, told: Told) -> None:
        """Send it where it was not taken yet, the oldest first; repeating the call sends nothing twice.

        Raises TryLater when somebody did not take it, or the time was too short for all: the message comes again, and
        at last to the dead letters. What no retry mends is written down, and not tried again.
        """
        kind = SENT.get(told.type)
        if kind is None:
            return
        job, until = JobId(told.subject), self._now() + BUDGET
        body = payload(told.id, kind, at=told.time.timestamp(), job=job)
        asked = [webhook for webhook in self._webhooks.owned(self._owner(job)) if kind in webhook.event_types]
        faults = [
            fault
            for sending in self._owed(asked, told.id)
            if (fault := self._fault(sending, told.id, body, until=until))
        ]
        if faults:
            raise TryLater(" ".join(fault.message for fault in faults)) from faults[0]

    def _owner(self, job: JobId) -> str:
        return self._jobs.get(job).value.owner

    def _owed(self, webhooks: Iterable[Webhook], event_id: str) -> list[Sending]:
        """Those that have not taken it yet, in turn."""
        found = [self._sending(webhook, event_id) for webhook in webhooks]
        open_ = [sending for sending in found if sending.before is None or not sending.before.value.ended]
        return sorted(open_, key=lambda sending: sending.turn)

    def _sending(self, webhook: Webhook, event_id: str) -> Sending:
        deliveries = Collection(self._documents, f"webhooks/{webhook.id}/deliveries", Delivery)
        return Sending(webhook=webhook, deliveries=deliveries, before=deliveries.known(event_id))

    def _fault(self, sending: Sending, event_id: str, body: bytes, *, until: float) -> TunewayError | None:
        """What kept the webhook from taking it, if a retry may mend it; it must not keep another one's from it."""
        webhook = sending.webhook
        if self._now() > until:
            return TryLater(f"There was no time for webhook {webhook.id}.")
        try:
            self._post(webhook.url, body, self._webhooks.signed(webhook, event_id, body))
        except PERMANENT as fault:
            log.warning("Webhook %s is never sent %s: %s", webhook.id, event_id, fault.message)
            self._note(sending, event_id, Delivery(self._now(), fault=fault.message))
            return None
        except TunewayError as fault:
            log.warning("Webhook %s did not take %s: %s", webhook.id, event_id, fault.message)
            self._note(sending, event_id, Delivery(self._now(), fault=fault.message, ended=False))
            return fault
        self._documents.commit(sending.deliveries.put(event_id, Delivery(self._now())))
        return None

    def _note(self, sending: Sending, event_id: str, delivery: Delivery) -> None:
        """Write down that it was not taken, unless another delivery of the message has written since."""
        kept, before = sending.deliveries, sending.before
        try:
            self._documents.commit(
                kept.create(event_id, delivery) if before is None else kept.replace(before, delivery)
            )
        except Conflict:
            log.info("Webhook %s was sent %s by another delivery, too.", sending.webhook.id, event_id)
