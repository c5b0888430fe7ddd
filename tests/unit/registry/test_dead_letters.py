"""Dead letters: kept once, shown newest first, sent again on their own topic."""

import base64
from pathlib import Path

import pytest

from tests.fakes import FakeEvents, Fuse
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, NotFound, TryLater
from tuneway.ports import Message, Topic
from tuneway.registry.dead_letters import DeadLetters


class Office:
    """Dead letters with a clock and a bus to look at."""

    def __init__(self, folder: Path) -> None:
        self.clock = 0.0
        self.bus = FakeEvents(Fuse())
        self.letters = DeadLetters(SqliteDocuments(folder / "state.sqlite"), self.bus, now=lambda: self.clock)

    def keep(self, id_: str, *, subscription: str = "job-requested.create_job", **attributes: str) -> None:
        self.clock += 1
        source = {
            "CloudPubSubDeadLetterSourceSubscription": subscription,
            "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        }
        self.letters.keep(id_, b"\xffpoison", {**source, **attributes})


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_letter_says_where_it_came_from(office: Office) -> None:
    office.keep("1", job_id="ftjob-1")
    (letter,) = office.letters.list()
    assert (letter.topic, letter.subscription, letter.deliveries) == ("job-requested", "job-requested.create_job", 5)
    assert (base64.b64decode(letter.data), letter.attributes) == (b"\xffpoison", {"job_id": "ftjob-1"})


def test_a_letter_delivered_twice_is_kept_once(office: Office) -> None:
    office.keep("1")
    first = office.letters.list()
    office.keep("1")
    assert office.letters.list() == first


def test_a_letter_delivered_again_after_its_replay_stays_replayed(office: Office) -> None:
    office.keep("1")
    office.letters.replay("1")
    office.keep("1")
    assert office.letters.list()[0].replayed_at == 1.0


def test_the_newest_letters_come_first(office: Office) -> None:
    for id_ in ("1", "2", "3"):
        office.keep(id_)
    assert [letter.id for letter in office.letters.list(limit=2)] == ["3", "2"]


def test_a_replay_sends_the_message_again_as_it_was(office: Office) -> None:
    office.keep("1", subscription="projects/p/subscriptions/poll-due.poll_jobs", job_id="ftjob-1")
    replayed = office.letters.replay("1")
    assert office.bus.sent == [Message(topic=Topic.POLL_DUE, data=b"\xffpoison", attributes={"job_id": "ftjob-1"})]
    assert office.letters.list() == [replayed]


def test_a_replay_that_fails_leaves_the_letter_unmarked(office: Office) -> None:
    office.keep("1")
    office.bus.away = True
    with pytest.raises(TryLater):
        office.letters.replay("1")
    assert office.letters.list()[0].replayed_at is None


@pytest.mark.parametrize("subscription", ["", "nobody-knows.x", "projects/p/subscriptions/"])
def test_a_letter_of_no_topic_cannot_be_replayed(office: Office, subscription: str) -> None:
    office.keep("1", subscription=subscription)
    with pytest.raises(BadInput):
        office.letters.replay("1")


def test_a_letter_that_is_not_there_cannot_be_replayed(office: Office) -> None:
    with pytest.raises(NotFound):
        office.letters.replay("none")
