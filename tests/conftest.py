"""What all tests share: patience, a plain terminal, and Google's emulators, without which those that need them fail."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.patient_loop import PatientLoop
from tuneway.local import emulators

# How long an example takes is the machine's matter; a test that means a time says so.
settings.register_profile("tuneway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tuneway")
EMULATORS = {"firestore_emulator", "pubsub_emulator"}


@pytest.fixture(scope="session", autouse=True)
def _plain_terminal() -> Iterator[None]:
    """What a person or a CI says of its terminal is not for the commands that tests run."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            environment.delenv(name, raising=False)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup`` they all run in one worker, which starts each emulator once."""
    for item in items:
        if EMULATORS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("emulators"))


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """Who is late on a busy machine is the machine's matter, too."""
    return {"patient": PatientLoop}


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
