"""``/v1/fine_tuning/jobs``: OpenAI's shapes, and what becomes of a request's fields."""

import io
from pathlib import Path

import msgspec
import pytest

from tests.contracts.openapi import departures
from tests.fakes import Loop
from tests.unit.edge.asking import Asked, Asking
from tuneway.edge.fine_tuning.job_views import PUBLIC, rendered, rendered_checkpoint
from tuneway.edge.fine_tuning.jobs import rules
from tuneway.errors import BadInput
from tuneway.ports import Checkpoint, Loss, Method, PreTuned, ProviderState, TunedModel
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.jobs import Status

JOBS = "/v1/fine_tuning/jobs"
BASE = "gemini-3.5-flash"
OURS = ("/approve", "/refuse")  # OpenAI's document knows nothing of them


class Desk:
    """The door of a loop of fakes."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.asking = Asking(rules(self.loop.desk, self.loop.approvals))

    def ask(self, method: str, path: str = "", *, key: str = "tune", body: object = None) -> Asked:
        answer = self.asking(method, JOBS + path, key=key, body=body)
        where = (JOBS + path).partition("?")[0]
        kind = answer.headers["content-type"]
        if not where.endswith(OURS):
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


def test_a_list_goes_on_after_a_row_of_its_own_only(desk: Desk) -> None:
    ids = [desk.create().json["id"] for _ in range(2)]
    assert [job["id"] for job in desk.ask("GET", "?after=").json["data"]] == ids[::-1]
    answer = desk.ask("GET", "?after=ftjob-none")
    assert (answer.status, answer.error["param"], "ftjob-none" in answer.error["message"]) == (404, "after", True)


@pytest.mark.parametrize("key", ["", "__proto__"])
def test_a_key_that_the_database_cannot_hold_is_refused_by_its_field(desk: Desk, key: str) -> None:
    answer = desk.create(metadata={key: "v"})
    assert (answer.status, answer.error["param"]) == (400, "metadata")


def test_an_empty_idempotency_key_does_not_make_all_jobs_one(desk: Desk) -> None:
    body = {"model": BASE, "training_file": desk.loop.upload()}
    for empty in ("", "  "):
        answer = desk.asking("POST", JOBS, key="tune", body=body, sent={"Idempotency-Key": empty})
        assert (answer.status, answer.error["code"]) == (400, "idempotency_key_empty")
    assert desk.ask("GET").json["data"] == []


@pytest.mark.parametrize("field", ["seed", "integrations"])
def test_a_field_that_cannot_be_kept_is_refused_by_name(desk: Desk, field: str) -> None:
    answer = desk.create(**{field: {"seed": 1, "integrations": [{"type": "wandb"}]}[field]})
    assert (answer.status, answer.error["param"]) == (400, field)


@pytest.mark.parametrize("field", ["seed", "integrations", "suffix", "metadata", "method", "validation_file"])
def test_null_is_as_good_as_absent(desk: Desk, field: str) -> None:
    assert desk.create(**{field: None}).status == 200


def test_another_tenants_job_is_not_found(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/checkpoints"), ("POST", "/cancel")):
        assert desk.ask(method, f"/{job_id}{path}", key="tune@rival").status == 404
    assert desk.ask("GET", key="tune@rival").json["data"] == []


def test_a_job_is_cancelled(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    assert desk.ask("POST", f"/{job_id}/cancel").json["status"] == "cancelled"


def test_nothing_is_accepted_that_was_refused(desk: Desk) -> None:
    assert desk.create(colour="red").status == 400
    assert desk.ask("GET").json["data"] == []
    assert desk.loop.events.sent == []


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_what_no_provider_can_do_is_refused_with_a_way_out(desk: Desk, verb: str) -> None:
    job_id = desk.create().json["id"]
    answer = desk.ask("POST", f"/{job_id}/{verb}")
    assert (answer.status, answer.error["code"]) == (400, "unsupported_operation")
    assert "Cancel it" in answer.error["message"]
    assert desk.ask("POST", f"/ftjob-none/{verb}").status == 404


def test_a_held_job_is_queued_to_openais_clients_and_says_why_to_ours(desk: Desk) -> None:
    job_id = desk.create(max_cost_usd=0).json["id"]
    desk.loop.settle(beats=2)
    job = desk.ask("GET", f"/{job_id}").json
    assert (job["status"], job["tuneway"]["status"], job["tuneway"]["ceiling_usd"]) == ("queued", "held", 0)
    assert f"/v1/fine_tuning/jobs/{job_id}/approve" in job["tuneway"]["held_because"]


def test_an_approval_needs_no_body_and_answers_the_job(desk: Desk) -> None:
    job_id = desk.create(max_cost_usd=0).json["id"]
    desk.loop.settle(beats=2)
    for _ in range(2):
        job = desk.ask("POST", f"/{job_id}/approve", key="admin").json
        assert (job["id"], job["tuneway"]["status"]) == (job_id, "submitting")
        assert job["tuneway"]["approval"]["by"] == "acme"
    desk.loop.settle()
    assert desk.ask("GET", f"/{job_id}").json["status"] == "succeeded"


def test_an_admin_decides_on_every_tenants_job(desk: Desk) -> None:
    job_id = desk.create(max_cost_usd=0).json["id"]
    desk.loop.settle(beats=2)
    for key, status in (("tune@rival", 404), ("admin@platform", 200)):
        assert desk.ask("GET", f"/{job_id}", key=key).status == status
        assert desk.ask("GET", f"/{job_id}/events", key=key).status == status
        assert desk.ask("POST", f"/{job_id}/refuse", key=key, body={"reason": "no"}).status == status
    error = desk.ask("GET", f"/{job_id}").json["error"]
    assert (error["code"], error["message"]) == ("approval_refused", "Refused by platform: no")


def test_a_key_that_may_only_predict_decides_nothing(desk: Desk) -> None:
    job_id = desk.create(max_cost_usd=0).json["id"]
    desk.loop.settle(beats=2)
    for verb in ("approve", "refuse"):
        assert desk.ask("POST", f"/{job_id}/{verb}", key="predict").status == 403


@pytest.mark.parametrize(
    ("verb", "body", "param"),
    [
        ("approve", {"max_cost_usd": -1}, "max_cost_usd"),
        ("approve", {"max_cost_usd": "much"}, "max_cost_usd"),
        ("approve", {"colour": "red"}, "colour"),
        ("refuse", {"reason": "x" * 501}, "reason"),
    ],
)
def test_a_decision_with_a_wrong_field_names_it(desk: Desk, verb: str, body: dict[str, object], param: str) -> None:
    job_id = desk.create(max_cost_usd=0).json["id"]
    answer = desk.ask("POST", f"/{job_id}/{verb}", key="admin", body=body)
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize("limit", [-0.01, "5", [5]])
def test_a_limit_that_is_no_sum_is_refused(desk: Desk, limit: object) -> None:
    answer = desk.create(max_cost_usd=limit)
    assert (answer.status, answer.error["param"]) == (400, "max_cost_usd")


def test_a_job_may_be_left_to_the_next_beat(desk: Desk) -> None:
    assert desk.create(start="next_beat").json["status"] == "validating_files"
    assert desk.loop.events.sent == []
    answer = desk.create(start="tomorrow")
    assert (answer.status, answer.error["param"]) == (400, "start")


def test_jobs_are_filtered_by_metadata_page_by_page(desk: Desk) -> None:
    ids = []
    for n in range(7):
        desk.loop.clock += 1
        ids.append(desk.create(metadata={"team": "red" if n % 2 else "blue", "a b.c": str(n)}).json["id"])
    plain = desk.create().json["id"]
    first = desk.ask("GET", "?metadata[team]=red&limit=2").json
    second = desk.ask("GET", f"?metadata[team]=red&limit=2&after={first['last_id']}").json
    assert [job["id"] for job in first["data"] + second["data"]] == [ids[5], ids[3], ids[1]]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [job["id"] for job in desk.ask("GET", "?metadata[a b.c]=3&metadata[team]=red").json["data"]] == [ids[3]]
    assert desk.ask("GET", "?metadata[a b.c]=3&metadata[team]=blue").json["data"] == []
    for none in ("null", ""):
        assert [job["id"] for job in desk.ask("GET", f"?metadata={none}").json["data"]] == [plain]


def test_a_filter_that_is_none_is_not_ignored(desk: Desk) -> None:
    answer = desk.ask("GET", "?metadata=team")
    assert (answer.status, answer.error["param"]) == (400, "metadata")


def test_a_filter_goes_through_more_jobs_than_a_page_holds(desk: Desk) -> None:
    wanted = desk.create(metadata={"k": "v"}).json["id"]
    file = desk.loop.upload()
    for _ in range(105):
        desk.loop.clock += 1
        desk.loop.desk.create(desk.loop.order(training_file=file), owner="acme")
    assert [job["id"] for job in desk.ask("GET", "?metadata[k]=v").json["data"]] == [wanted]


def test_checkpoints_are_shown_newest_first_each_with_the_name_it_answers_by(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    assert desk.ask("GET", f"/{job_id}/checkpoints").json["data"] == []
    desk.loop.settle(train=False, beats=3)
    points = tuple(Checkpoint(id=str(n), epoch=n, step=8 * n, endpoint=f"projects/p/e/{n}") for n in (1, 2, 3))
    model = TunedModel(model="projects/p/locations/us/models/9@1", endpoint="projects/p/e/3", checkpoints=points)
    losses = (Loss(step=16, training=1.5, validation=1.75),)
    desk.loop.backend.turn(next(iter(desk.loop.backend.jobs)), ProviderState.SUCCEEDED, tuned=model, losses=losses)
    desk.loop.settle()
    first = desk.ask("GET", f"/{job_id}/checkpoints?limit=2").json
    rest = desk.ask("GET", f"/{job_id}/checkpoints?limit=2&after={first['last_id']}").json
    shown = first["data"] + rest["data"]
    assert [point["step_number"] for point in shown] == [24, 16, 8]
    assert [point["fine_tuned_model_checkpoint"] for point in shown] == [
        f"{desk.loop.job(job_id).alias}@cp-{n}" for n in (3, 2, 1)
    ]
    named = shown[1]["fine_tuned_model_checkpoint"]
    further = desk.loop.job(desk.create(model=named).json["id"])
    assert further.pre_tuned == PreTuned(model=model.model, checkpoint="2")
    assert shown[1]["metrics"] == {"step": 16, "epoch": 2, "train_loss": 1.5, "valid_loss": 1.75}
    assert shown[2]["metrics"] == {"step": 8}
    assert shown[0]["tuneway"]["continue_from"] == f"{desk.loop.job(job_id).alias}@3"
    assert (first["has_more"], rest["has_more"]) == (True, False)
    answer = desk.ask("GET", f"/{job_id}/checkpoints?after=ftckpt-none-1")
    assert (answer.status, answer.error["param"]) == (404, "after")
    assert desk.ask("GET", f"/{job_id}/checkpoints", key="tune@rival").status == 404


def test_a_checkpoint_that_is_not_routed_yet_is_called_by_its_endpoint(desk: Desk) -> None:
    job = desk.loop.job(desk.create().json["id"])
    shown = rendered_checkpoint(job, Checkpoint(id="1", epoch=1, step=1, endpoint="projects/p/e/1"))
    assert shown["fine_tuned_model_checkpoint"] == "vertex_ai/projects/p/e/1"


def test_a_job_closed_without_an_answering_model_has_succeeded(desk: Desk) -> None:
    job = desk.loop.job(desk.create().json["id"])
    closed = msgspec.structs.replace(job, status=Status.SUCCEEDED, open=False, finished_at=5.0)
    assert (rendered(closed)["status"], rendered(closed)["fine_tuned_model"]) == ("succeeded", None)


def test_a_checkpoint_without_an_endpoint_is_named_as_a_start_for_the_next_job(desk: Desk) -> None:
    job = desk.loop.job(desk.create().json["id"])
    shown = rendered_checkpoint(job, Checkpoint(id="a", epoch=1, step=1, weights="gs://b/c"))
    assert shown["fine_tuned_model_checkpoint"] == f"{job.alias}@a"


def test_a_metrics_event_holds_its_figures_and_nothing_else(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    desk.loop.settle(train=False, beats=3)
    losses = (Loss(step=1, training=2.0),)
    desk.loop.backend.turn(next(iter(desk.loop.backend.jobs)), ProviderState.RUNNING, losses=losses)
    desk.loop.settle(train=False, beats=2)
    (metrics,) = [e for e in desk.ask("GET", f"/{job_id}/events").json["data"] if e["type"] == "metrics"]
    assert metrics["data"] == {"step": 1, "train_loss": 2.0}


def test_a_running_job_tells_progress_and_its_finish(desk: Desk) -> None:
    job_id = desk.create().json["id"]
    desk.loop.settle(train=False, beats=3)
    (name,) = desk.loop.backend.jobs
    for step in (10, 50):
        desk.loop.backend.turn(name, ProviderState.RUNNING, phase="tuning", steps_done=step, steps_total=100)
        desk.loop.settle(train=False, beats=2)
    job = desk.ask("GET", f"/{job_id}").json
    assert (job["status"], job["progress"]) == ("running", 0.525)
    assert job["estimated_finish"] > desk.loop.clock - 200


def test_a_job_by_another_method_says_which(desk: Desk) -> None:
    job = desk.loop.job(desk.create().json["id"])
    for method, shown in ((Method.PREFERENCE, "dpo"), (Method.DISTILLATION, "supervised")):
        body = rendered(msgspec.structs.replace(job, method=method))
        kind, encoded = "application/json", msgspec.json.encode(body)
        assert not departures("GET", f"{JOBS}/x", status=200, kind=kind, body=encoded)
        assert body["method"] == {"type": shown, shown: {"hyperparameters": body["hyperparameters"]}}


COLUMNS = {"prompt": "ticket", "completion": "reply"}


def test_the_columns_of_a_table_are_read_and_shown(desk: Desk) -> None:
    rows = b"ticket,reply\n" + b"".join(b"Question %d,Answer %d\n" % (n, n) for n in range(100))
    file = desk.loop.shelf.upload(io.BytesIO(rows), filename="rows.csv", purpose="fine-tune", owner="acme")
    job_id = desk.create(training_file=file.id, columns=COLUMNS).json["id"]
    desk.loop.settle()
    job = desk.ask("GET", f"/{job_id}").json
    assert (job["status"], job["tuneway"]["dataset"]["rows"]) == ("succeeded", 100), job["error"]
    assert job["tuneway"]["columns"] == {**COLUMNS, "system": None}


@pytest.mark.parametrize(
    ("columns", "param"),
    [
        ({"prompt": "ticket"}, "columns.completion"),
        ({**COLUMNS, "answer": "x"}, "columns.answer"),
        ({**COLUMNS, "system": 5}, "columns.system"),
        ("ticket", "columns"),
    ],
)
def test_columns_that_name_none_are_refused(desk: Desk, columns: object, param: str) -> None:
    refused = desk.create(columns=columns)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_job_of_other_columns_is_another_job(desk: Desk) -> None:
    order = desk.loop.order(idempotency_key="k")
    desk.loop.desk.create(order, owner="acme")
    other = msgspec.structs.replace(order, columns=Columns(prompt="ticket", completion="reply"))
    with pytest.raises(BadInput, match="used for job"):
        desk.loop.desk.create(other, owner="acme")
