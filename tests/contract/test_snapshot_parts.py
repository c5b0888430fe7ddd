"""A snapshot in parts, written by either plug of the state and read by the instance's own, over REST in the cloud."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.contract.places import Place
from tests.unit.routing.test_fragments import GRANT, route
from tuneway.adapters.google_tokens import StaticTokens
from tuneway.adapters.snapshots_firestore import FirestoreSnapshots
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.ports import Documents, Query, Snapshots
from tuneway.routing.fragments import Snapshot
from tuneway.routing.live import Freshness, LiveSnapshot
from tuneway.routing.snapshot import PARTS, change, current
from tuneway.settings import Settings


@pytest.fixture
async def snapshots(place: Place) -> AsyncIterator[Snapshots]:
    if place.kind == "sqlite":
        yield SqliteSnapshots(Path(place.location))
        return
    upstream = HttpxUpstream()
    settings = Settings(project=place.location, firestore_emulator=place.environment["FIRESTORE_EMULATOR_HOST"])
    yield FirestoreSnapshots(upstream, StaticTokens("owner"), settings)
    await upstream.close()


def keyed(number: int) -> Snapshot:
    """Keys and places alone, which leave no history to write beside them."""
    keys = {f"{n:064x}": GRANT for n in range(number)}
    return Snapshot(keys=keys, places={f"us-central1/endpoints/{10**18 + n}": "acme" for n in range(number)})


async def test_what_is_written_in_parts_is_read_whole_and_then_part_by_part(
    documents: Documents, snapshots: Snapshots
) -> None:
    change(documents, lambda before: msgspec.structs.replace(keyed(12_000), version=before.version))
    assert len(documents.find(Query(collection=PARTS))) > 32  # more than one call fetches
    # Megabytes from an emulator, on a machine that may be busy: what is read is the point, not how fast.
    live = LiveSnapshot(snapshots, Freshness(refresh=60.0, patience=90.0), report=print)
    assert await live.get() == current(documents)
    changed = change(documents, partial(Snapshot.with_route, route=route("new")))
    assert await live.renewed() == changed == current(documents)


async def test_a_part_that_is_not_there_is_none(documents: Documents, snapshots: Snapshots) -> None:
    change(documents, lambda before: msgspec.structs.replace(keyed(5_000), version=before.version))
    first, none = await snapshots.parts([0, 400])
    assert first is not None
    assert (first.version, none) == (1, None)
