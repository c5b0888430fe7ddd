"""Who the installation is in AWS, for code without an event loop."""

import json
import threading

import pytest

from tests.vendors import vendors
from tests.vendors.fake import Fake
from tests.vendors.sigv4 import Account
from tuneway.adapters.aws_keys import AwsKeys
from tuneway.adapters.aws_own_keys import LAST_SECONDS, RENEW_SECONDS, SIMULATED, OwnKeys, own_keys
from tuneway.errors import NotAllowed, TryLater
from tuneway.settings import Settings


def keys(name: str) -> AwsKeys:
    return AwsKeys(access_key_id=name, secret_access_key="secret")


class Source:
    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self.name: str | None = None

    def __call__(self) -> AwsKeys:
        self.asked += 1
        if self.broken:
            raise TryLater("The source is away.")
        return keys(self.name or f"key-{self.asked}")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own(source: Source, clock: Clock) -> OwnKeys:
    return OwnKeys(source, clock=clock)


def test_keys_are_fetched_once_and_kept(own: OwnKeys, source: Source, clock: Clock) -> None:
    first = own.keys()
    clock.now += RENEW_SECONDS
    assert (own.keys(), source.asked) == (first, 1)


def test_keys_that_age_are_renewed(own: OwnKeys, clock: Clock) -> None:
    own.keys()
    clock.now += RENEW_SECONDS + 1
    assert own.keys() == keys("key-2")


def test_aged_keys_serve_on_while_their_source_fails(own: OwnKeys, source: Source, clock: Clock) -> None:
    first = own.keys()
    source.broken = True
    clock.now += RENEW_SECONDS + 1
    assert [own.keys(), own.keys()] == [first, first]
    assert source.asked == 2
    clock.now = 1000.0 + LAST_SECONDS + 1
    with pytest.raises(TryLater, match="away"):
        own.keys()


def test_keys_that_were_refused_are_asked_for_anew_but_not_all_the_time(
    own: OwnKeys, source: Source, clock: Clock
) -> None:
    own.keys()
    assert not own.renewed()
    clock.now += 11
    assert own.renewed()
    source.name = "key-2"
    clock.now += 11
    assert not own.renewed()


def test_threads_ask_once(own: OwnKeys, source: Source) -> None:
    threads = [threading.Thread(target=own.keys) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.asked == 1


def test_without_an_identity_the_remedy_is_named() -> None:
    with pytest.raises(NotAllowed, match=r"TUNEWAY_AWS_ROLE.*TUNEWAY_AWS_SECRET"):
        own_keys(Settings()).keys()


def test_where_aws_is_replaced_no_identity_is_needed() -> None:
    assert own_keys(Settings(aws_url="http://127.0.0.1:1")).keys() == SIMULATED


def test_written_keys_come_from_their_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {"access_key_id": "AKIA", "secret_access_key": "written"}
    monkeypatch.setenv("MY_AWS_KEYS", json.dumps(written))
    assert own_keys(Settings(aws_secret="env:MY_AWS_KEYS")).keys() == AwsKeys(**written)


def test_a_secret_that_is_not_there_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_AWS_KEYS", raising=False)
    with pytest.raises(TryLater, match="MY_AWS_KEYS is not set"):
        own_keys(Settings(aws_secret="env:MY_AWS_KEYS")).keys()


def role_at(fake: Fake) -> Settings:
    role = "arn:aws:iam::123456789012:role/tuneway"
    return Settings(aws_role=role, aws_url=fake.url, metadata_url=fake.url)


def test_a_roles_keys_are_lent_against_googles_word() -> None:
    account = Account(session_token="lent")
    with vendors.credentials(account=account) as fake:
        lent = own_keys(role_at(fake)).keys()
    assert (lent.access_key_id, lent.session_token) == (account.access_key, "lent")
    assert [asked.path.rpartition("/")[2] for asked in fake.requests] == ["identity", ""]


def test_a_role_that_is_not_lent_passes() -> None:
    with (
        vendors.credentials(role="arn:aws:iam::1:role/other") as fake,
        pytest.raises(TryLater, match="STS answered 403"),
    ):
        own_keys(role_at(fake)).keys()
