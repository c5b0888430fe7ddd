"""Delivers the local bus: every message as an HTTP call to its functions, just as Eventarc brings Pub/Sub's."""

import base64
import logging
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

import httpx
import msgspec

from tuneway.adapters.local_bus import Delivery, LocalBus
from tuneway.errors import Conflict, TryLater
from tuneway.local.manifest import Retry
from tuneway.ports import Message, Topic

logger = logging.getLogger(__name__)

MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
DEAD_LETTER = "CloudPubSubDeadLetterSource"
# gunicorn closes an idle connection after 2 seconds: ours must be gone before, or a delivery meets the closing.
KEEPALIVE_SECONDS = 1.0


class RelaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to deliver. ``headers`` go with every call, ``timeout`` and ``poll`` are seconds.

    ``slots`` bounds the deliveries under way to each function, so that a slow one does not hold up the others;
    ``poll`` is how soon another process's messages are seen, one's own are seen at once.
    """

    project: str = "local-project"
    retry: Retry = Retry(min_backoff=1.0, max_backoff=60.0, max_attempts=5)
    headers: Mapping[str, str] = {}
    timeout: float = 600.0
    slots: int = 8
    poll: float = 0.1


class _Answer(Enum):
    TAKEN = auto()
    REFUSED = auto()
    UNREACHED = auto()


class Relay:
    """Takes due messages off ``bus`` and POSTs them to ``urls``, which maps a function's name to its URL.

    A 2xx answer settles a message. Anything else, or none in time, has it delivered again after a growing pause, until
    it has failed ``max_attempts`` times and goes to the dead letters. A function that cannot be reached at all has
    not seen the message, so that does not count. A message on its way when the process dies is still on the bus.
    """

    def __init__(self, bus: LocalBus, urls: Mapping[str, str], settings: RelaySettings) -> None:
        self._bus = bus
        self._urls = urls
        self._settings = settings
        # No proxy from the environment may come between two processes on one machine.
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.timeout, connect=5.0),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS),
            trust_env=False,
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._changed = threading.Condition()
        self._under_way: dict[int, str] = {}
        self._ownership: sqlite3.Connection | None = None

    def start(self) -> None:
        """Begin to deliver. Raises Conflict when another relay delivers this bus."""
        self._ownership = _own(self._bus.path)
        self._thread.start()

    def stop(self, *, grace: float = 10.0) -> None:
        """Take nothing more, and wait ``grace`` seconds for what is on its way; the rest is delivered next time."""
        if self._ownership is None:
            return
        self._stopping.set()
        self._bus.news.set()
        self._thread.join()
        with self._changed:
            settled = self._changed.wait_for(lambda: not self._under_way, timeout=grace)
        if settled:
            self._client.close()
        self._ownership.close()
        self._ownership = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Cleared before looking: what is published after the look wakes the wait.
            self._bus.news.clear()
            try:
                self._dispatch()
            except TryLater as exc:
                logger.warning("The bus cannot be read now: %s", exc)
            self._bus.news.wait(self._settings.poll)

    def _dispatch(self) -> None:
        # Copied before the bus is read: a message settled after this is left out, though the read may still show it.
        with self._changed:
            under_way = dict(self._under_way)
        busy = Counter(under_way.values())
        for delivery in self._bus.due(self._urls, 2 * self._settings.slots):
            if delivery.id not in under_way and busy[delivery.function] < self._settings.slots:
                busy[delivery.function] += 1
                self._begin(delivery)

    def _begin(self, delivery: Delivery) -> None:
        with self._changed:
            self._under_way[delivery.id] = delivery.function
        # Daemons, so that a function that never answers cannot keep the process from ending.
        threading.Thread(target=self._deliver, args=(delivery,), name="delivery", daemon=True).start()

    def _deliver(self, delivery: Delivery) -> None:
        try:
            self._settle(delivery, self._answer(delivery))
        except TryLater as exc:
            logger.warning("Message %s will be delivered once more: %s", delivery.message_id, exc)
        finally:
            self._end(delivery)

    def _end(self, delivery: Delivery) -> None:
        with self._changed:
            del self._under_way[delivery.id]
            self._changed.notify_all()
            last = self._stopping.is_set() and not self._under_way
        if last:
            self._client.close()
        self._bus.news.set()

    def _answer(self, delivery: Delivery) -> _Answer:
        settings = self._settings
        headers = {**settings.headers, **_headers(delivery, settings.project)}
        try:
            answer = self._client.post(
                self._urls[delivery.function], content=_body(delivery, settings.project), headers=headers
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return _Answer.UNREACHED
        except httpx.HTTPError as exc:
            logger.warning("%s did not answer message %s: %r", delivery.function, delivery.message_id, exc)
            return _Answer.REFUSED
        if not answer.is_success:
            logger.warning("%s answered %d to message %s", delivery.function, answer.status_code, delivery.message_id)
        return _Answer.TAKEN if answer.is_success else _Answer.REFUSED

    def _settle(self, delivery: Delivery, answer: _Answer) -> None:
        match answer:
            case _Answer.TAKEN:
                self._bus.acknowledge(delivery)
            case _Answer.UNREACHED:
                self._bus.postpone(delivery, failures=delivery.failures, seconds=self._settings.retry.min_backoff)
            case _Answer.REFUSED if not self._stopping.is_set():
                self._refuse(delivery, delivery.failures + 1)
            case _Answer.REFUSED:
                # The functions may be ending with us: what was cut off is no failure, and is still due.
                pass

    def _refuse(self, delivery: Delivery, failures: int) -> None:
        retry = self._settings.retry
        # As on Pub/Sub, nothing comes after the dead letters: there it is tried until it is taken.
        if failures >= retry.max_attempts and delivery.message.topic is not Topic.DEAD_LETTERS:
            self._bus.bury(delivery, _letter(delivery, failures, self._settings.project))
        else:
            seconds = pause(failures, retry, chance=random.random())  # noqa: S311  # spreads load, hides nothing
            self._bus.postpone(delivery, failures=failures, seconds=seconds)


def pause(failures: int, retry: Retry, *, chance: float) -> float:
    """Seconds until the next attempt: doubling with each failure, moved by ``chance`` (0 to 1), within both bounds."""
    # The exponent is bounded because a dead letter may fail for years.
    grown = retry.min_backoff * 2 ** min(failures - 1, 30)
    return float(max(retry.min_backoff, min(retry.max_backoff, grown) * (0.8 + 0.2 * chance)))


def subscription_name(topic: Topic, function: str) -> str:
    """The subscription through which ``function`` takes ``topic``; it says where a dead letter came from."""
    return f"{topic.value}.{function}"


def _own(path: Path) -> sqlite3.Connection:
    """Hold a lock that ends with the process, however it ends."""
    lock = path.with_name(f"{path.name}.relay")
    connection = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as exc:
        connection.close()
        raise Conflict(f"Another tuneway delivers the events in {path} already. Stop it first.") from exc
    return connection


def _headers(delivery: Delivery, project: str) -> dict[str, str]:
    """A CloudEvent in binary mode: https://github.com/googleapis/google-cloudevents."""
    return {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": str(delivery.message_id),
        "ce-type": MESSAGE_PUBLISHED,
        "ce-source": f"//pubsub.googleapis.com/projects/{project}/topics/{delivery.message.topic.value}",
        "ce-time": _rfc3339(delivery.published_at),
    }


def _body(delivery: Delivery, project: str) -> bytes:
    message = {
        "data": base64.b64encode(delivery.message.data).decode(),
        "attributes": delivery.message.attributes,
        "messageId": str(delivery.message_id),
        "publishTime": _rfc3339(delivery.published_at),
    }
    name = subscription_name(delivery.message.topic, delivery.function)
    subscription = f"projects/{project}/subscriptions/{name}"
    return msgspec.json.encode(
        {"message": message, "subscription": subscription, "deliveryAttempt": delivery.failures + 1}
    )


def _letter(delivery: Delivery, failures: int, project: str) -> Message:
    attributes = {
        f"{DEAD_LETTER}Subscription": subscription_name(delivery.message.topic, delivery.function),
        f"{DEAD_LETTER}SubscriptionProject": project,
        f"{DEAD_LETTER}DeliveryCount": str(failures),
        f"{DEAD_LETTER}TopicPublishTime": _rfc3339(delivery.published_at),
    }
    return Message(
        topic=Topic.DEAD_LETTERS, data=delivery.message.data, attributes={**delivery.message.attributes, **attributes}
    )


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
