"""The plugs of the prediction path, by the settings: few and light, because a cold start waits for them."""

from collections.abc import Awaitable, Callable

import msgspec

from tuneway.adapters.google_tokens import GoogleTokens, StaticTokens
from tuneway.adapters.identity import credentials
from tuneway.adapters.media_sources import STORAGE, MediaSources, Reach
from tuneway.adapters.snapshots_firestore import FirestoreSnapshots
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.errors import BadInput
from tuneway.ports import Snapshots, Timeouts, Tokens, Upstream
from tuneway.prediction.calls import Connection, google_signed
from tuneway.prediction.prices import Prices, load
from tuneway.routing.live import Freshness
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults, Place
from tuneway.settings import Settings, environment

Google = GoogleTokens | StaticTokens
SIMULATED = "simulated"


def google(settings: Settings, upstream: Upstream) -> Google:
    """Google's tokens of this process; a made-up one where Vertex AI is simulated."""
    if settings.vertex_url:
        return StaticTokens(SIMULATED)
    return GoogleTokens(upstream, metadata_url=settings.metadata_url)


def connection(settings: Settings, upstream: Upstream, tokens: Tokens) -> Connection:
    """How models are reached."""
    proofs = credentials(settings, upstream, google=tokens, environment=environment())
    closed = frozenset(bucket for bucket in (settings.bucket, settings.aws_bucket) if bucket)
    reach = Reach(
        private=settings.private_sources,
        closed=closed,
        region=settings.aws_region,
        storage=settings.vertex_url or STORAGE,
    )
    return Connection(
        upstream=upstream,
        credentials=proofs,
        sources=MediaSources(upstream, proofs, reach),
        closed=closed,
        base_url=settings.vertex_url,
        timeouts=Timeouts(connect=settings.upstream_connect_timeout, read=settings.upstream_read_timeout),
    )


def renewal(tokens: Google) -> Callable[[Target], Awaitable[bool]]:
    """How a target gets a fresh token when its host refused the last: Google's alone run out on a clock of theirs."""

    async def renewed(target: Target) -> bool:
        return google_signed(target) and await tokens.renew()

    return renewed


def snapshots(settings: Settings, upstream: Upstream, tokens: Tokens) -> Snapshots:
    """SQLite in the state folder, or Firestore, whose emulator takes the token "owner"."""
    if settings.state_folder:
        return SqliteSnapshots(settings.state_folder / "state.sqlite")
    if settings.vertex_url:
        tokens = GoogleTokens(upstream, metadata_url=settings.metadata_url)
    return FirestoreSnapshots(upstream, StaticTokens("owner") if settings.firestore_emulator else tokens, settings)


def freshness(settings: Settings) -> Freshness:
    """How fresh the routes are kept."""
    return Freshness(refresh=settings.snapshot_refresh, linger=settings.snapshot_stale)


def defaults(settings: Settings) -> Defaults:
    """What stands in where a model's name leaves something open. Raises BadInput naming the variable."""
    try:
        places = msgspec.json.decode(settings.vendors, type=dict[str, Place])
    except msgspec.DecodeError as exc:
        raise BadInput(f"TUNEWAY_VENDORS cannot be read: {exc}.") from exc
    return Defaults(project=settings.project, location=settings.location, places=places)


def prices(settings: Settings) -> Prices:
    """The prices that come with tuneway, with the installation's own over them. Raises BadInput."""
    return load() if settings.prices_file is None else load().over(settings.prices_file.read_bytes())
