"""A deployment that nobody calls falls asleep, keeps its name and endpoint, and is woken by the first call."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import openai
import pytest

from tests.integration.stack.bus import Recorder
from tests.integration.stack.running import BASE, Stack, asked
from tests.integration.stack.test_open_models import DEPLOYMENTS, ENDPOINTS, answering, deployment_of, there
from tests.waiting import wait_until
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import Conflict
from tuneway.ports import Topic
from tuneway.registry.shelves import Deployment
from tuneway.state import Collection

HOUR = 3600.0


@pytest.fixture(scope="module")
def job(stack: Stack) -> dict[str, Any]:
    return answering(stack, suffix="dozy")


def shown(stack: Stack, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.http.get(f"{DEPLOYMENTS}/{id_}").raise_for_status().json()
    return found


def changed(stack: Stack, id_: str, change: Callable[[Deployment], Deployment]) -> None:
    """As if time had passed: the deployment with other times in it, due now."""
    documents = SqliteDocuments(stack.data / "state.sqlite")
    shelf = Collection(documents, "deployments", Deployment)
    for _ in range(50):
        stored = shelf.get(id_)
        after = msgspec.structs.replace(change(stored.value), deadline=time.time())
        try:
            return documents.commit(shelf.replace(stored, after))
        except Conflict:
            continue
    raise AssertionError("It keeps changing.")


def an_hour_later(deployment: Deployment) -> Deployment:
    nap = deployment.nap
    since = None if nap.since is None else nap.since - HOUR
    earlier = msgspec.structs.replace(nap, since=since, last_used=max(0.0, nap.last_used - HOUR))
    return msgspec.structs.replace(deployment, nap=earlier, moved_at=deployment.moved_at - HOUR)


def becomes(stack: Stack, id_: str, status: str) -> None:
    wait_until(lambda: shown(stack, id_)["status"] == status)


def unused_for_an_hour(deployment: Deployment) -> Deployment:
    before = time.time() - HOUR
    nap = msgspec.structs.replace(deployment.nap, last_used=min(deployment.nap.last_used, before))
    return msgspec.structs.replace(deployment, nap=nap, moved_at=min(deployment.moved_at, before))


def put_to_rest(stack: Stack, id_: str) -> None:
    """Idle for an hour, drained for another; said again until it sleeps, for the log may bring an earlier call late."""
    stack.http.patch(f"{DEPLOYMENTS}/{id_}", json={"rest": {"idle_minutes": 15}}).raise_for_status()

    def sleeps() -> bool:
        status = shown(stack, id_)["status"]
        if status in ("ready", "draining"):
            changed(stack, id_, unused_for_an_hour)
        return bool(status == "asleep")

    wait_until(sleeps)


def told(recorder: Recorder, id_: str) -> list[str]:
    """The kinds of what was published of a deployment, each event once, however often it came."""
    sent = [message.attributes for message in recorder.messages() if message.topic is Topic.TUNING_EVENTS]
    return list({each["ce-id"]: each["ce-type"] for each in sent if each["ce-subject"] == id_}.values())


def test_it_sleeps_is_called_and_answers_again(stack: Stack, job: dict[str, Any]) -> None:
    alias, id_ = job["fine_tuned_model"], deployment_of(stack, job)["id"]
    recorder = Recorder(stack.data)
    put_to_rest(stack, id_)
    endpoint = stack.vertex.get(f"{ENDPOINTS}/{id_}").raise_for_status().json()
    assert not endpoint.get("deployedModels")
    assert alias in [model.id for model in stack.sdk().models.list()]
    changed(stack, id_, an_hour_later)

    with pytest.raises(openai.InternalServerError) as caught:
        stack.sdk(max_retries=0).chat.completions.create(model=alias, messages=[{"role": "user", "content": "Hello"}])
    assert (caught.value.status_code, caught.value.code) == (503, "model_asleep")
    assert int(caught.value.response.headers["retry-after"]) > 0

    becomes(stack, id_, "ready")
    wait_until(lambda: stack.http.post("/v1/chat/completions", json=asked(alias)).status_code == 200)
    answer = stack.sdk().chat.completions.create(
        model=alias, messages=[{"role": "user", "content": "What is 12 plus one?"}]
    )
    assert answer.choices[0].message.content == "It is 13."
    assert shown(stack, id_)["sleep"]["saved_usd"] == pytest.approx(1.0, abs=0.1)
    both = ["tuneway.deployment.asleep", "tuneway.deployment.woken"]
    wait_until(lambda: told(recorder, id_) == both)


def test_a_fallback_answers_while_it_sleeps_and_the_call_wakes_it_all_the_same(
    stack: Stack, job: dict[str, Any]
) -> None:
    id_ = deployment_of(stack, job)["id"]
    put_to_rest(stack, id_)
    place = {"identifier": f"vertex_ai/{shown(stack, id_)['endpoint']}", "dialect": "openai"}
    body = {"targets": [place], "fallbacks": [f"vertex_ai/{BASE}"]}
    stack.http.put("/v1/registry/routes/dozy-safe", json=body).raise_for_status()
    answer = stack.http.post("/v1/chat/completions", json=asked("dozy-safe"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-tuneway-target"].endswith(BASE)
    becomes(stack, id_, "ready")
    stack.http.delete("/v1/registry/routes/dozy-safe").raise_for_status()


def test_it_is_put_to_sleep_by_hand_and_taken_away_asleep(stack: Stack, job: dict[str, Any]) -> None:
    id_ = deployment_of(stack, job)["id"]
    answer = stack.http.post(f"{DEPLOYMENTS}/{id_}/sleep").raise_for_status().json()
    assert answer["status"] == "draining"
    changed(stack, id_, an_hour_later)
    becomes(stack, id_, "asleep")
    stack.http.delete(f"{DEPLOYMENTS}/{id_}", params={"force": "true"}).raise_for_status()
    becomes(stack, id_, "undeployed")
    assert not there(stack, ENDPOINTS, id_)
