"""What the relay promises beyond the contract of every bus."""

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.unit.local.callee import Callee, served
from tests.waiting import wait_until
from tuneway.adapters.local_bus import LocalBus
from tuneway.errors import Conflict
from tuneway.local.manifest import Retry
from tuneway.local.relay import Relay, RelaySettings, pause
from tuneway.ports import Message, Topic

ROOT = Path(__file__).parents[3]
SUBSCRIPTIONS = {Topic.JOB_REQUESTED: ["create_job"], Topic.DEAD_LETTERS: ["dead_letter"]}
SETTINGS = RelaySettings(
    project="p1",
    retry=Retry(min_backoff=0.05, max_backoff=0.2, max_attempts=5),
    headers={"authorization": "Bearer platform"},
    poll=0.05,
)
MESSAGE = Message(topic=Topic.JOB_REQUESTED, data=b'{"job_id": "ftjob-1"}', attributes={"a": "b"})

Start = Callable[..., Relay]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[LocalBus]:
    bus = LocalBus(tmp_path / "bus.db", SUBSCRIPTIONS)
    yield bus
    bus.close()


@pytest.fixture
def start(bus: LocalBus) -> Iterator[Start]:
    with ExitStack() as relays:

        def begin(settings: RelaySettings = SETTINGS, **urls: str) -> Relay:
            relay = Relay(bus, urls, settings)
            relay.start()
            relays.callback(relay.stop, grace=2)
            return relay

        yield begin


@pytest.fixture
def callee() -> Iterator[Callee]:
    with served(Callee()) as found:
        yield found


