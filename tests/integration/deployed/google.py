"""Google's services beside the functions: Firestore and Pub/Sub emulated, Vertex AI and Cloud Storage simulated."""

from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.infra.parity import KEPT
from tests.integration.deployed.declared import Declared
from tuneway.local import emulators
from tuneway.local.emulators import Emulator
from tuneway.local.vertex.serve import VertexServer
from tuneway.local.vertex.settings import VertexSettings

SPEED = 40.0  # a job trains for about two seconds
CHUNK_SECONDS = 0.02  # between the chunks of a simulated stream


class Google:
    """Started on construction and ended by ``cleanup``. Raises NotFound, TryLater: without an emulator nothing runs."""

    def __init__(self, folder: Path, declared: Declared, cleanup: ExitStack) -> None:
        self.objects = folder / "objects"
        (self.objects / declared.bucket).mkdir(parents=True)
        started = emulators.start_all(emulators.FIRESTORE, emulators.PUBSUB)
        for emulator in started:
            cleanup.callback(emulator.stop)
        self.pubsub: Emulator = started[1]
        simulation = VertexSettings(
            store=folder / "vertex.sqlite",
            objects=self.objects,
            speed=SPEED,
            project=declared.project,
            chunk_seconds=CHUNK_SECONDS * SPEED,
        )
        vertex = cleanup.enter_context(VertexServer(simulation)).url
        self.told = _told(started[0].address, started[1].address, vertex)
        self.vertex = cleanup.enter_context(httpx.Client(base_url=vertex, timeout=30, trust_env=False))


def _told(firestore: str, pubsub: str, vertex: str) -> dict[str, str]:
    """Where Google's services are here: the only variables that are neither Terraform's nor the platform's."""
    ours = {"TUNEWAY_VERTEX_URL": vertex, "TUNEWAY_FIRESTORE_EMULATOR": firestore}
    assert all(name.removeprefix("TUNEWAY_").lower() in KEPT for name in ours), "Terraform gives one of these"
    return ours | {
        "FIRESTORE_EMULATOR_HOST": firestore,
        "PUBSUB_EMULATOR_HOST": pubsub,
        "STORAGE_EMULATOR_HOST": vertex,  # the simulation speaks Cloud Storage's JSON, too
    }
