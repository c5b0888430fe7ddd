"""State and events on Google's emulators, for a stack that is closer to the cloud; nothing of it outlives the stack."""

from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from tuneway.local import emulators, manifest
from tuneway.local.manifest import Retry
from tuneway.local.topics import Provisioner
from tuneway.settings import Settings, export


@contextmanager
def emulated(settings: Settings, events_url: str, *, secret: str, retry: Retry) -> Generator[Settings]:
    """The settings with Firestore and Pub/Sub emulators in the place of SQLite. Raises NotFound, TryLater.

    Pub/Sub pushes to ``events_url``/<function>/<secret>/projects/…/topics/…; it can send no header of ours.
    """
    started = emulators.start_all(emulators.FIRESTORE, emulators.PUBSUB)
    try:
        firestore, pubsub = (emulator.address for emulator in started)
        settings = msgspec.structs.replace(
            settings,
            state_folder=None,
            firestore_emulator=firestore,
            firestore_url=f"http://{firestore}",
            pubsub_emulator=pubsub,
        )
        export(settings)
        _provision(settings, {name: f"{events_url}/{name}/{secret}" for name in _takers()}, retry)
        yield settings
    finally:
        for emulator in started:
            emulator.stop()


def _takers() -> list[str]:
    return [name for names in manifest.load().subscriptions().values() for name in names]


def _provision(settings: Settings, urls: dict[str, str], retry: Retry) -> None:
    publisher, subscriber = emulators.pubsub_clients(settings.pubsub_emulator or "")
    table = {topic: {name: urls[name] for name in names} for topic, names in manifest.load().subscriptions().items()}
    Provisioner(publisher, subscriber, settings.project).provision(table, retry)
    publisher.stop()
    subscriber.close()
