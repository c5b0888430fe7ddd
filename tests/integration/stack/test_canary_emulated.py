"""Usage and canaries where state and bus are Google's emulators."""

from collections.abc import Iterator

import pytest

from tests.integration.stack.canarying import place_of, started, until
from tests.integration.stack.running import Stack, created, ended, running

pytestmark = pytest.mark.xdist_group("emulators")


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("canary"), "--emulators") as stack:
        yield stack


def test_the_worse_of_two_versions_is_taken_back_and_then_mended_it_is_promoted(emulated: Stack) -> None:
    jobs = [created(emulated.http, suffix=suffix)["id"] for suffix in ("one", "two")]
    one, two = (str(ended(emulated.http, job)["fine_tuned_model"]) for job in jobs)
    body = {"targets": [{"identifier": place_of(emulated, one), "dialect": "gemini"}], "cooldown": 0}
    emulated.http.put("/v1/registry/routes/shop", json=body).raise_for_status()
    path = f"endpoints/{place_of(emulated, two).rpartition('/')[2]}"
    emulated.fault(path=path, fault="status", status=503, times=100_000)
    started(emulated, "shop", two, steps=[30, 60])
    assert "requests failed" in until(emulated, "shop", "rolled_back")["moments"][-1]["message"]
    emulated.vertex.delete("/_simulate/faults")
    started(emulated, "shop", two, steps=[30, 60])
    until(emulated, "shop", "promoted")
    assert place_of(emulated, "shop") == place_of(emulated, two)
    used = emulated.http.get("/v1/registry/usage", params={"alias": "shop", "group_by": "target"}).json()
    assert used["total"]["requests"] >= 80
    assert used["total"]["errors"] == 0
