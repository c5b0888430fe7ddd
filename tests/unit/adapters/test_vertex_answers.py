"""How Vertex AI's training jobs read in tuneway's words, and what its listings are asked."""

from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from typing_extensions import override

from tuneway.adapters import vertex_custom
from tuneway.adapters.tuning_backends import Backends
from tuneway.adapters.vertex_custom import VertexCustom
from tuneway.adapters.vertex_job import from_json
from tuneway.adapters.vertex_jobs import VertexJobs
from tuneway.adapters.vertex_open import VertexOpen, checkpoints
from tuneway.adapters.vertex_tuning import VertexTuning
from tuneway.errors import BadInput, NotAllowed, TryLater
from tuneway.ports import ProviderState, TunedModel
from tuneway.settings import Settings

PLACE = "projects/p/locations/us-central1"
NAME = f"{PLACE}/tuningJobs/1"
FOLDER = "gs://b/out/postprocess/node-0/checkpoints/"


def read(**fields: object) -> Any:
    return from_json(msgspec.json.encode({"name": NAME, **fields}))


def test_an_open_models_job_ends_in_weights() -> None:
    body = {"outputUri": "gs://b/out/", "tunedModel": {"model": "projects/p/locations/europe-west4/models/5@1"}}
    assert read(state="JOB_STATE_SUCCEEDED", **body).tuned == TunedModel(
        model=NAME, weights=f"{FOLDER}final/", location="europe-west4"
    )
    assert read(state="JOB_STATE_RUNNING", **body).tuned is None
    assert read(state="JOB_STATE_SUCCEEDED", outputUri="gs://b/out").tuned.location is None


@pytest.mark.parametrize(
    ("error", "state", "message", "cause"),
    [
        ({"code": 3, "message": "row 5"}, "JOB_STATE_FAILED", "row 5", "INVALID_ARGUMENT"),
        ({"code": 8, "message": "quota"}, "JOB_STATE_FAILED", "quota", "RESOURCE_EXHAUSTED"),
        ({"code": 1, "message": "stop"}, "JOB_STATE_CANCELLED", "stop", "CANCELLED"),
        ({"code": 77}, "JOB_STATE_FAILED", None, "77"),
        ({}, "JOB_STATE_FAILED", None, None),
        (None, "JOB_STATE_EXPIRED", None, "JOB_STATE_EXPIRED"),
    ],
)
def test_an_error_has_googles_name(error: object, state: str, message: str | None, cause: str | None) -> None:
    job = read(state=state, **({"error": error} if error is not None else {}))
    assert (job.error, job.cause) == (message, cause)


@pytest.mark.parametrize(
    ("stats", "steps", "tokens"),
    [
        ({"supervisedTuningDataStats": {"tuningStepCount": "9", "totalBillableTokenCount": "8"}}, 9, 8),
        ({"preferenceOptimizationDataStats": {"tuningStepCount": "9", "totalBillableTokenCount": "8"}}, 9, 8),
        ({"distillationDataStats": {"trainingDatasetStats": {"tuningStepCount": "9"}}}, 9, None),
        ({}, None, None),
    ],
)
def test_the_figures_of_every_method_are_read(stats: object, steps: int | None, tokens: int | None) -> None:
    job = read(tuningDataStats=stats)
    assert (job.steps_total, job.billable_tokens) == (steps, tokens)


def test_checkpoints_lie_beside_the_final_weights() -> None:
    found = checkpoints(FOLDER, ["final/", "checkpoint-20/", "checkpoint-10/", "runs/"], epochs=2)
    assert [(each.id, each.epoch, each.step, each.weights) for each in found] == [
        ("10", 1, 10, f"{FOLDER}checkpoint-10/"),
        ("20", 2, 20, f"{FOLDER}checkpoint-20/"),
    ]
    ten = checkpoints(FOLDER, [f"checkpoint-{step}/" for step in range(20, 220, 20)], epochs=20)
    assert [each.epoch for each in ten] == list(range(2, 22, 2))
    assert [each.epoch for each in checkpoints(FOLDER, ["checkpoint-7/"], epochs=0)] == [1]
    assert checkpoints(FOLDER, ["final/"], epochs=3) == ()


