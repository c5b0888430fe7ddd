"""Stacks that many tests share: each test brings its own files, jobs and keys."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.stack.running import Stack, created, ended, idle, running
from tests.waiting import wait_until


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="session")
def http(stack: Stack) -> httpx.Client:
    return stack.http


@pytest.fixture(scope="session")
def tuned(http: httpx.Client) -> dict[str, Any]:
    """A job that has succeeded."""
    job = ended(http, created(http, suffix="shared")["id"])
    assert job["status"] == "succeeded", job["error"]
    return job


@pytest.fixture
def faultless(stack: Stack) -> Iterator[Stack]:
    """The stack, with no fault left over from or for another test, and no job of another's to meet one."""
    wait_until(lambda: idle(stack.data))
    stack.vertex.delete("/_simulate/faults")
    yield stack
    stack.vertex.delete("/_simulate/faults")
