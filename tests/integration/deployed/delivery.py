"""Pub/Sub's push subscriptions as infra/pubsub.tf declares them, for an emulator that cannot sign what it pushes.

The emulator keeps topics, backoff, attempts and dead letters itself, by the declared policies; the relay only takes
each message from its subscription and brings it where, as whom and in which form Pub/Sub would.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.integration.deployed.declared import Declared, Subscription

# https://cloud.google.com/pubsub/docs/push, read 2026-11: the wrapped form has two fields under both of their names.
TWICE = {"messageId": "message_id", "publishTime": "publish_time"}
AGENT = "CloudPubSub-Google"
AT_ONCE = 10
PULL_SECONDS = 3600.0
MOST_KEPT = 7 * 86_400  # seconds: the emulator keeps a message for no longer, Pub/Sub for up to 31 days
Signed = Callable[[str, str], dict[str, str]]


class Relay:
    """Delivers every subscription until it is stopped; ``haste`` divides the pauses between attempts."""

    def __init__(self, declared: Declared, address: str, *, signed: Signed, haste: float) -> None:
        self._declared = declared
        self._signed = signed
        self._haste = haste
        # The emulator answers a pull with the next message, however long that takes.
        self._emulator = httpx.Client(
            base_url=f"http://{address}/v1/",
            timeout=httpx.Timeout(PULL_SECONDS, connect=5.0),
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )
        self._functions = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(thread_name_prefix="push", max_workers=64)
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name=each.name, daemon=True)
            for each in declared.subscriptions
        ]

    def start(self) -> None:
        """Make topics and subscriptions, and begin to deliver."""
        for topic in self._declared.topics:
            self._put(topic, {})
        for each in self._declared.subscriptions:
            self._put(each.name, self._taken(each.body))
        for thread in self._threads:
            thread.start()

    def publish(self, topic: str, data: str, attributes: Mapping[str, str]) -> None:
        """Put a message (``data`` in base64) on a topic, as anybody with its role could."""
        path = f"projects/{self._declared.project}/topics/{topic}:publish"
        messages = [{"data": data, "attributes": dict(attributes)}]
        self._emulator.post(path, json={"messages": messages}).raise_for_status()

    def stop(self, *, end: Callable[[], None]) -> None:
        """Take no more, wait for what is on its way, and ``end`` the emulator, which a pull under way waits for."""
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)
        end()
        for thread in self._threads:
            thread.join(10)
        self._emulator.close()
        self._functions.close()

    def _run(self, subscription: Subscription) -> None:
        while not self._stopping.is_set():
            try:
                pulled = self._emulator.post(f"{subscription.name}:pull", json={"maxMessages": AT_ONCE})
                for received in pulled.raise_for_status().json().get("receivedMessages", []):
                    self._pool.submit(self._deliver, subscription, received)
            except (httpx.TransportError, RuntimeError):
                # The end: the emulator, or the pool, is gone.
                if not self._stopping.is_set():
                    raise

    def _deliver(self, subscription: Subscription, received: Mapping[str, Any]) -> None:
        taken = self._pushed(subscription, received)
        path, body = ("acknowledge", {}) if taken else ("modifyAckDeadline", {"ackDeadlineSeconds": 0})
        # Not acknowledged is what a deadline of nothing says; the emulator then waits as the retry policy has it.
        self._emulator.post(f"{subscription.name}:{path}", json={"ackIds": [received["ackId"]], **body})

    def _pushed(self, subscription: Subscription, received: Mapping[str, Any]) -> bool:
        message = received["message"]
        body = {
            "message": message | {snake: message[camel] for camel, snake in TWICE.items()},
            "subscription": subscription.name,
        }
        if "deadLetterPolicy" in subscription.body:
            body["deliveryAttempt"] = received["deliveryAttempt"]
        headers = {"user-agent": AGENT, **self._signed(subscription.account, subscription.audience)}
        try:
            answer = self._functions.post(
                subscription.endpoint, json=body, headers=headers, timeout=subscription.ack_deadline
            )
        except httpx.TransportError:
            return False
        return answer.is_success

    def _taken(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the emulator takes of it."""
        retry = {name: self._hastened(pause) for name, pause in body["retryPolicy"].items()}
        kept = min(_seconds(body["messageRetentionDuration"]), MOST_KEPT)
        return {**body, "retryPolicy": retry, "messageRetentionDuration": f"{kept:.0f}s"}

    def _hastened(self, pause: str) -> str:
        return f"{_seconds(pause) / self._haste:.3f}s"

    def _put(self, name: str, body: Mapping[str, Any]) -> None:
        answer = self._emulator.put(name, json=body)
        assert answer.is_success, answer.text


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))