@pytest.mark.parametrize(
    ("state", "expected", "phase"),
    [
        ("JOB_STATE_PENDING", ProviderState.QUEUED, None),
        ("JOB_STATE_RUNNING", ProviderState.RUNNING, "tuning"),
        ("JOB_STATE_CANCELLING", ProviderState.RUNNING, None),
        ("JOB_STATE_FAILED", ProviderState.FAILED, None),
    ],
)
def test_a_custom_job_is_read(state: str, expected: ProviderState, phase: str | None) -> None:
    job = vertex_custom.from_json(msgspec.json.encode({"name": f"{PLACE}/customJobs/1", "state": state}))
    assert (job.state, job.phase, job.tuned) == (expected, phase, None)


def test_a_finished_container_leaves_its_folder() -> None:
    body = {
        "name": f"{PLACE}/customJobs/1",
        "state": "JOB_STATE_SUCCEEDED",
        "labels": {"tuneway-job": "t"},
        "jobSpec": {"workerPoolSpecs": [{}], "baseOutputDirectory": {"outputUriPrefix": "gs://b/out"}},
        "endTime": "2026-11-21T10:00:00Z",
    }
    job = vertex_custom.from_json(msgspec.json.encode(body))
    assert (job.token, job.tuned) == ("t", TunedModel(model=job.name, weights="gs://b/out/"))
    assert job.finished_at is not None


