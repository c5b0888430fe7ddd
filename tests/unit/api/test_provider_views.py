import json
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tuneway.api.provider_views import job_of
from tuneway.api.vertex_desk import Kept
from tuneway.ports import ProviderJob, ProviderState
from tuneway.tuning.catalogue import load

NAME = "projects/shop/locations/us-central1/tuningJobs/1"
ROWS = [
    {"name": "gemini-3.5-flash", "other_names": ["gemini-next"], "retired_on": "2026-11-18"},
    {"name": "gemini-3.5-flash-lite", "other_names": ["gemini-next"], "retired_on": None},
]
CATALOGUE = load().merged(json.dumps({"models": ROWS}))
KEPT = Kept(
    body=json.dumps({"name": NAME, "baseModel": "gemini-next"}).encode(),
    provider=ProviderJob(name=NAME, state=ProviderState.QUEUED),
    backend="vertex_ai",
)


@pytest.fixture(params=["America/Los_Angeles", "UTC", "Pacific/Auckland"])
def _elsewhere(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize(
    ("moment", "base"),
    [("2026-11-17T23:59:59+00:00", "gemini-3.5-flash"), ("2026-11-18T00:00:00+00:00", "gemini-3.5-flash-lite")],
)
def test_a_base_retires_on_the_same_day_in_every_time_zone(moment: str, base: str) -> None:
    assert job_of(KEPT, CATALOGUE, now=datetime.fromisoformat(moment).timestamp()).base_model == base
