"""References to secrets are looked at by name, and nothing of a secret is told."""

from collections.abc import Sequence

import pytest

from tuneway.adapters.secret_check import unreadable
from tuneway.settings import Settings

SETTINGS = Settings(project="p", secrets_url="http://127.0.0.1:9")
VERSION = "projects/p/secrets/shop/versions/latest"


def test_what_can_be_read_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "sk-live-123")
    assert unreadable(SETTINGS, ["env:SHOP_KEY"]) == {}


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (["env:NO_SUCH_KEY"], {"env:NO_SUCH_KEY": "the variable NO_SUCH_KEY is not set"}),
        (["env:"], {"env:": "a reference to a secret is not of the form env:NAME"}),
    ],
)
def test_what_cannot_says_why(given: Sequence[str], reasons: dict[str, str]) -> None:
    assert unreadable(SETTINGS, given) == reasons


def test_several_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "sk-live-123")
    found = unreadable(SETTINGS, ["env:SHOP_KEY", "env:NO_SUCH_KEY", VERSION])
    assert set(found) == {"env:NO_SUCH_KEY", VERSION}
    assert "sk-live" not in str(found)
