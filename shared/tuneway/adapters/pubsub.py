"""Events on Pub/Sub: published, and waited for, before the caller is told that it is done."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol, cast

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.pubsub_v1 import PublisherClient

from tuneway.adapters.portable import check_message
from tuneway.errors import BadInput, TryLater
from tuneway.ports import Message

PUBLISH_SECONDS = 15.0

# A message published twice is no harm on an at-least-once bus, so an unknown outcome is tried again too.
PASSING = (
    exceptions.Aborted,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
)
PATIENCE = Retry(predicate=if_exception_type(*PASSING), initial=0.1, maximum=2.0, multiplier=2, timeout=PUBLISH_SECONDS)


class _Future(Protocol):
    def result(self, timeout: float) -> str: ...


class _Publisher(Protocol):
    """What is used of the client's partly typed ``PublisherClient``."""

    def publish(self, topic: str, data: bytes, *, retry: Retry, timeout: float, **attrs: str) -> _Future: ...


class PubsubEvents:
    """``ports.Events`` on the topics of one project, which must exist."""

    def __init__(self, publisher: PublisherClient, project: str) -> None:
        self._publisher = cast("_Publisher", publisher)
        self._project = project

    def publish(self, *messages: Message) -> None:
        """Every message is with Pub/Sub once this returns; without waiting, a frozen instance could keep them.

        Raises BadInput, TryLater (some of the messages may be published all the same).
        """
        for message in messages:
            check_message(message)
        with _mapped():
            deadline = time.monotonic() + PUBLISH_SECONDS
            for future in [self._sent(message) for message in messages]:
                future.result(timeout=max(0.0, deadline - time.monotonic()))

    def _sent(self, message: Message) -> _Future:
        topic = f"projects/{self._project}/topics/{message.topic.value}"
        return self._publisher.publish(
            topic, message.data, retry=PATIENCE, timeout=PUBLISH_SECONDS, **message.attributes
        )


@contextmanager
def _mapped() -> Generator[None]:
    try:
        yield
    except exceptions.InvalidArgument as exc:
        raise BadInput(f"Pub/Sub: {exc.message}") from exc
    except exceptions.GoogleAPIError as exc:
        raise TryLater(f"Pub/Sub: {exc}") from exc
    except TimeoutError as exc:
        raise TryLater(f"Pub/Sub did not answer within {PUBLISH_SECONDS:.0f} seconds.") from exc
