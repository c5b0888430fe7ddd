"""Which plug fits which socket, by the settings; a door imports only the plugs its settings choose."""

from collections.abc import Callable

import msgspec

from tuneway.ports import Documents, Events, Files, Topic, TuningBackend
from tuneway.routing.routes import Target
from tuneway.settings import Settings
from tuneway.tuning.catalogue import Catalogue, load


def documents(settings: Settings) -> Documents:
    """SQLite in the state folder, or Firestore."""
    if settings.state_folder is not None:
        from tuneway.adapters.sqlite_documents import SqliteDocuments

        return SqliteDocuments(settings.state_folder / "state.sqlite")
    from google.cloud.firestore import Client

    from tuneway.adapters.firestore_documents import FirestoreDocuments

    return FirestoreDocuments(Client(project=settings.project, database=settings.database))


def events(settings: Settings) -> Events:
    """The local bus in the state folder, or Pub/Sub."""
    if settings.state_folder is not None:
        from tuneway.adapters.local_bus import LocalBus

        table = msgspec.json.decode(settings.local_subscriptions, type=dict[Topic, list[str]])
        return LocalBus(settings.state_folder / "bus.sqlite", table)
    from google.cloud.pubsub_v1 import PublisherClient

    from tuneway.adapters.pubsub import PubsubEvents

    return PubsubEvents(PublisherClient(), settings.project)


def files(settings: Settings) -> Files:
    """A folder, or Cloud Storage."""
    if settings.objects_folder is not None:
        from tuneway.adapters.local_files import LocalFiles

        return LocalFiles(settings.objects_folder)
    from google.cloud.storage import Client

    from tuneway.adapters.gcs_files import GcsFiles

    return GcsFiles(Client(project=settings.project))


def backend(settings: Settings) -> TuningBackend:
    """Vertex AI, or the simulated one at ``vertex_url``."""
    from tuneway.adapters.vertex_tuning import VertexTuning

    return VertexTuning(project=settings.project, timeout=settings.submit_timeout, vertex_url=settings.vertex_url)


def catalogue(settings: Settings) -> Catalogue:
    """The base models that come with tuneway, with the installation's own file over them. Raises BadInput."""
    if settings.catalogue_file is None:
        return load()
    return load().merged(settings.catalogue_file.read_bytes())


def detector(settings: Settings) -> Callable[[Target], Target]:
    """How an endpoint is asked what it speaks; the HTTP client is loaded for the first question."""

    def detect(named: Target) -> Target:
        from tuneway.adapters.detection import answered

        return answered(settings, named)

    return detect
