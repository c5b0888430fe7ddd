"""``/v1/fine_tuning/jobs``: OpenAI's shapes, and what becomes of a request's fields."""

from pathlib import Path

import msgspec
import pytest

from tests.contracts.openapi import departures
from tests.fakes import Loop
from tests.unit.edge.asking import Asked, Asking
from tuneway.edge.fine_tuning import PUBLIC, page, rendered, rules
from tuneway.tuning.jobs import Status

JOBS = "/v1/fine_tuning/jobs"
BASE = "gemini-3.5-flash"


class Desk:
    """The door of a loop of fakes."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.asking = Asking(rules(self.loop.desk))

    def ask(self, method: str, path: str = "", *, key: str = "tune", body: object = None) -> Asked:
        answer = self.asking(method, JOBS + path, key=key, body=body)
        where = (JOBS + path).partition("?")[0]
        kind = answer.headers["content-type"]
        assert not departures(method, where, status=answer.status, kind=kind, body=answer.content)
        return answer

    def create(self, **fields: object) -> Asked:
        return self.ask("POST", body={"model": BASE, "training_file": self.loop.upload(), **fields})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_new_job_is_what_openai_says_a_job_is(desk: Desk) -> None:
    job = desk.create(suffix="shop", metadata={"a": "b"}, hyperparameters={"n_epochs": 3}).json
    assert (job["object"], job["status"], job["model"]) == ("fine_tuning.job", "validating_files", BASE)
    assert (job["organization_id"], job["metadata"], job["fine_tuned_model"]) == ("acme", {"a": "b"}, None)
    assert job["hyperparameters"]["n_epochs"] == 3
    assert job["method"]["supervised"]["hyperparameters"] == job["hyperparameters"]


def test_a_job_has_an_answer_in_openais_shape_in_every_status(desk: Desk) -> None:
    job = desk.loop.job(desk.create().json["id"])
    for status in Status:
        body = msgspec.json.encode(rendered(msgspec.structs.replace(job, status=status)))
        faults = departures("GET", f"{JOBS}/x", status=200, kind="application/json", body=body)
        assert not faults, status


def test_every_status_has_a_public_name() -> None:
    assert set(PUBLIC) == set(Status)


def test_a_job_is_running_until_its_model_answers(desk: Desk) -> None:
    job = desk.loop.job(desk.create().json["id"])
    trained = msgspec.structs.replace(job, status=Status.SUCCEEDED, finished_at=5.0, trained_tokens=7)
    shown = rendered(trained)
    assert (shown["status"], shown["finished_at"], shown["trained_tokens"]) == ("running", None, None)
    shown = rendered(msgspec.structs.replace(trained, fine_tuned_model="ft:x"))
    assert (shown["status"], shown["finished_at"], shown["trained_tokens"]) == ("succeeded", 5, 7)


def test_a_finished_job_shows_its_model_and_its_events(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    desk.loop.settle()
    assert desk.ask("GET", f"/{job_id}").json["fine_tuned_model"].startswith(f"ft:{BASE}:acme::")
    told = desk.ask("GET", f"/{job_id}/events?limit=100").json["data"]
    assert (told[0]["data"]["status"], told[-1]["message"]) == ("succeeded", "Created fine-tuning job.")


def test_pages_of_jobs_and_events_follow_each_other(desk: Desk) -> None:
    ids = []
    for _ in range(3):
        desk.loop.clock += 1
        ids.append(desk.create().json["id"])
    first = desk.ask("GET", "?limit=2").json
    second = desk.ask("GET", f"?limit=2&after={first['last_id']}").json
    assert [job["id"] for job in first["data"] + second["data"]] == ids[::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_an_empty_list_is_what_openai_says_a_list_is(desk: Desk) -> None:
    assert desk.ask("GET").json["data"] == []


def test_a_page_is_cut_to_its_limit() -> None:
    rows: list[dict[str, object]] = [{"id": n} for n in range(3)]
    assert page(rows, 2) == {"object": "list", "data": rows[:2], "has_more": True, "first_id": 0, "last_id": 1}
    assert page(rows, 3)["has_more"] is False


@pytest.mark.parametrize("suffix", ["a", "A-b_c.9", "x" * 64])
def test_a_good_suffix_is_in_the_models_name(desk: Desk, suffix: str) -> None:
    job_id = desk.create(suffix=suffix).json["id"]
    assert f":{suffix}:" in desk.loop.job(job_id).alias


@pytest.mark.parametrize("suffix", ["", "x" * 65, "a b", "a/b", "a:b", "é", "a\n"])
def test_a_bad_suffix_is_refused(desk: Desk, suffix: str) -> None:
    answer = desk.create(suffix=suffix)
    assert (answer.status, answer.error["param"]) == (400, "suffix")


@pytest.mark.parametrize("metadata", [{str(n): "" for n in range(17)}, {"k" * 65: ""}, {"k": "v" * 513}])
def test_metadata_beyond_openais_limits_is_refused(desk: Desk, metadata: dict[str, str]) -> None:
    answer = desk.create(metadata=metadata)
    assert (answer.status, answer.error["param"].partition(".")[0]) == (400, "metadata")


def test_metadata_within_openais_limits_is_kept(desk: Desk) -> None:
    metadata = {f"{n:064}": "v" * 512 for n in range(16)}
    assert desk.create(metadata=metadata).json["metadata"] == metadata


def test_events_go_on_after_an_event_of_the_same_job_only(desk: Desk) -> None:
    first, second = (desk.create().json["id"] for _ in range(2))
    theirs = desk.ask("GET", f"/{second}/events").json["last_id"]
    assert desk.ask("GET", f"/{second}/events?after={theirs}").status == 200
    for after in (theirs, "zzz", "-000001"):
        answer = desk.ask("GET", f"/{first}/events?after={after}")
        assert (answer.status, answer.error["param"], after in answer.error["message"]) == (404, "after", True)


@pytest.mark.parametrize("field", ["seed", "integrations"])
def test_a_field_that_cannot_be_kept_is_refused_by_name(desk: Desk, field: str) -> None:
    answer = desk.create(**{field: {"seed": 1, "integrations": [{"type": "wandb"}]}[field]})
    assert (answer.status, answer.error["param"]) == (400, field)


@pytest.mark.parametrize("field", ["seed", "integrations", "suffix", "metadata", "method", "validation_file"])
def test_null_is_as_good_as_absent(desk: Desk, field: str) -> None:
    assert desk.create(**{field: None}).status == 200


def test_another_tenants_job_is_not_found(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        assert desk.ask(method, f"/{job_id}{path}", key="tune@rival").status == 404
    assert desk.ask("GET", key="tune@rival").json["data"] == []


def test_a_job_is_cancelled(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    assert desk.ask("POST", f"/{job_id}/cancel").json["status"] == "cancelled"


def test_nothing_is_accepted_that_was_refused(desk: Desk) -> None:
    assert desk.create(colour="red").status == 400
    assert desk.ask("GET").json["data"] == []
    assert desk.loop.events.sent == []
