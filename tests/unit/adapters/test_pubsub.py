"""What Pub/Sub's answers mean to a publisher."""

from collections.abc import Iterator

import pytest
from google.pubsub_v1.types import PublishResponse
from grpc import StatusCode

from tests.unit.adapters.grpc_service import Service, served
from tuneway.adapters.pubsub import PubsubEvents
from tuneway.errors import BadInput, TryLater, TunewayError
from tuneway.local.emulators import pubsub_clients
from tuneway.ports import Message, Topic

MESSAGE = Message(topic=Topic.JOB_REQUESTED, data=b"x")


@pytest.fixture
def service() -> Iterator[Service]:
    with served(Service(PublishResponse.serialize(PublishResponse(message_ids=["1"])))) as found:
        yield found


@pytest.fixture
def events(service: Service) -> Iterator[PubsubEvents]:
    publisher, subscriber = pubsub_clients(service.address)
    yield PubsubEvents(publisher, "project-1")
    publisher.stop()
    subscriber.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (StatusCode.NOT_FOUND, TryLater),
        (StatusCode.PERMISSION_DENIED, TryLater),
        (StatusCode.FAILED_PRECONDITION, TryLater),
        (StatusCode.INVALID_ARGUMENT, BadInput),
    ],
)
def test_a_refused_message_says_what_to_do(
    service: Service, events: PubsubEvents, *, status: StatusCode, error: type[TunewayError]
) -> None:
    service.statuses = [status]
    with pytest.raises(error):
        events.publish(MESSAGE)


@pytest.mark.parametrize("status", [StatusCode.UNAVAILABLE, StatusCode.INTERNAL, StatusCode.DEADLINE_EXCEEDED])
def test_a_message_of_unknown_outcome_is_sent_again(service: Service, events: PubsubEvents, status: StatusCode) -> None:
    service.statuses = [status]
    events.publish(MESSAGE)
    assert service.calls == ["Publish"] * 2


def test_a_publish_of_nothing_is_done_at_once(service: Service, events: PubsubEvents) -> None:
    events.publish()
    assert service.calls == []
