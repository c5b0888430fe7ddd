"""``/v1/fine_tuning/sweeps``: what becomes of a request's fields, and what is shown."""

import io
from pathlib import Path
from typing import Any

import pytest

from tests.unit.edge.asking import Asked, Asking
from tests.unit.tuning.sweeps.sweeping import SweepLoop
from tuneway.edge.fine_tuning.sweeps import rules
from tuneway.tuning.datasets.kinds import Columns

SWEEPS = "/v1/fine_tuning/sweeps"
BASE = "gemini-3.5-flash"


class Desk:
    """The door of a loop of fakes."""

    def __init__(self, folder: Path) -> None:
        self.loop = SweepLoop(folder)
        self.asking = Asking(rules(self.loop.sweep_desk))
        self.file = self.loop.upload()

    def ask(self, method: str, path: str = "", *, key: str = "tune", body: object = None) -> Asked:
        return self.asking(method, SWEEPS + path, key=key, body=body)

    def create(self, **fields: object) -> Asked:
        whole = {"model": BASE, "training_file": self.file, "grid": {"n_epochs": [1, 2]}, **fields}
        return self.ask("POST", body={name: value for name, value in whole.items() if value is not None})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_grid_becomes_its_jobs(desk: Desk) -> None:
    grid = {"n_epochs": [1, 2], "learning_rate_multiplier": [0.5, "auto"]}
    sweep = desk.create(grid=grid, hyperparameters={"adapter_size": 4}, name="first").json
    assert (sweep["object"], sweep["status"], sweep["name"]) == ("fine_tuning.sweep", "running", "first")
    assert sweep["jobs"] == {
        "total": 4,
        "waiting": 4,
        "started": 0,
        "succeeded": 0,
        "failed": 0,
        "cancelled": 0,
        "skipped": 0,
    }
    assert [row["hyperparameters"] for row in sweep["leaderboard"]] == [
        {"n_epochs": 1, "learning_rate_multiplier": 0.5, "adapter_size": 4},
        {"n_epochs": 1, "adapter_size": 4},
        {"n_epochs": 2, "learning_rate_multiplier": 0.5, "adapter_size": 4},
        {"n_epochs": 2, "adapter_size": 4},
    ]


def test_a_list_of_jobs_lies_over_what_they_share(desk: Desk) -> None:
    jobs = [{"hyperparameters": {"n_epochs": 3}}, {"suffix": "b"}, {"model": "gemini-3.1-flash-lite"}]
    sweep = desk.create(grid=None, jobs=jobs, suffix="a", hyperparameters={"adapter_size": 2}).json
    rows = sweep["leaderboard"]
    assert [row["model"] for row in rows] == [BASE, BASE, "gemini-3.1-flash-lite"]
    assert rows[0]["hyperparameters"] == {"n_epochs": 3, "adapter_size": 2}
    members = desk.loop.sweeps.kept.get(sweep["id"]).value.members
    assert [member.order.suffix for member in members] == ["a", "b", "a"]


