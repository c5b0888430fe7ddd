"""Webhooks: secrets that are stored nowhere, signatures that OpenAI's SDK accepts, and every end told once."""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import openai
import pytest

from tests.fakes import NOW, Loop
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.ports import Key, Message, ProviderState, Topic
from tuneway.state import Collection
from tuneway.tuning.notify import BUDGET, Delivery, Notifier, Told
from tuneway.tuning.webhooks import CANCELLED, EVENT_TYPES, FAILED, MOST, SUCCEEDED, Webhook, Webhooks, Wish

URL = "https://hooks.example/tuneway"


class Receiver:
    """What was sent where; ``faults`` are raised first."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.faults: list[Exception] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.got.append((url, body, headers))


class Place:
    """A loop whose owner has webhooks."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        self.loop = Loop(folder)
        self.receiver = Receiver()
        self.webhooks = self.with_root(b"installation's own secret", private=private)
        now = self.now
        self.notify = Notifier(self.loop.documents, self.webhooks, post=self.receiver, now=now)

    def now(self) -> float:
        return self.loop.clock

    def with_root(self, root: bytes, *, private: bool = False) -> Webhooks:
        return Webhooks(self.loop.documents, root=lambda: root, now=self.now, new_id=self.loop.new_id, private=private)

    def made(self, *types: str, url: str = URL, owner: str = "acme") -> tuple[Webhook, str]:
        wish = Wish(name="shop", url=url, event_types=types or EVENT_TYPES)
        return self.webhooks.create(owner=owner, wish=wish)

    def ended(self) -> str:
        """A job that has succeeded, all its events on the bus."""
        job = self.loop.desk.create(self.loop.order(), owner="acme")
        self.loop.settle()
        return job.id

    def told(self) -> list[Told]:
        sent = [message for message in self.loop.events.sent if message.topic is Topic.TUNING_EVENTS]
        return [read(message) for message in sent]

    def tell_all(self) -> None:
        for told in self.told():
            self.notify(told)


def read(message: Message) -> Told:
    fields = {name: message.attributes[f"ce-{name}"] for name in Told.__struct_fields__}
    return msgspec.convert(fields, Told)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_end_of_a_job_is_sent_and_openais_sdk_accepts_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW + 3600)
    _, secret = place.made(SUCCEEDED)
    job = place.ended()
    place.loop.clock = NOW + 3600
    place.tell_all()
    ((url, body, headers),) = place.receiver.got
    client = openai.OpenAI(api_key="none")
    event = client.webhooks.unwrap(body, headers, secret=secret)
    assert event.type == "fine_tuning.job.succeeded"
    assert (url, event.data.id, event.object) == (URL, job, "event")
    assert event.id == headers["webhook-id"]
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body + b" ", headers, secret=secret)


def test_success_is_told_once_the_model_answers(place: Place) -> None:
    job = place.ended()
    (told,) = [told for told in place.told() if told.type == "tuneway.job.succeeded"]
    last = place.loop.desk.history(job, owner="acme", after=None, limit=1)[0]
    assert told.id == last.id
    assert place.loop.job(job).fine_tuned_model is not None
    assert [told.type for told in place.told()].count("tuneway.job.trained") == 1


def test_every_message_again_sends_nothing_again(place: Place) -> None:
    place.made()
    place.ended()
    place.tell_all()
    place.tell_all()
    assert len(place.receiver.got) == 1


def test_failure_and_cancellation_are_told(place: Place) -> None:
    place.made()
    for state in (ProviderState.FAILED, ProviderState.CANCELLED):
        place.loop.desk.create(place.loop.order(), owner="acme")
        place.loop.settle(train=False, beats=3)
        place.loop.backend.turn(list(place.loop.backend.jobs)[-1], state, error="no")
        place.loop.settle(train=False, beats=3)
    place.tell_all()
    assert [json.loads(body)["type"] for _, body, _ in place.receiver.got] == [FAILED, CANCELLED]


def test_only_the_owners_webhooks_hear_of_a_job_and_only_what_they_asked_for(place: Place) -> None:
    place.made(owner="other")
    place.made(FAILED)
    place.ended()
    place.tell_all()
    assert place.receiver.got == []


def test_one_webhook_that_fails_keeps_no_other_from_its_event(place: Place) -> None:
    place.made(url="https://a.example/")
    place.made(url="https://b.example/")
    place.ended()
    place.receiver.faults = [TryLater("busy")]
    with pytest.raises(TryLater, match="busy"):
        place.tell_all()
    assert len(place.receiver.got) == 1
    place.tell_all()
    assert {url for url, _, _ in place.receiver.got} == {"https://a.example/", "https://b.example/"}
    assert len(place.receiver.got) == 2


@pytest.mark.parametrize("fault", [NotAllowed("private"), BadInput("no secret")])
def test_what_no_retry_mends_is_written_down_and_not_tried_again(place: Place, fault: TunewayError) -> None:
    webhook, _ = place.made(url="https://a.example/")
    place.made(url="https://b.example/")
    place.ended()
    place.receiver.faults = [fault]
    place.tell_all()
    place.tell_all()
    assert [url for url, _, _ in place.receiver.got] == ["https://b.example/"]
    (kept,) = Collection(place.loop.documents, f"webhooks/{webhook.id}/deliveries", Delivery).find()
    assert (kept.value.fault, kept.value.ended) == (fault.message, True)


def test_an_installation_without_a_secret_sends_nothing_and_asks_for_no_retry(place: Place) -> None:
    place.made()
    place.ended()

    def none() -> bytes:
        raise BadInput("This installation has no secret.")

    bare = Webhooks(place.loop.documents, root=none, now=place.now)
    notify = Notifier(place.loop.documents, bare, post=place.receiver, now=place.now)
    for told in place.told():
        notify(told)
    assert place.receiver.got == []


