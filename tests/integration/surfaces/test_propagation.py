"""A route change reaches every warm instance, without a request that fails on the way, among 5,000 routes and keys."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from tests.bench.snapshots import INSTANCES, KEYS, ROUTES, Load, large
from tests.integration.surfaces.door import Door, opened
from tests.vendors import vendors
from tests.vendors.fake import Fake
from tuneway.access.keys import Grant, Scope
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import change, current

SECONDS = 120.0  # two of them on a machine with nothing else to do; ``python -m tests.bench.snapshots`` measures


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with vendors.vllm() as found:
        yield found


@pytest.fixture(scope="module")
def doors(fake: Fake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Door]]:
    """Four instances on one state, which look once a second as in the cloud."""
    folder = tmp_path_factory.mktemp("instances")
    filled(folder)
    environment = {"TUNEWAY_SNAPSHOT_REFRESH": "1.0"}
    with ExitStack() as stack:
        yield [
            stack.enter_context(opened(folder, vertex_url=fake.url, environment=environment)) for _ in range(INSTANCES)
        ]


def filled(folder: Path) -> None:
    documents = SqliteDocuments(folder / "state.sqlite")
    change(documents, lambda before: msgspec.structs.replace(large(), version=before.version))
    found = current(documents)
    assert (len(found.routes), len(found.keys)) == (ROUTES, KEYS)
    documents.close()


def served(fake: Fake, model: str) -> Target:
    return Target(provider="custom_openai", dialect="openai", model=model, base_url=f"{fake.url}/v1", profile="vllm")


def test_a_change_reaches_four_warm_instances_while_they_answer(doors: list[Door], fake: Fake) -> None:
    doors[0].route("probe", served(fake, "old"))
    load = Load(doors)
    try:
        load.reached("custom_openai/old", 0.0, patience=SECONDS)
        for number in range(3):
            doors[0].route("probe", served(fake, f"new-{number}"))
            load.reached(f"custom_openai/new-{number}", 0.0, patience=SECONDS)
    finally:
        load.stop()
    assert all(seen.target for seen in load.since(0.0)[INSTANCES * 2 :])


def test_a_key_that_is_new_opens_every_instance_at_once(doors: list[Door]) -> None:
    doors[0].change(keys={"tw-late": Grant(owner="late", scopes=(Scope.PREDICT,), created_at=1.0)})
    for door in doors:
        with door.sdk(api_key="tw-late", documented=False) as client:
            assert [model.id for model in client.models.list()][:1]
