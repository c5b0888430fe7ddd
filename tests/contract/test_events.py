"""The contract of ``ports.Events`` with its delivery: the local bus and its relay, Pub/Sub and its push.

The functions run on the functions framework, so what is compared is what a deployed function would see.
"""

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.contract.receiving import Inbox, function
from tuneway.adapters.local_bus import LocalBus
from tuneway.adapters.pubsub import PubsubEvents
from tuneway.errors import BadInput
from tuneway.local.emulators import pubsub_clients
from tuneway.local.manifest import Retry
from tuneway.local.relay import Relay, RelaySettings
from tuneway.local.topics import Provisioner
from tuneway.ports import Events, Message, Topic

SUBSCRIPTIONS = {
    Topic.JOB_REQUESTED: ["create_job"],
    Topic.JOB_FINISHED: ["deploy_model", "poll_jobs"],
    Topic.DEAD_LETTERS: ["dead_letter"],
}
RETRY = Retry(min_backoff=0.2, max_backoff=0.5, max_attempts=5)


class Bus(msgspec.Struct, frozen=True):
    """A bus that delivers, and what its functions received."""

    events: Events
    inboxes: dict[str, Inbox]
    project: str

    def publish(self, data: bytes, topic: Topic = Topic.JOB_REQUESTED, **attributes: str) -> None:
        self.events.publish(Message(topic=topic, data=data, attributes=attributes))

    @property
    def jobs(self) -> Inbox:
        return self.inboxes["create_job"]


@pytest.fixture
def functions() -> Iterator[tuple[dict[str, Inbox], dict[str, str]]]:
    inboxes = {name: Inbox() for names in SUBSCRIPTIONS.values() for name in names}
    with ExitStack() as servers:
        yield inboxes, {name: servers.enter_context(function(inbox)) for name, inbox in inboxes.items()}


@pytest.fixture
def local_bus(functions: tuple[dict[str, Inbox], dict[str, str]], tmp_path: Path) -> Iterator[Bus]:
    inboxes, urls = functions
    bus = LocalBus(tmp_path / "bus.db", SUBSCRIPTIONS)
    relay = Relay(bus, urls, RelaySettings(project="project-local", retry=RETRY))
    relay.start()
    yield Bus(bus, inboxes, "project-local")
    relay.stop()
    bus.close()


@pytest.fixture
def pubsub_bus(functions: tuple[dict[str, Inbox], dict[str, str]], pubsub_emulator: str) -> Iterator[Bus]:
    inboxes, urls = functions
    project = f"project-{uuid.uuid4().hex[:12]}"
    publisher, subscriber = pubsub_clients(pubsub_emulator)
    pushes = {topic: {name: urls[name] for name in names} for topic, names in SUBSCRIPTIONS.items()}
    provisioner = Provisioner(publisher, subscriber, project)
    provisioner.provision(pushes, RETRY)
    provisioner.provision(pushes, RETRY)
    yield Bus(PubsubEvents(publisher, project), inboxes, project)
    for topic, names in pushes.items():
        for name in names:
            subscriber.delete_subscription(
                subscription=f"projects/{project}/subscriptions/{topic.value}.{name}", timeout=60
            )
    publisher.stop()
    subscriber.close()


@pytest.fixture(params=["local_bus", "pubsub_bus"], ids=["local", "pubsub"])
def bus(request: pytest.FixtureRequest) -> Bus:
    found: Bus = request.getfixturevalue(request.param)
    return found


