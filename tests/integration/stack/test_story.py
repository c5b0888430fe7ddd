"""The life of two versions behind one name, with nothing but the SDK, the command line and HTTP, told by its events."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from tests.integration.stack.canarying import place_of, started, until
from tests.integration.stack.hearing import Ears, listening
from tests.integration.stack.running import Stack, command, created, ended, running
from tests.waiting import PATIENCE, wait_until

LLAMA = "meta/llama3_1@llama-3.1-8b-instruct"
DEPLOYMENTS = "/v1/registry/deployments"
MODELS = "/v1/registry/models"
BOT = "shop-bot"
QUESTION = "What is 12 plus one?"
STEPS = [30, 60]


class Teller:
    """Two versions of a model of their own, each tuned by a job and deployed by itself."""

    def __init__(self, stack: Stack, ears: Ears) -> None:
        self.stack, self.http, self.ears = stack, stack.http, ears
        jobs = [created(stack.http, model=LLAMA, suffix=suffix)["id"] for suffix in ("one", "two")]
        self.jobs = [ended(stack.http, job) for job in jobs]
        wait_until(lambda: all(self.name(each["id"]) for each in self.jobs))
        self.names = [str(self.name(each["id"])) for each in self.jobs]
        for job in jobs:
            stack.http.post(MODELS, json={"name": BOT, "job": job}).raise_for_status()

    def name(self, job: str) -> str | None:
        found: str | None = self.http.get(f"/v1/fine_tuning/jobs/{job}").raise_for_status().json()["fine_tuned_model"]
        return found

    def place(self, version: int) -> str:
        return place_of(self.stack, self.names[version - 1])

    def deployment(self, version: int) -> dict[str, Any]:
        path = f"{DEPLOYMENTS}/{self.place(version).rpartition('/')[2]}"
        found: dict[str, Any] = self.http.get(path).raise_for_status().json()
        return found

    def lead(self, alias: str, version: int) -> None:
        """A route of one target."""
        body = {"targets": [{"identifier": self.place(version)}], "cooldown": 0}
        answer = self.http.put(f"/v1/registry/routes/{alias}", json=body)
        assert answer.status_code == 200, answer.text

    def point(self, version: int) -> None:
        """The model's own alias, which its lineage tells the moves of."""
        self.said("models", "alias", BOT, "prod", str(version))

    def answer(self, model: str, *, retries: int = 2) -> str | None:
        """What the unmodified SDK gives."""
        messages: Any = [{"role": "user", "content": QUESTION}]
        with self.stack.sdk(max_retries=retries) as client:
            return client.chat.completions.create(model=model, messages=messages).choices[0].message.content

    def awake(self, version: int) -> bool:
        """Whether every instance knows by now."""
        try:
            return self.answer(self.names[version - 1], retries=0) == "It is 13."
        except openai.InternalServerError:
            return False

    def machines(self, version: int) -> list[Any]:
        """What is deployed on the version's endpoint, by the provider's own word."""
        place = self.place(version).removeprefix("vertex_ai/")
        found: dict[str, Any] = self.stack.vertex.get(f"/v1/{place}").raise_for_status().json()
        return list(found.get("deployedModels", []))

    def said(self, *words: str) -> str:
        environment = {"PATH": os.defpath, "COLUMNS": "220"}
        done = subprocess.run(
            [command(), *words, "--data", str(self.stack.data)],
            capture_output=True,
            text=True,
            timeout=300,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lineage(self, version: int) -> dict[str, Any]:
        path = f"{MODELS}/{BOT}/versions/{version}/lineage"
        found: dict[str, Any] = self.http.get(path).raise_for_status().json()
        return found

    def told(self, prefix: str) -> list[str]:
        """What was told of one kind of thing, in order."""
        events = [event for event in self.ears.heard() if event.type.startswith(prefix)]
        return [f"{event.type.rpartition('.')[2]} {event.data.get('alias') or event.subject}" for event in events]

    def ends(self, job: str) -> list[str]:
        """What was told of a job's end, in order."""
        told = [event.type for event in self.ears.heard() if event.subject == job]
        return [each for each in told if each in {"job.trained", "job.succeeded"}]


@contextmanager
def story(stack: Stack) -> Iterator[Teller]:
    with listening(stack) as ears:
        yield Teller(stack, ears)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((), id="local"),
        pytest.param(("--emulators",), id="emulated", marks=pytest.mark.xdist_group("emulators")),
    ],
)
def teller(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teller]:
    with running(tmp_path_factory.mktemp("story"), *request.param) as stack, story(stack) as found:
        yield found


