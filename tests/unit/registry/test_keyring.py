"""The keyring: keys made, listed and revoked, each change in the snapshot it is committed with."""

import itertools
from pathlib import Path

import pytest

from tuneway.access.keys import Grant, Scope, fingerprint
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import BadInput, NotFound
from tuneway.registry.keyring import Keyring
from tuneway.routing.snapshot import current


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "state.sqlite")


@pytest.fixture
def keyring(documents: SqliteDocuments) -> Keyring:
    counter = itertools.count()
    return Keyring(documents, now=lambda: float(next(counter)), randomness=lambda: next(counter).to_bytes(32, "big"))


def test_a_made_key_opens_what_was_granted(keyring: Keyring, documents: SqliteDocuments) -> None:
    key, id_, grant = keyring.create(owner="shop", scopes=(Scope.TUNE,), name="ci", expires_at=9.0)
    assert keyring.grant(key) == grant == current(documents).keys[fingerprint(key)]
    assert (grant.owner, grant.name, grant.expires_at, id_) == ("shop", "ci", 9.0, fingerprint(key)[:16])


@pytest.mark.parametrize("owner", ["", " ", "x" * 129, "a\nb", "a\u0000"])
def test_an_owner_whom_nobody_can_see_is_refused(keyring: Keyring, owner: str) -> None:
    with pytest.raises(BadInput) as caught:
        keyring.create(owner=owner, scopes=(Scope.TUNE,))
    assert caught.value.param == "owner"


@pytest.mark.parametrize("name", ["x" * 129, "a\tb"])
def test_a_name_that_no_list_could_show_is_refused(keyring: Keyring, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        keyring.create(owner="shop", scopes=(Scope.TUNE,), name=name)
    assert caught.value.param == "name"


def test_a_made_key_may_have_an_allowance(keyring: Keyring) -> None:
    key, _, grant = keyring.create(owner="shop", scopes=(Scope.TUNE,), max_cost_usd=2.5)
    assert grant.max_cost_usd == 2.5
    assert keyring.grant(key) == grant


def test_the_state_never_holds_the_key(keyring: Keyring, documents: SqliteDocuments, tmp_path: Path) -> None:
    key, *_ = keyring.create(owner="shop", scopes=(Scope.TUNE,))
    documents.close()
    assert not [path for path in tmp_path.rglob("*") if key.encode() in path.read_bytes()]


def test_a_revoked_key_opens_nothing(keyring: Keyring, documents: SqliteDocuments) -> None:
    key, id_, _ = keyring.create(owner="shop", scopes=(Scope.TUNE,))
    other, *_ = keyring.create(owner="shop", scopes=(Scope.TUNE,))
    keyring.revoke(id_)
    assert keyring.grant(key) is None
    assert keyring.grant(other) is not None
    assert set(current(documents).keys) == {fingerprint(other)}


def test_keys_are_listed_oldest_first_by_their_public_ids(keyring: Keyring) -> None:
    made = [keyring.create(owner=owner, scopes=(Scope.PREDICT,))[1] for owner in ("b", "a", "c")]
    assert [id_ for id_, _ in keyring.list()] == made


@pytest.mark.parametrize("id_", ["", "0", "f" * 15, "g" * 16, "0" * 64])
def test_what_names_no_key_revokes_none(keyring: Keyring, id_: str) -> None:
    keyring.create(owner="shop", scopes=(Scope.TUNE,))
    with pytest.raises(NotFound):
        keyring.revoke(id_)
    assert len(keyring.list()) == 1


def test_the_start_of_an_id_is_not_enough(keyring: Keyring) -> None:
    _, id_, _ = keyring.create(owner="shop", scopes=(Scope.TUNE,))
    with pytest.raises(NotFound):
        keyring.revoke(id_[:8])


def test_a_key_without_a_scope_is_not_made(keyring: Keyring) -> None:
    with pytest.raises(BadInput, match="at least one scope"):
        keyring.create(owner="shop", scopes=())
    assert keyring.list() == []


@pytest.mark.parametrize("owner", ["", " ", "o" * 129])
def test_a_key_without_an_owner_is_not_made(keyring: Keyring, owner: str) -> None:
    with pytest.raises(BadInput, match="owner"):
        keyring.create(owner=owner, scopes=(Scope.TUNE,))


def test_letting_a_key_in_again_replaces_its_grant(keyring: Keyring, documents: SqliteDocuments) -> None:
    for owner in ("one", "two"):
        keyring.admit("tw-given", Grant(owner=owner, scopes=(Scope.ADMIN,), created_at=1.0))
    assert [grant.owner for _, grant in keyring.list()] == ["two"]
    assert current(documents).keys[fingerprint("tw-given")].owner == "two"
