"""The predict function with a route to every vendor's fake, shared by all tests here."""

from collections.abc import Iterator

import pytest

from tests.integration.surfaces.door import Door, opened
from tests.integration.surfaces.hosts import EMBEDDERS, ENVIRONMENT, FILLERS, HOSTS, Host, listening
from tests.vendors.fake import Fake
from tuneway.routing.routes import Route

EVERY: dict[str, Host] = {**HOSTS, **EMBEDDERS, **FILLERS}


@pytest.fixture(scope="session")
def fakes() -> Iterator[dict[str, Fake]]:
    with listening() as found:
        yield found


@pytest.fixture(scope="session")
def door(fakes: dict[str, Fake], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("predict")
    with opened(folder, vertex_url=fakes["vertex"].url, environment=ENVIRONMENT) as running:
        running.change(
            *(Route(alias=alias, targets=(host.at(fakes),), created_at=1.0) for alias, host in EVERY.items())
        )
        yield running


@pytest.fixture(autouse=True)
def _fresh(fakes: dict[str, Fake]) -> None:
    """No fake has anything left to say, or remembers anything, from another test."""
    for fake in fakes.values():
        fake.always(None)
        while fake.upcoming() is not None:
            pass
        fake.requests.clear()


@pytest.fixture
def behind(fakes: dict[str, Fake]) -> "Behind":
    return Behind(fakes)


class Behind:
    """The fake behind an alias."""

    def __init__(self, fakes: dict[str, Fake]) -> None:
        self._fakes = fakes

    def __call__(self, alias: str) -> Fake:
        return self._fakes[EVERY[alias].fake]