def test_what_there_is_no_time_for_is_sent_by_the_retries_and_nothing_twice(place: Place) -> None:
    """Each of twelve takes 15 s of a budget of 80 s; the first six never take it."""
    hosts = [f"https://{letter}.example/" for letter in "abcdefghijkl"]
    for url in hosts:
        place.made(url=url)
        place.loop.clock += 1
    place.ended()
    tried: list[str] = []

    def slow(url: str, body: bytes, headers: Mapping[str, str]) -> None:
        place.loop.clock += 15
        tried.append(url)
        if url in hosts[:6]:
            raise TryLater("slow")
        place.receiver(url, body, headers)

    notify = Notifier(place.loop.documents, place.webhooks, post=slow, now=place.now)
    (told,) = [told for told in place.told() if told.type == "tuneway.job.succeeded"]
    for _ in range(3):
        began = place.loop.clock
        with pytest.raises(TryLater):
            notify(told)
        assert place.loop.clock - began <= BUDGET + 15
    assert tried == [*hosts, *hosts[:6]]
    assert [url for url, _, _ in place.receiver.got] == hosts[6:]


def test_two_deliveries_at_once_are_recorded_once(place: Place) -> None:
    webhook, _ = place.made()
    place.ended()
    (told,) = [told for told in place.told() if told.type == "tuneway.job.succeeded"]

    def meanwhile(url: str, body: bytes, headers: Mapping[str, str]) -> None:
        Notifier(place.loop.documents, place.webhooks, post=place.receiver, now=place.now)(told)
        place.receiver(url, body, headers)

    Notifier(place.loop.documents, place.webhooks, post=meanwhile, now=place.now)(told)
    assert len({headers["webhook-id"] for _, _, headers in place.receiver.got}) == 1
    assert place.loop.documents.get(Key(f"webhooks/{webhook.id}/deliveries", told.id)) is not None


def test_no_secret_lies_in_the_state(place: Place) -> None:
    webhook, secret = place.made()
    document = place.loop.documents.get(Key("webhooks", webhook.id))
    assert document is not None
    assert secret.removeprefix("whsec_") not in json.dumps(document.fields)
    assert place.webhooks.secret(webhook) == secret
    assert place.with_root(b"another").secret(webhook) != secret


def test_after_a_rotation_both_secrets_are_good_for_a_day_if_asked(place: Place) -> None:
    webhook, old = place.made()
    after, new = place.webhooks.rotate(webhook.id, owner="acme", keep_old=True)
    assert new != old
    assert len(place.webhooks.signed(after, "e", b"x")["webhook-signature"].split()) == 2
    place.loop.clock += 86_401
    assert len(place.webhooks.signed(after, "e", b"x")["webhook-signature"].split()) == 1
    at_once, _ = place.webhooks.rotate(webhook.id, owner="acme", keep_old=False)
    assert len(place.webhooks.signed(at_once, "e", b"x")["webhook-signature"].split()) == 1


def test_an_update_changes_what_it_names(place: Place) -> None:
    webhook, _ = place.made()
    place.loop.clock += 10
    after = place.webhooks.update(webhook.id, owner="acme", wish=Wish(url="https://new.example/"))
    assert (after.url, after.name, after.updated_at) == ("https://new.example/", "shop", NOW + 10)
    assert place.webhooks.update(webhook.id, owner="acme", wish=Wish()) == after
    place.webhooks.delete(webhook.id, owner="acme")
    with pytest.raises(NotFound):
        place.webhooks.get(webhook.id, owner="acme")


def test_another_owners_webhook_is_not_there(place: Place) -> None:
    webhook, _ = place.made()
    with pytest.raises(NotFound):
        place.webhooks.get(webhook.id, owner="other")
    with pytest.raises(NotFound):
        place.webhooks.delete(webhook.id, owner="other")
    assert place.webhooks.get(webhook.id, owner=None) == webhook
    assert place.webhooks.owned("other") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://hooks.example/"),
        ("url", "https://"),
        ("url", "https://user:word@hooks.example/"),
        ("url", "https://hooks.example/#part"),
        ("url", "https://hooks.example:99999/"),
        ("url", "https://[::1"),
        ("url", "https://hooks.example/a b"),
        ("url", "https://hooks.example/" + "a" * 2048),
        ("url", "file:///etc/passwd"),
        ("name", " "),
        ("name", "a" * 129),
        ("event_types", ()),
        ("event_types", ("batch.completed",)),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_by_the_fields_name(place: Place, field: str, value: object) -> None:
    good = Wish(name="shop", url=URL, event_types=(SUCCEEDED,))
    with pytest.raises(BadInput) as refused:
        place.webhooks.create(owner="acme", wish=msgspec.structs.replace(good, **{field: value}))
    assert refused.value.param == field
    assert place.webhooks.owned("acme") == []


def test_a_laptop_may_send_to_itself(tmp_path: Path) -> None:
    place = Place(tmp_path, private=True)
    assert place.made(url="http://127.0.0.1:9000/hook")[0].url == "http://127.0.0.1:9000/hook"


def test_there_are_so_many_webhooks_and_no_more(place: Place) -> None:
    for _ in range(MOST):
        place.made()
    with pytest.raises(BadInput, match="Delete one"):
        place.made()
    assert place.made(owner="other")


def test_an_event_that_ends_no_job_reads_nothing(place: Place) -> None:
    place.made()
    place.loop.desk.create(place.loop.order(), owner="acme")
    place.loop.settle(train=False, beats=3)
    place.tell_all()
    assert place.receiver.got == []
