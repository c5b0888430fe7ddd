"""Two jobs become versions of one model: called by its aliases, traced, replayed, and in step with Vertex AI."""

from typing import Any

import httpx
import pytest

from tests.integration.stack.running import Stack, asked, created, ended
from tests.waiting import wait_until

MODELS = "/v1/registry/models"
BOT = "sum-bot"


@pytest.fixture(scope="module")
def versions(http: httpx.Client, tuned: dict[str, Any]) -> list[str]:
    """The jobs whose models are the versions of one model."""
    second = ended(http, created(http, suffix="second")["id"])
    jobs = [str(tuned["id"]), str(second["id"])]
    for number, job in enumerate(jobs, start=1):
        made = http.post(MODELS, json={"name": BOT, "job": job, "labels": {"team": "sums"}})
        assert (made.status_code, made.json()["version"]["number"]) == (200, str(number))
    return jobs


def answer(http: httpx.Client, model: str) -> httpx.Response:
    return http.post("/v1/chat/completions", json=asked(model))


def point(http: httpx.Client, version: str) -> int:
    """Have the alias lead there, and be called; the model's revision then."""
    moved = http.put(f"{MODELS}/{BOT}/aliases/prod", json={"version": version})
    assert moved.status_code == 200, moved.text
    wait_until(lambda: answer(http, f"{BOT}@prod").status_code == 200)
    return int(moved.json()["revision"])


def test_an_alias_is_called_and_moved(http: httpx.Client, versions: list[str]) -> None:
    assert answer(http, BOT).status_code == 200
    point(http, "1")
    revision = point(http, "2")
    stale = http.put(f"{MODELS}/{BOT}/aliases/prod", json={"version": "1"}, headers={"if-match": '"1"'})
    assert (stale.status_code, stale.headers["etag"]) == (409, f'"{revision}"')
    compared = http.get(f"{MODELS}:compare?versions={BOT}@1,{BOT}@prod").json()
    assert compared["versions"] == [f"{BOT}@1", f"{BOT}@2"]
    assert len(versions) == 2


def test_lineage_leads_from_the_dataset_to_the_name_and_back_to_a_job(http: httpx.Client, versions: list[str]) -> None:
    found = http.get(f"{MODELS}/{BOT}/versions/default/lineage").json()
    assert (found["job"]["job"], found["dataset_sha256"]) == (versions[0], found["lint"]["sha256"])
    assert found["estimate"]["tokens_low"] > 0
    again = http.post(f"/v1/fine_tuning/jobs/{versions[0]}/replay")
    assert again.status_code == 200, again.text
    body = again.json()
    assert body["training_file"] == found["job"]["training_file"]
    assert body["hyperparameters"]["n_epochs"] == 1
    assert ended(http, body["id"])["status"] == "succeeded"


def test_aliases_go_to_vertex_ai_and_come_from_there(stack: Stack, versions: list[str]) -> None:
    own = stack.http.post(MODELS, json={"job": versions[0]}).json()
    assert stack.http.put(f"{MODELS}/{own['id']}/aliases/prod", json={"version": "1"}).status_code == 200
    there = f"/v1/{own['resource']}"

    def aliases() -> list[str]:
        found: list[str] = stack.vertex.get(there).raise_for_status().json()["versionAliases"]
        return found

    wait_until(lambda: "prod" in aliases())
    merged = stack.vertex.post(f"{there}@1:mergeVersionAliases", json={"versionAliases": ["golden"]})
    assert merged.status_code == 200
    stack.http.patch(f"{MODELS}/{own['id']}", json={"description": "Look again."})
    wait_until(lambda: "golden" in stack.http.get(f"{MODELS}/{own['id']}").json()["aliases"])
    wait_until(lambda: answer(stack.http, f"{own['name']}@golden").status_code == 200)
