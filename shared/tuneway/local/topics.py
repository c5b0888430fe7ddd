"""Topics and push subscriptions on a Pub/Sub that Terraform does not manage: the emulator's."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol, cast

from google.api_core.exceptions import AlreadyExists
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription

from tuneway.local.manifest import Retry
from tuneway.local.relay import subscription_name
from tuneway.ports import Topic

CALL_SECONDS = 20.0
# How long Pub/Sub waits for a push to be answered: its longest, beyond the longest event function.
ACK_SECONDS = 600


class _Publisher(Protocol):
    def create_topic(self, *, name: str, timeout: float) -> object: ...


class _Subscriber(Protocol):
    def create_subscription(self, *, request: Subscription, timeout: float) -> object: ...
    def modify_push_config(self, *, subscription: str, push_config: PushConfig, timeout: float) -> object: ...


class Provisioner:
    """Makes what is missing in ``project``; doing it again changes nothing but the URLs."""

    def __init__(self, publisher: PublisherClient, subscriber: SubscriberClient, project: str) -> None:
        self._publisher = cast("_Publisher", publisher)
        self._subscriber = cast("_Subscriber", subscriber)
        self._project = project

    def provision(self, subscriptions: Mapping[Topic, Mapping[str, str]], retry: Retry) -> None:
        """Every topic, and for each of ``subscriptions`` (topic → function → URL) a push with retries and dead letters.

        The URL a push goes to ends in ``/projects/…/topics/…``: from there the functions framework takes a CloudEvent's
        source.
        """
        for topic in Topic:
            with suppress(AlreadyExists):
                self._publisher.create_topic(name=self._topic(topic), timeout=CALL_SECONDS)
        for topic, urls in subscriptions.items():
            for function, url in urls.items():
                self._subscribe(self._subscription(topic, function, url), topic, retry)

    def _subscribe(self, subscription: Subscription, topic: Topic, retry: Retry) -> None:
        subscription.retry_policy = RetryPolicy(
            minimum_backoff=timedelta(seconds=retry.min_backoff), maximum_backoff=timedelta(seconds=retry.max_backoff)
        )
        # Nothing comes after the dead letters: there a message is tried until it is taken.
        if topic is not Topic.DEAD_LETTERS:
            subscription.dead_letter_policy = DeadLetterPolicy(
                dead_letter_topic=self._topic(Topic.DEAD_LETTERS), max_delivery_attempts=retry.max_attempts
            )
        try:
            self._subscriber.create_subscription(request=subscription, timeout=CALL_SECONDS)
        except AlreadyExists:
            self._subscriber.modify_push_config(
                subscription=subscription.name, push_config=subscription.push_config, timeout=CALL_SECONDS
            )

    def _subscription(self, topic: Topic, function: str, url: str) -> Subscription:
        return Subscription(
            name=f"projects/{self._project}/subscriptions/{subscription_name(topic, function)}",
            topic=self._topic(topic),
            push_config=PushConfig(push_endpoint=f"{url.rstrip('/')}/{self._topic(topic)}"),
            ack_deadline_seconds=ACK_SECONDS,
        )

    def _topic(self, topic: Topic) -> str:
        return f"projects/{self._project}/topics/{topic.value}"
