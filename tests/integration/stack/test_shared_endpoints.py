"""Two versions of an open model behind one endpoint: the calls are shared, one goes, and the other keeps them all."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stack.running import Stack, asked, created, ended, row, uploaded
from tests.waiting import wait_until

LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
DEPLOYMENTS = "/v1/registry/deployments"
MODELS = "/v1/registry/models"
VERTEX = "/v1/projects/local-project/locations/us-central1"
LIVE = "adder-live"
FIRST, SECOND = "adder-1", "adder-2"
OLD, NEW = "It is 13.", "Thirteen, as ever."


def tuned(stack: Stack, suffix: str, answer: str) -> str:
    rows = b"".join(row(f"What is {n} plus one?", answer if n == 12 else f"It is {n + 1}.") for n in range(20))
    job = created(stack.http, model=LLAMA, suffix=suffix, training_file=uploaded(stack.http, rows))
    assert ended(stack.http, job["id"])["status"] == "succeeded"
    return str(job["id"])


def one(stack: Stack, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.http.get(f"{DEPLOYMENTS}/{id_}").raise_for_status().json()
    return found


def settled(stack: Stack, id_: str, status: str) -> None:
    wait_until(lambda: one(stack, id_)["status"] == status)


def said(stack: Stack, calls: int = 60) -> Counter[str]:
    """What the alias answers, so many times."""
    answers = (stack.http.post("/v1/chat/completions", json=asked(LIVE)) for _ in range(calls))
    return Counter(answer.raise_for_status().json()["choices"][0]["message"]["content"] for answer in answers)


def there(stack: Stack, path: str) -> dict[str, Any] | None:
    answer = stack.vertex.get(f"{VERTEX}/{path}")
    found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
    return found


@pytest.fixture(scope="module")
def shared(stack: Stack) -> Stack:
    """The first version answers under an alias, and the second is put beside it."""
    for suffix, answer in (("adder-a", OLD), ("adder-b", NEW)):
        body = {"name": "adder", "job": tuned(stack, suffix, answer)}
        wait_until(lambda body=body: stack.http.post(MODELS, json=body).status_code == 200)  # type: ignore[misc]  # bound at once
    made = stack.http.post(DEPLOYMENTS, json={"model": "adder", "version": "1", "alias": LIVE})
    assert (made.status_code, made.json()["id"]) == (200, FIRST), made.text
    settled(stack, FIRST, "ready")
    beside = {"model": "adder", "version": "2", "endpoint": FIRST, "traffic": 40}
    guest = stack.http.post(DEPLOYMENTS, json=beside)
    assert (guest.status_code, guest.json()["alias"]) == (200, None), guest.text
    settled(stack, SECOND, "ready")
    return stack


def brought(stack: Stack, shares: Callable[[list[int]], bool]) -> None:
    """Until Vertex AI has such shares."""

    def same() -> bool:
        found = there(stack, f"endpoints/{FIRST}")
        return found is not None and shares(sorted(found["trafficSplit"].values()))

    wait_until(same)


def test_both_versions_answer_by_their_shares_and_leave_one_after_the_other(shared: Stack) -> None:
    split = {FIRST: 60, SECOND: 40}
    assert (one(shared, FIRST)["traffic"], one(shared, SECOND)["traffic"]) == (split, split)
    assert one(shared, FIRST)["endpoint"] == one(shared, SECOND)["endpoint"]
    brought(shared, lambda shares: shares == [40, 60])
    assert set(said(shared)) == {OLD, NEW}
    uses = shared.http.get(f"{MODELS}/adder/versions/2/uses").raise_for_status().json()
    assert SECOND in {use["name"] for use in uses["data"] if use["kind"] == "deployment"}

    changed = shared.http.patch(f"{DEPLOYMENTS}/{FIRST}", json={"traffic": {FIRST: 0, SECOND: 100}})
    assert changed.json()["traffic"] == {FIRST: 0, SECOND: 100}
    brought(shared, lambda shares: shares == [100])
    assert said(shared, 20) == {NEW: 20}

    assert shared.http.delete(f"{DEPLOYMENTS}/{SECOND}").status_code == 409
    assert shared.http.delete(f"{DEPLOYMENTS}/{FIRST}").json()["status"] == "undeploying"
    settled(shared, FIRST, "undeployed")
    assert said(shared, 10) == {NEW: 10}
    assert (there(shared, f"models/{FIRST}"), one(shared, SECOND)["traffic"]) == (None, {SECOND: 100})

    assert shared.http.delete(f"{DEPLOYMENTS}/{SECOND}", params={"force": "true"}).status_code == 200
    settled(shared, SECOND, "undeployed")
    assert (there(shared, f"models/{SECOND}"), there(shared, f"endpoints/{FIRST}")) == (None, None)
    wait_until(lambda: shared.http.post("/v1/chat/completions", json=asked(LIVE)).status_code == 404)
