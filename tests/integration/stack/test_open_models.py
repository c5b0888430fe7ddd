"""An open model is tuned, uploaded, deployed, routed and answers, by events alone; and taken away again."""

from typing import Any

import pytest

from tests.integration.stack.running import Stack, asked, created, ended
from tests.waiting import wait_until

LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
DEPLOYMENTS = "/v1/registry/deployments"
ENDPOINTS = "/v1/projects/local-project/locations/us-central1/endpoints"
MODELS = "/v1/projects/local-project/locations/us-central1/models"


def told(stack: Stack, job: dict[str, Any]) -> list[str]:
    events = stack.http.get(f"/v1/fine_tuning/jobs/{job['id']}/events", params={"limit": 100}).json()
    return [event["message"] for event in events["data"]]


def answering(stack: Stack, **fields: object) -> dict[str, Any]:
    job = ended(stack.http, created(stack.http, model=LLAMA, **fields)["id"])
    assert job["status"] == "succeeded", job["error"]
    found: dict[str, Any] = {}

    def answers() -> bool:
        found.update(stack.http.get(f"/v1/fine_tuning/jobs/{job['id']}").json())
        return bool(found["fine_tuned_model"])

    wait_until(answers)
    return found


@pytest.fixture(scope="module")
def tuned(stack: Stack) -> dict[str, Any]:
    return answering(stack, suffix="open")


def deployment_of(stack: Stack, job: dict[str, Any]) -> dict[str, Any]:
    rows = stack.http.get(DEPLOYMENTS).raise_for_status().json()["data"]
    (found,) = [row for row in rows if row.get("job") == job["id"] and row["checkpoint"] is None]
    return dict(found)


def there(stack: Stack, path: str, id_: str) -> bool:
    return stack.vertex.get(f"{path}/{id_}").status_code == 200


def test_an_open_model_answers_from_what_it_learned(stack: Stack, tuned: dict[str, Any]) -> None:
    chat = stack.sdk().chat.completions.create(
        model=tuned["fine_tuned_model"], messages=[{"role": "user", "content": "What is 12 plus one?"}]
    )
    assert chat.choices[0].message.content == "It is 13."


def test_the_job_was_told_the_cost_and_the_end(stack: Stack, tuned: dict[str, Any]) -> None:
    messages = told(stack, tuned)
    assert any("g2-standard-12 with 1 x NVIDIA_L4, at about 1.00 USD an hour" in message for message in messages)
    assert messages[0] == f"New fine-tuned model created: {tuned['fine_tuned_model']}"


def test_the_deployment_shows_its_way_and_its_cost(stack: Stack, tuned: dict[str, Any]) -> None:
    shown = deployment_of(stack, tuned)
    steps = [moment["status"] for moment in shown["history"]]
    assert steps == ["requested", "uploading", "creating_endpoint", "deploying", "ready"]
    assert shown["hourly"]["usd"] == 1.0
    assert shown["endpoint"].endswith(f"/endpoints/{shown['id']}")


def test_a_deployment_in_use_is_taken_away_by_force_alone(stack: Stack) -> None:
    job = answering(stack, suffix="gone")
    id_ = deployment_of(stack, job)["id"]
    refused = stack.http.delete(f"{DEPLOYMENTS}/{id_}")
    assert refused.status_code == 409
    assert job["fine_tuned_model"] in refused.json()["error"]["message"]
    assert stack.http.delete(f"{DEPLOYMENTS}/{id_}", params={"force": "true"}).json()["status"] == "undeploying"
    wait_until(lambda: stack.http.get(f"{DEPLOYMENTS}/{id_}").json()["status"] == "undeployed")
    assert not there(stack, ENDPOINTS, id_)
    assert not there(stack, MODELS, id_)
    gone = asked(job["fine_tuned_model"])
    wait_until(lambda: stack.http.post("/v1/chat/completions", json=gone).status_code == 404)


def test_a_checkpoint_is_deployed_under_a_name_of_its_own(stack: Stack, tuned: dict[str, Any]) -> None:
    model = deployment_of(stack, tuned)["model"]
    (version,) = stack.http.get(f"/v1/registry/models/{model}/versions").json()["data"]
    point = version["checkpoints"][0]["id"]
    made = stack.http.post(DEPLOYMENTS, json={"model": model, "checkpoint": point}).json()
    assert made["alias"] == f"{tuned['fine_tuned_model']}@cp-{point}"
    wait_until(lambda: stack.http.get(f"{DEPLOYMENTS}/{made['id']}").json()["status"] == "ready")
    answer = stack.http.post("/v1/chat/completions", json=asked(made["alias"])).json()
    assert answer["choices"][0]["message"]["content"] == "It is 13."
    stack.http.delete(f"{DEPLOYMENTS}/{made['id']}", params={"force": "true"}).raise_for_status()
