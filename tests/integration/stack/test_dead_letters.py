"""What no handler can take ends in the dead letters, in sight and ready to be sent again."""

import base64
from typing import Any

import httpx
import pytest

from tests.integration.stack.bus import bus_of
from tests.integration.stack.running import Stack
from tests.waiting import wait_until
from tuneway.ports import Message, Topic

LETTERS = "/v1/registry/dead_letters"


UNREADABLE = [b"\xff not json", b"{}", b'{"job_id": 5}', b"[]"]
UNKNOWN = b'{"job_id": "ftjob-none"}'
POISON = [
    Message(topic=topic, data=data, attributes={"test": f"{topic} {data!r}"})
    for topic, poison in {
        Topic.JOB_REQUESTED: [*UNREADABLE, UNKNOWN],
        Topic.POLL_DUE: [*UNREADABLE, UNKNOWN],
        Topic.JOB_FINISHED: UNREADABLE,
    }.items()
    for data in poison
]


@pytest.fixture(scope="module")
def published(stack: Stack) -> None:
    """All at once, so that their attempts take place side by side."""
    bus_of(stack.data).publish(*POISON)


@pytest.mark.parametrize("message", POISON, ids=lambda message: str(message.attributes["test"]))
def test_poison_is_kept_after_its_attempts(published: None, http: httpx.Client, message: Message) -> None:
    letter = kept(http, message)
    assert (letter["topic"], letter["deliveries"], letter.get("replayed_at")) == (message.topic, 5, None)
    assert base64.b64decode(letter["data"]) == message.data


def kept(http: httpx.Client, message: Message) -> dict[str, Any]:
    """The letter that became of it."""
    wait_until(lambda: bool(_of(http, message)))
    (letter,) = _of(http, message)
    return letter


def test_a_letter_can_be_sent_again(stack: Stack, http: httpx.Client) -> None:
    message = Message(topic=Topic.JOB_REQUESTED, data=b"poison", attributes={"test": "replay"})
    bus_of(stack.data).publish(message)
    letter = kept(http, message)
    answer = http.post(f"{LETTERS}/{letter['id']}/replay")
    assert (answer.status_code, answer.json()["id"]) == (200, letter["id"])
    assert answer.json()["replayed_at"] >= letter["received_at"]
    wait_until(lambda: len(_of(http, message)) == 2)


def test_a_letter_that_is_not_there(http: httpx.Client) -> None:
    answer = http.post(f"{LETTERS}/none/replay")
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "dead_letter_id")


def _of(http: httpx.Client, message: Message) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = http.get(LETTERS).json()["data"]
    # Sent again, it takes the trace of the call that sent it along.
    return [letter for letter in letters if message.attributes.items() <= letter["attributes"].items()]
