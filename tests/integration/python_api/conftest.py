"""One stack with one tuned model for all that is called through a deployed tuneway."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.stack.running import Stack, created, ended, running


@dataclass(frozen=True)
class Deployed:
    """A running tuneway, and the alias of a model tuned on sums."""

    stack: Stack
    alias: str

    @property
    def there(self) -> dict[str, Any]:
        """The arguments that say where it is."""
        return {"base_url": self.stack.url, "api_key": self.stack.key}


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    # Training takes some beats, so that even a busy machine sees it run: what was not seen to run forecasts nothing.
    with running(tmp_path_factory.mktemp("python_api"), "--speed", "15") as stack:
        job = ended(stack.http, created(stack.http, suffix="api")["id"])
        assert job["status"] == "succeeded", job["error"]
        yield Deployed(stack, job["fine_tuned_model"])


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose jobs take a minute, so that one can be cancelled however long its caller takes."""
    with running(tmp_path_factory.mktemp("slow"), "--speed", "1") as stack:
        yield stack
