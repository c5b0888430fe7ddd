"""The plugs under contract, each fresh for every test."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.places import Place, opened
from tuneway.ports import Documents


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place("sqlite", str(tmp_path / "state.db"))


@pytest.fixture
def firestore_place(firestore_emulator: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return Place("firestore", f"project-{uuid.uuid4().hex[:12]}", {"FIRESTORE_EMULATOR_HOST": firestore_emulator})


@pytest.fixture(params=["sqlite_place", "firestore_place"], ids=["sqlite", "firestore"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def documents(place: Place) -> Iterator[Documents]:
    with opened(place.kind, place.location) as found:
        yield found
