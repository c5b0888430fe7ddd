"""Which plug fits which socket, by the settings; a door imports only the plugs its settings choose."""

import functools
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from tuneway.adapters.serving_places import ServingPlaces
from tuneway.adapters.sources import Sources
from tuneway.adapters.traced_events import TracedEvents
from tuneway.adapters.tuning_backends import Backends
from tuneway.ports import Deployers, Documents, Events, Files, ModelListings, Topic, TuningBackends
from tuneway.registry import serving
from tuneway.registry.hosting.orders import Orders
from tuneway.registry.route_means import Means
from tuneway.routing.probes import TargetProbe
from tuneway.routing.routes import Target
from tuneway.settings import Settings
from tuneway.tuning.catalogue import Catalogue, load
from tuneway.tuning.datasets.table_rows import Table
from tuneway.tuning.installation import Installation
from tuneway.tuning.notify import Post
from tuneway.tuning.webhooks import Webhooks
from tuneway.underway import MarkedDocuments


def documents(settings: Settings) -> Documents:
    """The state; what is under way there is marked for the beat."""
    return MarkedDocuments(state(settings), time.time)


def state(settings: Settings) -> Documents:
    """SQLite in the state folder, or Firestore."""
    if settings.state_folder is not None:
        from tuneway.adapters.sqlite_documents import SqliteDocuments

        return SqliteDocuments(settings.state_folder / "state.sqlite")
    from google.cloud.firestore import Client

    from tuneway.adapters.firestore_documents import FirestoreDocuments

    return FirestoreDocuments(Client(project=settings.project, database=settings.database))


def events(settings: Settings) -> Events:
    """The bus; what is published on it bears the trace that it comes from."""
    return TracedEvents(bus(settings))


def bus(settings: Settings) -> Events:
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


def sources(settings: Settings) -> Files:
    """Files of every scheme that a dataset may be named by; what reads a scheme is loaded with its first file."""
    return Sources(
        {
            "gs": lambda: files(settings),
            "s3": lambda: _s3(settings),
            "https": lambda: _https(settings),
        }
    )


def _s3(settings: Settings) -> Files:
    from tuneway.adapters.aws_plugs import s3_files

    return s3_files(settings)


def _https(settings: Settings) -> Files:
    from tuneway.adapters.https_calls import Reach
    from tuneway.adapters.https_files import HttpsFiles

    return HttpsFiles(Reach(private=settings.private_sources))


def backends(settings: Settings) -> TuningBackends:
    """Every place where models are trained, by the catalogue's names; each is loaded when it is first asked for."""
    return Backends(settings)


def deployers(settings: Settings) -> Deployers:
    """Every place where models are put to answer; each is loaded when it is first asked for."""
    return ServingPlaces(settings)


def listings(settings: Settings) -> ModelListings:
    """Vertex AI's own registry of models; its client is loaded when this is first called."""
    from tuneway.adapters.vertex_models import VertexModels

    return VertexModels(project=settings.project, timeout=settings.call_timeout, vertex_url=settings.vertex_url)


def orders(settings: Settings) -> Orders:
    """What a model is deployed on, by what comes with tuneway and the installation's own file. Raises BadInput."""
    own = settings.serving_file
    known = serving.load() if own is None else serving.load().merged(own.read_bytes())
    return Orders(known, location=settings.location)


def outputs(settings: Settings) -> dict[str, str]:
    """Where each backend is to put what it makes: Google's in the bucket, Bedrock's in that of S3, if any."""
    google = dict.fromkeys(("vertex_ai", "vertex_open", "vertex_custom"), f"gs://{settings.bucket}")
    return google | ({"bedrock": f"s3://{settings.aws_bucket}"} if settings.aws_bucket else {})


def installation(settings: Settings) -> Installation:
    """What jobs are accepted for; Google's own places need no settings of their own."""
    return Installation(
        location=settings.location, max_cost_usd=settings.max_cost_usd, missing=_missing_of_aws(settings)
    )


def _missing_of_aws(settings: Settings) -> dict[str, str]:
    """What has to be set for files at s3://, and for Bedrock, which reads them there."""
    known = settings.aws_role or settings.aws_secret or settings.aws_url
    keys = [] if known else ["TUNEWAY_AWS_ROLE or TUNEWAY_AWS_SECRET"]
    bedrock = {"TUNEWAY_AWS_BUCKET": settings.aws_bucket, "TUNEWAY_BEDROCK_ROLE": settings.bedrock_role}
    lacking = {"s3": keys, "bedrock": [*keys, *(name for name, value in bedrock.items() if value is None)]}
    return {place: ", ".join(names) for place, names in lacking.items() if names}


def catalogue(settings: Settings) -> Catalogue:
    """The base models that come with tuneway, with the installation's own file over them. Raises BadInput."""
    own = settings.catalogue_file
    known = load() if own is None else load().merged(own.read_bytes())
    return known.allowing(settings.allow_retired)


def webhooks(
    settings: Settings,
    documents: Documents,
    *,
    now: Callable[[], float],
    new_id: Callable[[], str] = lambda: "",
) -> Webhooks:
    """The webhooks; the secret that theirs are made from is read when it is first needed."""

    @functools.cache
    def root() -> bytes:
        from tuneway.adapters.webhook_secrets import secret

        return secret(settings)

    return Webhooks(documents, root=root, now=now, new_id=new_id, private=_own_network(settings))


def webhook_post(settings: Settings) -> Post:
    """How events are sent; the HTTP client is loaded for the first."""

    @functools.cache
    def calls() -> Post:
        from tuneway.adapters.https_calls import Reach
        from tuneway.adapters.webhook_calls import WebhookCalls

        return WebhookCalls(Reach(private=_own_network(settings)))

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
        calls()(url, body, headers)

    return post


def _own_network(settings: Settings) -> bool:
    """Whether events may go to private addresses: a laptop's own receivers are at its own."""
    return settings.private_sources or settings.state_folder is not None


@contextmanager
def tables(blocks: Iterator[bytes]) -> Generator[Table]:
    """The table in the bytes of a Parquet file; its library is loaded for the first one. Raises UnreadableTable."""
    from tuneway.adapters.parquet import opened

    with opened(blocks) as table:
        yield table


def route_means(settings: Settings) -> Means:
    """How a route's targets are looked at; the HTTP client is loaded for the first question."""

    def detect(named: Target) -> Target:
        from tuneway.adapters.detection import answered

        return answered(settings, named)

    def unreadable(references: Sequence[str]) -> Mapping[str, str]:
        from tuneway.adapters import secret_check

        return secret_check.unreadable(settings, references)

    def probe(targets: Sequence[Target]) -> Sequence[TargetProbe]:
        from tuneway.adapters.probing import probed

        return probed(settings, targets)

    return Means(detect=detect, unreadable=unreadable, probe=probe)