def test_a_function_sees_the_same_cloud_event(bus: Bus) -> None:
    bus.publish(b'{"job_id": "ftjob-1"}', job="ftjob-1", kind="späť")
    received = bus.jobs.wait(1)[0]
    assert received.data == b'{"job_id": "ftjob-1"}'
    assert received.attributes == {"job": "ftjob-1", "kind": "späť"}
    assert received.event["type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert received.event["source"] == f"//pubsub.googleapis.com/projects/{bus.project}/topics/job-requested"
    assert received.event["id"] == received.message["messageId"] != ""
    assert received.event["specversion"] == "1.0"


def test_a_message_says_when_it_was_published(bus: Bus) -> None:
    bus.publish(b"x")
    received = bus.jobs.wait(1)[0]
    published = datetime.fromisoformat(received.message["publishTime"])
    assert abs(datetime.now(UTC) - published) < timedelta(minutes=5)


def test_bytes_travel_as_they_are(bus: Bus) -> None:
    data = bytes(range(256)) * 40
    bus.publish(data)
    assert bus.jobs.wait(1)[0].data == data


def test_a_message_may_be_attributes_alone(bus: Bus) -> None:
    bus.publish(b"", job="ftjob-1")
    received = bus.jobs.wait(1)[0]
    assert (received.data, received.attributes) == (b"", {"job": "ftjob-1"})


def test_what_was_taken_is_delivered_once(bus: Bus) -> None:
    bus.events.publish(*(Message(topic=Topic.JOB_REQUESTED, data=b"%d" % n) for n in range(30)))
    bus.jobs.wait(30)
    received = bus.jobs.settled()
    assert sorted(int(one.data) for one in received) == list(range(30))
    assert len({one.event["id"] for one in received}) == 30


def test_a_slow_function_is_not_asked_twice(bus: Bus) -> None:
    bus.jobs.seconds = 0.8
    bus.publish(b"x")
    bus.jobs.wait(1)
    assert len(bus.jobs.settled(seconds=1.2)) == 1


def test_every_function_of_a_topic_gets_its_own(bus: Bus) -> None:
    bus.inboxes["deploy_model"].refuses = lambda position: position == 0
    bus.publish(b"x", Topic.JOB_FINISHED)
    assert len(bus.inboxes["deploy_model"].wait(2)) == 2
    bus.inboxes["poll_jobs"].wait(1)
    assert len(bus.inboxes["poll_jobs"].settled()) == 1


def test_what_was_refused_comes_again_after_a_pause(bus: Bus) -> None:
    bus.jobs.refuses = lambda position: position < 2
    bus.publish(b"x", job="ftjob-1")
    received = bus.jobs.wait(3)
    assert {one.event["id"] for one in received} == {received[0].event["id"]}
    assert {(one.data, one.attributes["job"]) for one in received} == {(b"x", "ftjob-1")}
    assert all(b.at - a.at >= 0.15 for a, b in itertools.pairwise(received))
    assert len(bus.jobs.settled()) == 3


def test_what_is_refused_five_times_becomes_a_dead_letter(bus: Bus) -> None:
    bus.jobs.refuses = lambda _: True
    bus.publish(b'{"job_id": "ftjob-1"}', job="ftjob-1")
    letter = bus.inboxes["dead_letter"].wait(1)[0]
    assert letter.data == b'{"job_id": "ftjob-1"}'
    assert letter.event["source"] == f"//pubsub.googleapis.com/projects/{bus.project}/topics/dead-letters"
    assert letter.attributes["job"] == "ftjob-1"
    assert letter.attributes["CloudPubSubDeadLetterSourceSubscription"] == "job-requested.create_job"
    assert letter.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == bus.project
    assert letter.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert datetime.fromisoformat(letter.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"]).tzinfo
    assert len(bus.jobs.settled()) == 5


def test_a_dead_letter_that_is_refused_comes_again(bus: Bus) -> None:
    bus.inboxes["dead_letter"].refuses = lambda position: position < 1
    bus.publish(b"x", Topic.DEAD_LETTERS)
    assert [one.data for one in bus.inboxes["dead_letter"].wait(2)] == [b"x", b"x"]


def test_many_publish_at_once_and_nothing_is_lost(bus: Bus) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: bus.publish(b"%d" % n), range(160)))
    received = Counter(int(one.data) for one in bus.jobs.wait(160))
    assert received == Counter(range(160))


def test_a_topic_that_nobody_takes_is_published_all_the_same(bus: Bus) -> None:
    bus.publish(b"x", Topic.TUNING_EVENTS)
    bus.publish(b"y")
    assert [one.data for one in bus.jobs.wait(1)] == [b"y"]


@pytest.mark.parametrize(
    "message",
    [
        Message(topic=Topic.JOB_REQUESTED, data=b""),
        Message(topic=Topic.JOB_REQUESTED, data=b"x" * 10_000_001),
        Message(topic=Topic.JOB_REQUESTED, data=b"x", attributes={"a": "x" * 1_025}),
        Message(topic=Topic.JOB_REQUESTED, data=b"x", attributes={"": "x"}),
        Message(topic=Topic.JOB_REQUESTED, data=b"x", attributes={"topic": "x"}),
        Message(topic=Topic.JOB_REQUESTED, data=b"x", attributes={"googfoo": "x"}),
        Message(topic=Topic.JOB_REQUESTED, data=b"x", attributes={f"a{n}": "x" for n in range(101)}),
    ],
    ids=["empty", "data", "value", "nameless", "keyword", "reserved", "many"],
)
def test_what_pubsub_would_refuse_both_refuse_with_all_beside_it(bus: Bus, message: Message) -> None:
    with pytest.raises(BadInput):
        bus.events.publish(Message(topic=Topic.JOB_REQUESTED, data=b"fine"), message)
    bus.publish(b"later")
    assert [one.data for one in bus.jobs.wait(1)] == [b"later"]