def test_models_and_files_are_axes_too(desk: Desk) -> None:
    files = [desk.file, desk.loop.upload()]
    sweep = desk.create(model=None, models=[BASE, "gemini-3.1-flash-lite"], training_file=files).json
    assert sweep["jobs"]["total"] == 8


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"grid": None}, "grid"),
        ({"jobs": [{}]}, "jobs"),
        ({"grid": {"colour": [1]}}, "grid.colour"),
        ({"grid": {"n_epochs": [1, 11]}}, "grid.n_epochs"),
        ({"grid": {"n_epochs": []}}, "grid.n_epochs"),
        ({"grid": {"batch_size": [8]}}, "grid.batch_size"),
        ({"grid": {"n_epochs": [1, 2, 3]}, "max_jobs": 2}, "grid"),
        ({"grid": {"n_epochs": list(range(1, 11)), "adapter_size": [1, 2, 4, 8, 16], "batch_size": [1, 2, 3]}}, "grid"),
        ({"hyperparameters": {"adapter_size": 4, "colour": 1}}, "hyperparameters.colour"),
        ({"grid": None, "jobs": []}, "jobs"),
        ({"grid": None, "jobs": [{}, {"hyperparameters": {"n_epochs": 0}}]}, "jobs[1].hyperparameters.n_epochs"),
        ({"grid": None, "jobs": [{"colour": 1}]}, "jobs[0].colour"),
        ({"grid": None, "jobs": [{"metadata": {"a": "b"}}]}, "jobs[0].metadata"),
        ({"grid": None, "jobs": [{}, {}], "max_jobs": 1}, "jobs"),
        ({"grid": None, "jobs": [{}], "model": [BASE]}, "model"),
        ({"model": [BASE, BASE]}, "model"),
        ({"model": "gpt-2"}, "model"),
        ({"model": None}, "model"),
        ({"models": [BASE]}, "models"),
        ({"training_file": None}, "training_file"),
        ({"training_file": "file-gone"}, "training_file"),
        ({"validation_file": "file-gone"}, "validation_file"),
        ({"concurrency": 0}, "concurrency"),
        ({"max_cost_usd": 0}, "max_cost_usd"),
        ({"stop": {"patience": 0}}, "stop.patience"),
        ({"stop": {"colour": 0}}, "stop.colour"),
        ({"promote": {"alias": "no way"}}, "promote.alias"),
        ({"promote": {}}, "promote.alias"),
        ({"metadata": {"k" * 65: ""}}, f"metadata.{'k' * 64}"),
        ({"colour": "red"}, "colour"),
        ({"name": "n" * 129}, "name"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_accepted(desk: Desk, fields: dict[str, object], param: str) -> None:
    answer = desk.create(**fields)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert desk.ask("GET").json["data"] == []


def test_an_ended_sweep_shows_ranks_losses_and_money(desk: Desk) -> None:
    id_ = desk.create(grid={"learning_rate_multiplier": [3, 1, 2], "n_epochs": 1}, max_cost_usd=50).json["id"]
    desk.loop.settle(beats=20)
    sweep = desk.ask("GET", f"/{id_}").json
    rows = sweep["leaderboard"]
    assert (sweep["status"], sweep["winner"]) == ("succeeded", rows[0]["job"])
    assert [(row["rank"], row["hyperparameters"]["learning_rate_multiplier"]) for row in rows] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert (rows[0]["validation_loss"], rows[0]["cost_usd"], rows[0]["cost_basis"]) == (0.6, 1.6, "actual")
    assert rows[0]["fine_tuned_model"].startswith(f"ft:{BASE}:acme:")
    assert sweep["cost"] == {
        "currency": "USD",
        "ceiling": 50,
        "spent": 4.8,
        "reserved": 0,
        "room": 45.2,
        "unknown_jobs": 0,
    }
    assert (sweep["notes"], sweep["finished_at"] is not None) == ([], True)


def test_pages_of_sweeps_follow_each_other(desk: Desk) -> None:
    ids = []
    for _ in range(3):
        desk.loop.clock += 1
        ids.append(desk.create().json["id"])
    first = desk.ask("GET", "?limit=2").json
    second = desk.ask("GET", f"?limit=2&after={first['last_id']}").json
    assert [each["id"] for each in first["data"] + second["data"]] == ids[::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_a_sweep_is_cancelled_and_cannot_be_promoted_while_it_runs(desk: Desk) -> None:
    id_ = desk.create().json["id"]
    refused = desk.ask("POST", f"/{id_}/promote", body={"job": "ftjob-x", "alias": "shop"})
    assert (refused.status, refused.error["code"]) == (400, "sweep_not_ended")
    assert desk.ask("POST", f"/{id_}/cancel").json["status"] == "cancelling"
    desk.loop.settle(beats=3)
    sweep: dict[str, Any] = desk.ask("GET", f"/{id_}").json
    assert (sweep["status"], sweep["stopped_by"]["rule"], sweep["jobs"]["skipped"]) == ("cancelled", "cancelled", 2)


def test_a_job_names_its_sweep_and_bears_its_metadata(desk: Desk) -> None:
    id_ = desk.create(metadata={"team": "red"}).json["id"]
    desk.loop.settle(beats=3)
    assert {(job.sweep, str(job.metadata)) for job in desk.loop.ran()} == {(id_, "{'team': 'red'}")}


@pytest.mark.parametrize(("key", "status"), [("tune@rival", 404), ("admin@platform", 200), ("predict", 403)])
def test_a_sweep_is_its_owners_and_an_admins(desk: Desk, key: str, status: int) -> None:
    id_ = desk.create().json["id"]
    assert desk.ask("GET", f"/{id_}", key=key).status == status
    assert desk.ask("POST", f"/{id_}/cancel", key=key).status == status


def test_the_columns_of_a_table_are_those_of_every_job(desk: Desk) -> None:
    rows = b"ticket,reply\n" + b"".join(b"Question %d,Answer %d\n" % (n, n) for n in range(100))
    file = desk.loop.shelf.upload(io.BytesIO(rows), filename="rows.csv", purpose="fine-tune", owner="acme")
    created = desk.create(training_file=file.id, columns={"prompt": "ticket", "completion": "reply"})
    assert created.status == 200, created.content
    desk.loop.settle()
    jobs = [stored.value for stored in desk.loop.lifecycle.jobs.find()]
    assert [job.columns for job in jobs] == [Columns(prompt="ticket", completion="reply")] * 2
    assert all(job.dataset and job.dataset.rows == 100 for job in jobs)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": [BASE, f"vertex_ai/{BASE}"]}, "model"),
        ({"grid": {"adapter_size": [1, "small"]}}, "grid"),
        ({"grid": {"adapter_size": [4, "ADAPTER_SIZE_FOUR"]}}, "grid"),
    ],
)
def test_the_same_job_in_other_words_is_not_paid_twice(desk: Desk, fields: dict[str, object], param: str) -> None:
    answer = desk.create(**fields)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, param, "duplicate_value")


def test_a_hyperparameter_is_fixed_or_varied(desk: Desk) -> None:
    answer = desk.create(hyperparameters={"n_epochs": 3})
    assert (answer.status, answer.error["param"]) == (400, "hyperparameters.n_epochs")


def test_a_grid_and_a_list_of_jobs_are_one_too_many(desk: Desk) -> None:
    answer = desk.create(jobs=[{}])
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "jobs", "invalid_value")
