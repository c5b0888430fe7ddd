"""Keys: how they look, how they are stored, and whom they let in."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.access.keys import Grant, Scope, admit, bearer, fingerprint, key_from
from tuneway.errors import NotAllowed, NotAuthenticated

NOW = 1_795_000_000.0


def grant(*scopes: Scope, expires_at: float | None = None) -> Grant:
    return Grant(owner="shop", scopes=scopes, created_at=NOW, expires_at=expires_at)


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_one_word_that_fits_into_a_header(randomness: bytes) -> None:
    key = key_from(randomness)
    assert (len(key), key.startswith("tw-")) == (46, True)
    assert key.isascii()
    assert bearer(f"Bearer {key}") == key


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_different_randomness_makes_different_keys(one: bytes, other: bytes) -> None:
    assert (key_from(one) == key_from(other)) is (one == other)


def test_a_fingerprint_is_the_sha256_of_the_whole_key() -> None:
    assert fingerprint("tw-x") == "4a562671b450192f9163a95e17712609977b6426e3784ce9cba2be0e82752601"
    assert fingerprint("tw-x") != fingerprint("tw-y")


@pytest.mark.parametrize("header", ["Bearer k", "bearer k", "BEARER  k ", "Bearer k  "])
def test_a_bearer_header_holds_its_key(header: str) -> None:
    assert bearer(header) == "k"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic k", "k", "Bearer\tk"])
def test_anything_else_is_no_key(header: str | None) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        bearer(header)
    assert refused.value.code == "missing_api_key"


@pytest.mark.parametrize("scope", list(Scope))
def test_a_grant_admits_to_its_own_scope_alone(scope: Scope) -> None:
    assert admit(grant(scope), scope, now=NOW).owner == "shop"
    for other in set(Scope) - {scope}:
        if scope is not Scope.ADMIN:
            with pytest.raises(NotAllowed, match=f"lacks the scope '{other}'"):
                admit(grant(scope), other, now=NOW)


@pytest.mark.parametrize("scope", list(Scope))
def test_an_admin_is_admitted_everywhere(scope: Scope) -> None:
    assert admit(grant(Scope.ADMIN), scope, now=NOW).owner == "shop"


def test_nobody_is_admitted_nowhere() -> None:
    with pytest.raises(NotAuthenticated):
        admit(None, Scope.PREDICT, now=NOW)


@pytest.mark.parametrize(("expires_at", "good"), [(NOW - 1, False), (NOW, False), (NOW + 1, True)])
def test_a_grant_is_good_until_it_expires(expires_at: float, *, good: bool) -> None:
    one = grant(Scope.TUNE, expires_at=expires_at)
    if good:
        assert admit(one, Scope.TUNE, now=NOW) is one
    else:
        with pytest.raises(NotAuthenticated):
            admit(one, Scope.TUNE, now=NOW)


def test_a_grant_made_before_there_were_allowances_has_none() -> None:
    old = b'{"owner":"shop","scopes":["tune"],"created_at":1.0}'
    assert msgspec.json.decode(old, type=Grant).max_cost_usd is None


def test_a_tenants_key_names_its_own_things_and_an_admins_everybodys() -> None:
    assert grant(Scope.PREDICT, Scope.TUNE).tenant == "shop"
    assert grant(Scope.TUNE, Scope.ADMIN).tenant is None
