"""The installation's secret: a reference in the cloud, a file of its user on a laptop, and never made up."""

from pathlib import Path

import pytest

from tuneway.adapters.webhook_secrets import FILE, secret
from tuneway.errors import BadInput, TryLater
from tuneway.settings import Settings


def test_a_reference_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKS", "a secret of many bytes")
    assert secret(Settings(webhook_secret="env:HOOKS")) == b"a secret of many bytes"


def test_a_reference_to_nothing_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOKS", raising=False)
    with pytest.raises(TryLater, match="HOOKS"):
        secret(Settings(webhook_secret="env:HOOKS"))


def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKS", "short")
    with pytest.raises(BadInput, match="16 bytes"):
        secret(Settings(webhook_secret="env:HOOKS"))


def test_without_one_nothing_is_signed() -> None:
    with pytest.raises(BadInput, match="TUNEWAY_WEBHOOK_SECRET"):
        secret(Settings())


def test_a_laptop_makes_its_own_and_keeps_it_for_itself(tmp_path: Path) -> None:
    settings = Settings(state_folder=tmp_path)
    made = secret(settings)
    assert (len(made), secret(settings)) == (32, made)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(TryLater, match=FILE):
        secret(Settings(state_folder=tmp_path / "missing"))