@pytest.mark.timeout(1800)
def test_two_versions_from_their_jobs_to_a_rollback_by_hand(teller: Teller) -> None:
    teller.lead("shop", 1)
    teller.point(1)
    _the_worse_is_taken_back_by_itself(teller)
    before = _mended_it_is_promoted(teller)
    _one_that_nobody_uses_sleeps_and_is_woken_by_a_request(teller)
    _one_is_rolled_back_by_hand(teller, to=before)
    _every_step_was_told(teller)
    _the_lineage_knows_it_all(teller)


def _the_worse_is_taken_back_by_itself(teller: Teller) -> None:
    endpoint = teller.place(2).rpartition("/")[2]
    teller.stack.fault(path=f"endpoints/{endpoint}", fault="status", status=503, times=100_000)
    started(teller.stack, "shop", teller.names[1], steps=STEPS)
    assert "requests failed" in until(teller.stack, "shop", "rolled_back")["moments"][-1]["message"]
    assert place_of(teller.stack, "shop") == teller.place(1)
    teller.stack.vertex.delete("/_simulate/faults")


def _mended_it_is_promoted(teller: Teller) -> int:
    """The version of the route that was there before."""
    before = int(teller.http.get("/v1/registry/routes/shop").raise_for_status().json()["version"])
    started(teller.stack, "shop", teller.names[1], steps=STEPS)
    until(teller.stack, "shop", "promoted")
    assert place_of(teller.stack, "shop") == teller.place(2)
    teller.point(2)
    assert teller.answer("shop") == "It is 13."
    return before


def _one_that_nobody_uses_sleeps_and_is_woken_by_a_request(teller: Teller) -> None:
    """The first version, which the route leads to no more."""
    path = f"{DEPLOYMENTS}/{teller.deployment(1)['id']}"
    teller.http.post(f"{path}/sleep").raise_for_status()
    wait_until(lambda: teller.deployment(1)["status"] == "asleep", seconds=3 * PATIENCE)
    assert teller.machines(1) == []
    with pytest.raises(openai.InternalServerError) as caught:
        teller.answer(teller.names[0], retries=0)
    assert (caught.value.status_code, caught.value.code) == (503, "model_asleep")
    assert int(caught.value.response.headers["retry-after"]) > 0
    assert teller.answer("shop") == "It is 13."  # the other one answers as before
    wait_until(lambda: teller.deployment(1)["status"] == "ready")
    assert len(teller.machines(1)) == 1
    wait_until(lambda: teller.awake(1))
    assert teller.deployment(1)["sleep"]["seconds"] > 0


def _one_is_rolled_back_by_hand(teller: Teller, *, to: int) -> None:
    teller.said("routes", "rollback", "shop", "--to", str(to))
    wait_until(lambda: place_of(teller.stack, "shop") == teller.place(1))
    teller.point(1)
    assert teller.answer("shop") == "It is 13."
    wait_until(lambda: teller.answer(f"{BOT}@prod") == "It is 13.")


def _every_step_was_told(teller: Teller) -> None:
    moves = [f"{what} shop" for what in ("started", "rolled_back", "started", "advanced", "promoted")]
    wait_until(lambda: teller.told("canary.") == moves)
    for job in teller.jobs:
        wait_until(lambda id_=job["id"]: teller.ends(id_) == ["job.trained", "job.succeeded"])  # type: ignore[misc]  # bound at once
    rested = [f"{what} {teller.names[0]}" for what in ("asleep", "woken")]
    wait_until(lambda: teller.told("deployment.") == rested)


def _the_lineage_knows_it_all(teller: Teller) -> None:
    moved = [(move["before"], move["after"]) for move in teller.lineage(1)["moves"] if move["alias"] == "prod"]
    assert moved == [(None, "1"), ("1", "2"), ("2", "1")]
    (slept,) = teller.lineage(1)["deployments"]
    passed = [moment["status"] for moment in slept["history"]]
    assert passed[-6:] == ["ready", "draining", "falling_asleep", "asleep", "waking", "ready"]
    for number, job in enumerate(teller.jobs, 1):
        found = teller.lineage(number)
        assert (found["job"]["job"], found["dataset_sha256"]) == (job["id"], found["lint"]["sha256"])
        assert found["estimate"]["tokens_low"] > 0
