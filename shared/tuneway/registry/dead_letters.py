"""Messages that kept failing: kept in sight until somebody sends them again."""

import base64
from collections.abc import Callable

import msgspec

from tuneway.errors import AlreadyExists, BadInput, NotFound
from tuneway.ports import Documents, Events, Message, Topic
from tuneway.state import Collection

SOURCE = "CloudPubSubDeadLetterSourceSubscription"
DELIVERIES = "CloudPubSubDeadLetterSourceDeliveryCount"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message no handler could take; ``data`` is base64, ``subscription`` is the one that gave up."""

    id: str
    subscription: str
    topic: str
    data: str
    attributes: dict[str, str]
    deliveries: int
    received_at: float
    replayed_at: float | None = None


class DeadLetters:
    """The use cases of dead letters."""

    def __init__(self, documents: Documents, events: Events, *, now: Callable[[], float]) -> None:
        self._letters = Collection(documents, "dead_letters", DeadLetter)
        self._documents = documents
        self._events = events
        self._now = now

    def keep(self, id_: str, data: bytes, attributes: dict[str, str]) -> DeadLetter:
        """The handler of ``dead-letters``. Repeating the call changes nothing."""
        subscription = attributes.get(SOURCE, "")
        letter = DeadLetter(
            id=id_,
            subscription=subscription,
            topic=_topic_of(subscription),
            data=base64.b64encode(data).decode(),
            attributes={name: value for name, value in attributes.items() if not name.startswith("CloudPubSub")},
            deliveries=int(attributes.get(DELIVERIES) or 0),
            received_at=self._now(),
        )
        try:
            self._documents.commit(self._letters.create(id_, letter))
        except AlreadyExists:
            return self._letters.get(id_).value
        return letter

    def list(self, *, limit: int = 100) -> list[DeadLetter]:
        """The newest first."""
        return [found.value for found in self._letters.find(order_by="received_at", descending=True, limit=limit)]

    def replay(self, id_: str) -> DeadLetter:
        """Send the message again on its own topic, then mark the letter. Raises NotFound, BadInput, TryLater."""
        found = self._letters.known(id_)
        if found is None:
            raise NotFound(f"There is no dead letter '{id_}'.", param="dead_letter_id")
        letter = found.value
        if letter.topic not in set(Topic):
            raise BadInput(f"Dead letter '{id_}' does not say which topic it came from.", param="dead_letter_id")
        self._events.publish(
            Message(topic=Topic(letter.topic), data=base64.b64decode(letter.data), attributes=letter.attributes)
        )
        replayed = msgspec.structs.replace(letter, replayed_at=self._now())
        self._documents.commit(self._letters.put(id_, replayed))
        return replayed


def _topic_of(subscription: str) -> str:
    """Subscriptions are named ``<topic>.<function>``."""
    return subscription.rpartition("/")[2].partition(".")[0]