class Answers(BaseHTTPRequestHandler):
    """Answers what the test has laid out, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, list[str]]]
    laid_out: list[tuple[int, Mapping[str, object] | bytes]]

    def do_GET(self) -> None:
        self.asked.append(parse_qs(urlsplit(self.path).query))
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer()

    def _answer(self) -> None:
        status, body = self.laid_out.pop(0)
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self.send_response(status)
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[tuple[type[Answers], str]]:
    class Fresh(Answers):
        """Its lists are of one test."""

    Fresh.asked, Fresh.laid_out = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fresh)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Fresh, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


REFUSED = (400, {"error": {"status": "INVALID_ARGUMENT", "message": "Invalid filter."}})
Provider = tuple[type[Answers], str]


def ours(number: int, **fields: object) -> dict[str, object]:
    return {"name": f"{PLACE}/tuningJobs/{number}", "labels": {"tuneway-job": str(number)}, **fields}


def test_a_filter_that_is_refused_is_not_sent_again(provider: Provider) -> None:
    heard, url = provider
    page = (200, {"tuningJobs": [ours(1), ours(2, state="JOB_STATE_FAILED")]})
    heard.laid_out = [REFUSED, page, page]
    tuning = VertexTuning(project="p", timeout=60, vertex_url=url)
    for _ in range(2):
        assert [job.token for job in tuning.unfinished("us-central1")] == ["1"]
    filters = [query.get("filter", [""])[0] for query in heard.asked]
    assert 'state!="JOB_STATE_SUCCEEDED"' in filters[0]
    assert filters[1:] == ["", ""]


def test_a_refusal_that_no_filter_caused_is_told(provider: Provider) -> None:
    heard, url = provider
    heard.laid_out = [REFUSED, REFUSED]
    with pytest.raises(BadInput, match="Invalid filter"):
        list(VertexTuning(project="p", timeout=60, vertex_url=url).unfinished("us-central1"))


def test_each_page_is_asked_with_the_same_filter(provider: Provider) -> None:
    heard, url = provider
    heard.laid_out = [(200, {"customJobs": [], "nextPageToken": "a/b="}), (200, {})]
    assert list(VertexCustom(project="p", timeout=60, vertex_url=url).unfinished("us-central1")) == []
    first, second = heard.asked
    assert (first["pageSize"], second["pageToken"]) == (["100"], ["a/b="])
    assert first["filter"] == second["filter"]
    assert first["filter"][0].startswith("labels.tuneway-job:* AND state!=")


def test_a_strangers_job_may_look_like_anything(provider: Provider) -> None:
    heard, url = provider
    strange = {"name": "x", "tuningDataStats": [1], "state": 7}
    heard.laid_out = [(200, {"tuningJobs": [strange, ours(1)]})]
    found = VertexTuning(project="p", timeout=60, vertex_url=url).find("1", location="us-central1")
    assert found is not None
    assert found.token == "1"


def test_the_oldest_of_several_with_one_token_is_found(provider: Provider) -> None:
    heard, url = provider
    twins = [
        {**ours(number), "labels": {"tuneway-job": "t"}, "createTime": f"2026-11-21T10:00:0{number}Z"}
        for number in (3, 1, 2)
    ]
    heard.laid_out = [(200, {"tuningJobs": twins})]
    found = VertexTuning(project="p", timeout=60, vertex_url=url).find("t", location="us-central1")
    assert found is not None
    assert found.name.endswith("/1")


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_token_follows_no_redirect(provider: Provider, status: int) -> None:
    heard, url = provider
    heard.laid_out = [(status, {})]
    with pytest.raises(TryLater, match=str(status)):
        VertexTuning(project="p", timeout=60, vertex_url=url).get(NAME)


def test_missing_credentials_may_come_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(TryLater, match=r"none\.json"):
        VertexTuning(project="p", timeout=1).get(NAME)


def test_an_answer_that_is_no_json_is_told_as_it_is(provider: Provider) -> None:
    heard, url = provider
    heard.laid_out = [(403, b"<html>Forbidden</html>"), (200, b"{")]
    tuning = VertexTuning(project="p", timeout=60, vertex_url=url)
    with pytest.raises(NotAllowed, match="<html>Forbidden"):
        tuning.get(NAME)
    with pytest.raises(TryLater, match="cannot be read"):
        tuning.get(NAME)


def test_cancelling_what_has_ended_is_no_error(provider: Provider) -> None:
    heard, url = provider
    heard.laid_out = [(400, {"error": {"status": "FAILED_PRECONDITION", "message": "It has ended."}}), REFUSED]
    tuning = VertexTuning(project="p", timeout=60, vertex_url=url)
    tuning.cancel(NAME)
    with pytest.raises(BadInput):
        tuning.cancel(NAME)


def test_weights_are_told_where_their_bucket_may_not_be_listed(provider: Provider) -> None:
    heard, url = provider
    job = ours(1, state="JOB_STATE_SUCCEEDED", outputUri="gs://bucket/out")
    denied = (403, {"error": {"message": "storage.objects.list"}})
    heard.laid_out = [(200, job), denied, (200, job), (500, {})]
    tuning = VertexOpen(project="p", timeout=60, vertex_url=url)
    tuned = tuning.get(NAME).tuned
    assert tuned is not None
    assert (tuned.checkpoints, tuned.weights) == ((), "gs://bucket/out/postprocess/node-0/checkpoints/final/")
    with pytest.raises(TryLater):
        tuning.get(NAME)


@pytest.mark.parametrize(
    ("backend", "other"), [(VertexTuning, "customJobs"), (VertexOpen, "customJobs"), (VertexCustom, "tuningJobs")]
)
def test_a_job_of_another_collection_is_bad_input(backend: Callable[..., VertexJobs], other: str) -> None:
    with pytest.raises(BadInput, match="no such job"):
        backend(project="p", timeout=1, vertex_url="http://127.0.0.1:9").get(f"{PLACE}/{other}/1")


def test_backends_are_known_by_name_and_made_once() -> None:
    backends = Backends(Settings(vertex_url="http://127.0.0.1:9"))
    made = [type(backends.of(name)) for name in ("vertex_ai", "vertex_open", "vertex_custom")]
    assert made == [VertexTuning, VertexOpen, VertexCustom]
    assert backends.of("vertex_ai") is backends.of("vertex_ai")
    with pytest.raises(BadInput, match=r"vertex_ai, vertex_custom, vertex_open|bedrock"):
        backends.of("mainframe")


def both(url: str) -> VertexTuning:
    return VertexTuning(project="p", timeout=60, vertex_url=url)


def test_jobs_are_listed_by_their_tokens_sixty_at_a_time(provider: Provider) -> None:
    heard, url = provider
    tokens = [str(number) for number in range(130)]
    heard.laid_out = [(200, {"tuningJobs": [ours(n) for n in part]}) for part in (range(60), range(60, 120))]
    heard.laid_out.append((200, {"tuningJobs": [ours(n, state="JOB_STATE_FAILED") for n in range(120, 130)]}))
    found = both(url).named(tokens, location="us-central1")
    assert found is not None
    assert [job.token for job in found] == tokens
    assert found[-1].state is ProviderState.FAILED
    filters = [query["filter"][0] for query in heard.asked]
    assert [len(each.split(" OR ")) for each in filters] == [60, 60, 10]
    assert filters[2].startswith('labels.tuneway-job="120" OR labels.tuneway-job="121"')


@pytest.mark.parametrize(
    "answer",
    [
        REFUSED,
        (404, {"error": {}}),
        (200, {"tuningJobs": [ours(1), ours(2), ours(9)]}),
        (200, {"tuningJobs": [{"name": "x"}, ours(1)]}),
        (200, {"tuningJobs": []}),
        (200, {"tuningJobs": [ours(1), ours(2)], "nextPageToken": "more"}),
    ],
)
def test_a_server_that_does_not_heed_tokens_is_asked_for_them_once(
    provider: Provider, answer: tuple[int, dict[str, object]]
) -> None:
    heard, url = provider
    heard.laid_out = [answer]
    tuning = both(url)
    assert [tuning.named(["1", "2"], location="us-central1") for _ in range(2)] == [None, None]
    assert len(heard.asked) == 1


@pytest.mark.parametrize("status", [414, 429, 503])
def test_a_passing_fault_is_no_verdict_on_tokens(provider: Provider, status: int) -> None:
    heard, url = provider
    heard.laid_out = [(status, {"error": {}}), (200, {"tuningJobs": [ours(1)]})]
    tuning = both(url)
    assert tuning.named(["1"], location="us-central1") is None
    found = tuning.named(["1"], location="us-central1")
    assert found is not None
    assert [job.token for job in found] == ["1"]


def test_a_token_that_is_no_label_is_not_sent(provider: Provider) -> None:
    heard, url = provider
    assert both(url).named(['x" OR state="', "A.b"], location="us-central1") == []
    assert heard.asked == []


def test_a_listing_without_those_that_wait_says_so_by_what_it_leaves_out(provider: Provider) -> None:
    heard, url = provider
    page = (200, {"tuningJobs": [ours(1, state="JOB_STATE_RUNNING"), ours(2, state="JOB_STATE_PENDING")]})
    heard.laid_out = [page]
    assert [job.token for job in both(url).unfinished("us-central1", waiting=False)] == ["1", "2"]
    assert heard.asked[0]["filter"][0].endswith('AND state!="JOB_STATE_QUEUED" AND state!="JOB_STATE_PENDING"')


def test_an_open_models_job_whose_folder_cannot_be_listed_now_is_left_out(provider: Provider) -> None:
    heard, url = provider
    done = {"state": "JOB_STATE_SUCCEEDED"}
    jobs = [ours(1, outputUri="gs://bucket/out", **done), ours(2, outputUri="gs://bucket/out")]
    heard.laid_out = [(200, {"tuningJobs": [*jobs, ours(3, outputUri="gs://b/out", **done)]}), (503, {})]
    tuning = VertexOpen(project="p", timeout=60, vertex_url=url)
    found = tuning.named(["1", "2", "3"], location="us-central1")
    assert found is not None
    assert [job.token for job in found] == ["2"]