def test_a_delivery_is_a_binary_cloud_event(bus: LocalBus, callee: Callee, start: Start) -> None:
    start(create_job=callee.url)
    bus.publish(MESSAGE)
    call = callee.wait(1)[0]
    assert call.path == "/function"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["ce-specversion"] == "1.0"
    assert call.headers["ce-type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert call.headers["ce-source"] == "//pubsub.googleapis.com/projects/p1/topics/job-requested"
    assert call.headers["authorization"] == "Bearer platform"
    message = call.json["message"]
    assert call.headers["ce-id"] == message["messageId"]
    assert call.headers["ce-time"] == message["publishTime"]
    assert (base64.b64decode(message["data"]), message["attributes"]) == (MESSAGE.data, {"a": "b"})
    assert call.json["subscription"] == "projects/p1/subscriptions/job-requested.create_job"


def test_the_attempts_are_counted(bus: LocalBus, callee: Callee, start: Start) -> None:
    callee.answers = [500, 302, 404, 204]
    start(create_job=callee.url)
    bus.publish(MESSAGE)
    assert [call.json["deliveryAttempt"] for call in callee.wait(4)] == [1, 2, 3, 4]
    assert len(callee.settled()) == 4


def test_what_was_published_before_the_start_is_delivered(bus: LocalBus, callee: Callee, start: Start) -> None:
    bus.publish(MESSAGE)
    start(create_job=callee.url)
    assert callee.wait(1)


def test_another_process_can_publish(bus: LocalBus, callee: Callee, start: Start) -> None:
    start(create_job=callee.url)
    code = (
        "import sys; from pathlib import Path; from tuneway.adapters.local_bus import LocalBus;"
        "from tuneway.ports import Message, Topic;"
        "LocalBus(Path(sys.argv[1]), {Topic.JOB_REQUESTED: ['create_job']})"
        ".publish(Message(topic=Topic.JOB_REQUESTED, data=b'from afar'))"
    )
    subprocess.run([sys.executable, "-c", code, str(bus.path)], env={"PYTHONPATH": str(ROOT / "shared")}, check=True)
    assert base64.b64decode(callee.wait(1)[0].json["message"]["data"]) == b"from afar"


def test_a_message_on_its_way_outlives_a_killed_relay(bus: LocalBus, callee: Callee, start: Start) -> None:
    callee.seconds = 30
    bus.publish(MESSAGE)
    paths = os.pathsep.join((str(ROOT), str(ROOT / "shared")))
    command = [sys.executable, "-m", "tests.unit.local.deliverer", str(bus.path), callee.url]
    doomed = subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": paths})
    callee.wait(1)
    doomed.kill()
    doomed.wait()
    callee.seconds = 0
    start(create_job=callee.url)
    first, second = callee.wait(2)
    assert first.json["message"] == second.json["message"]
    assert second.json["deliveryAttempt"] == 1
    assert len(callee.settled()) == 2


def test_a_function_that_cannot_be_reached_has_not_failed(bus: LocalBus, start: Start) -> None:
    port = free_port()
    with served(Callee(), port=port) as gone:
        url = gone.url
    start(create_job=url)
    bus.publish(MESSAGE)
    with pytest.raises(AssertionError):
        gone.wait(1, seconds=0.6)
    with served(Callee(), port=port) as back:
        assert back.wait(1)[0].json["deliveryAttempt"] == 1


def test_a_function_that_does_not_answer_in_time_is_asked_again(bus: LocalBus, callee: Callee, start: Start) -> None:
    callee.seconds = 0.4
    start(RelaySettings(retry=SETTINGS.retry, timeout=0.1), create_job=callee.url)
    bus.publish(MESSAGE)
    assert [call.json["deliveryAttempt"] for call in callee.wait(2)] == [1, 2]


def test_a_dead_letter_is_never_given_up(bus: LocalBus, start: Start) -> None:
    with served(Callee(*[500] * 7, 200)) as callee:
        start(dead_letter=callee.url)
        bus.publish(Message(topic=Topic.DEAD_LETTERS, data=b"x"))
        assert callee.wait(8)[-1].json["deliveryAttempt"] == 8
        assert len(callee.settled()) == 8


def test_after_a_dead_letter_nothing_is_left_behind(bus: LocalBus, callee: Callee, start: Start) -> None:
    with served(Callee(500)) as failing:
        start(create_job=failing.url, dead_letter=callee.url)
        bus.publish(MESSAGE)
        callee.wait(1)
        assert len(failing.settled(seconds=0.1)) == 5
    wait_until(lambda: bus.due(["create_job", "dead_letter"], 10) == [])
    assert len(callee.settled()) == 1


def test_a_slow_function_does_not_hold_up_another(bus: LocalBus, callee: Callee, start: Start) -> None:
    with served(Callee()) as slow:
        slow.seconds = 20
        start(RelaySettings(slots=2), create_job=slow.url, dead_letter=callee.url)
        bus.publish(*[MESSAGE] * 20)
        slow.wait(2)
        bus.publish(Message(topic=Topic.DEAD_LETTERS, data=b"x"))
        assert callee.wait(1)
        assert len(slow.settled(seconds=0.1)) == 2


def test_stopping_waits_for_what_is_on_its_way(bus: LocalBus, callee: Callee, start: Start) -> None:
    callee.seconds = 0.5
    relay = start(create_job=callee.url)
    bus.publish(MESSAGE)
    callee.wait(1)
    relay.stop()
    assert bus.due(["create_job"], 1) == []


def test_stopping_waits_no_longer_than_its_grace(bus: LocalBus, callee: Callee, start: Start) -> None:
    callee.seconds = 30
    relay = start(create_job=callee.url)
    bus.publish(MESSAGE)
    callee.wait(1)
    relay.stop(grace=0.1)
    assert [delivery.failures for delivery in bus.due(["create_job"], 1)] == [0]


def test_nothing_is_delivered_after_the_stop(bus: LocalBus, callee: Callee, start: Start) -> None:
    start(create_job=callee.url).stop()
    bus.publish(MESSAGE)
    assert callee.settled() == []


def test_one_bus_has_one_relay(bus: LocalBus, callee: Callee, start: Start) -> None:
    first = start(create_job=callee.url)
    with pytest.raises(Conflict):
        start(create_job=callee.url)
    first.stop()
    start(create_job=callee.url)
    bus.publish(MESSAGE)
    callee.wait(1)
    assert len(callee.settled()) == 1


@pytest.mark.parametrize(
    ("failures", "chance", "seconds"),
    [(1, 0.0, 1.0), (1, 1.0, 1.0), (2, 1.0, 2.0), (2, 0.0, 1.6), (4, 1.0, 8.0), (5, 1.0, 10.0), (5000, 0.0, 8.0)],
)
def test_pauses_double_within_their_bounds(failures: int, chance: float, seconds: float) -> None:
    retry = Retry(min_backoff=1, max_backoff=10, max_attempts=5)
    assert pause(failures, retry, chance=chance) == pytest.approx(seconds)
