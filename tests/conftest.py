"""Google's emulators, started once for the tests that need them; where they cannot be started, those tests fail."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tuneway.local import emulators

# How long an example takes is the machine's matter; a test that means a time says so.
settings.register_profile("tuneway", deadline=None)
settings.load_profile("tuneway")
EMULATORS = {"firestore_emulator", "pubsub_emulator"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup`` they all run in one worker, which starts each emulator once."""
    for item in items:
        if EMULATORS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("emulators"))


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    emulator = emulators.start(emulators.FIRESTORE)
    yield emulator.address
    emulator.stop()


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[str]:
    emulator = emulators.start(emulators.PUBSUB)
    yield emulator.address
    emulator.stop()
