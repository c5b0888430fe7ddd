"""``tuneway deploy --check`` against a local stack that is well, and against planted faults."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import werkzeug

from tests.integration.deploying.crooked import Answer, Fault, crooked
from tests.integration.stack.running import Stack, command, provider_jobs, running
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("deploy_check")
TRIES = 5
WELL = ["key", "snapshot", "canary", "dry run of a job", "topics", "beat"]


class Proof:
    """What a check printed as JSON."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert "Traceback" not in done.stderr, done.stderr
        self.code = done.returncode
        self.told: dict[str, Any] = json.loads(done.stdout)
        self.checks = {each["name"]: each for each in self.told["checks"]}

    def failed(self) -> list[str]:
        return [name for name, each in self.checks.items() if each["status"] == "failed"]


def checked(url: str, key: str | None, *words: str) -> Proof:
    given = ["--key", key] if key else []
    return Proof(run("--check", url, *given, "--json", *words))


def proven(url: str, key: str | None, *words: str) -> Proof:
    """What a check finds once the machine is not so busy that a change of the routes is late for that alone."""
    found = checked(url, key, *words)
    for _ in range(TRIES):
        if "only after" in found.checks.get("snapshot", {}).get("said", ""):
            found = checked(url, key, *words)
    return found


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command(), "deploy", *words], capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: a check looks at everything."""
    with running(tmp_path_factory.mktemp("checked")) as started:
        route = {"identifier": "vertex_ai/gemini-3.5-flash"}
        assert started.http.put("/v1/registry/routes/well", json=route).status_code == 200
        yield started


def test_a_stack_that_is_well_is_proven_and_left_as_it_was(stack: Stack) -> None:
    found = proven(stack.url, stack.key)
    assert (found.code, found.told["ok"], found.failed()) == (0, True, [])
    assert all(found.checks[name]["status"] == "ok" for name in WELL), found.checks
    assert all(each["ms"] >= 0 for each in found.checks.values())
    assert {f"{name} refuses strangers" for name in ("predict", "tuning", "registry")} <= set(found.checks)
    assert found.checks["tick is the platform's"]["status"] == "ok"
    assert [route["alias"] for route in stack.http.get("/v1/registry/routes").json()["data"]] == ["well"]
    assert stack.http.get("/v1/files").json()["data"] == []


def test_nothing_is_trained_and_nothing_stays_open(stack: Stack) -> None:
    proven(stack.url, stack.key)
    assert provider_jobs(stack.vertex) == []
    jobs = stack.http.get("/v1/fine_tuning/jobs").json()["data"]
    assert {job["status"] for job in jobs} == {"cancelled"}


def test_people_read_a_list_with_remedies(stack: Stack) -> None:
    done = run("--check", stack.url)
    assert done.returncode == 0
    assert "ok       predict refuses strangers" in done.stdout
    assert "→ Give an admin's key: --key, or TUNEWAY_API_KEY." in done.stdout
    assert done.stdout.splitlines()[-1] == "4 ok, 6 skipped"


def test_the_model_of_the_canary_can_be_named(stack: Stack) -> None:
    found = proven(stack.url, stack.key, "--model", "nobody-has-this")
    assert (found.code, found.failed()) == (1, ["canary"])
    assert "nobody-has-this" in found.checks["canary"]["said"]
    assert "--model" in found.checks["canary"]["remedy"]


def test_a_key_that_is_no_admins_is_told(stack: Stack) -> None:
    body = {"owner": "shop", "scopes": ["predict", "tune"]}
    key = stack.http.post("/v1/registry/keys", json=body).json()["key"]
    found = proven(stack.url, key)
    assert (found.code, found.failed()) == (1, ["key"])
    assert "registry refuses the key" in found.checks["key"]["said"]
    assert "admin's key" in found.checks["key"]["remedy"]
    assert found.checks["beat"]["status"] == "skipped"


def test_an_address_where_nothing_is_fails_every_door() -> None:
    found = proven("http://127.0.0.1:9", None)
    assert found.code == 1
    assert len(found.failed()) == 4
    assert "does not answer" in found.checks["predict refuses strangers"]["said"]
    assert "gcloud run services" in found.checks["predict refuses strangers"]["remedy"]


def broken(status: int, start: str) -> Fault:
    """Everything below a path is answered so."""
    return lambda request, _: Answer("<html>no</html>", status) if request.path.startswith(start) else None


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (503, "answered 503", "logs read tuneway-registry"),
        (403, "the platform refuses", "X-Serverless-Authorization"),
        (404, "nothing is at", "predict's URL"),
    ],
)
def test_a_dead_door_is_told_with_its_remedy(stack: Stack, status: int, said: str, remedy: str) -> None:
    with crooked(stack.url, broken(status, "/v1/registry")) as url:
        found = proven(url, None)
    assert (found.code, found.failed()) == (1, ["registry refuses strangers"])
    assert said in found.checks["registry refuses strangers"]["said"]
    assert remedy in found.checks["registry refuses strangers"]["remedy"]


def test_a_door_that_lets_strangers_in_is_told(stack: Stack) -> None:
    def opened(request: werkzeug.Request, passed: Callable[..., Answer]) -> Answer | None:
        return passed(request, authorization=f"Bearer {stack.key}") if request.path == "/v1/models" else None

    with crooked(stack.url, opened) as url:
        found = proven(url, None)
    assert (found.code, found.failed()) == (1, ["predict refuses strangers"])
    assert "for a stranger" in found.checks["predict refuses strangers"]["said"]
    assert "remove-iam-policy-binding tuneway-predict" in found.checks["predict refuses strangers"]["remedy"]


def test_a_tick_that_anybody_may_call_is_told(stack: Stack) -> None:
    def opened(request: werkzeug.Request, _: object) -> Answer | None:
        return Answer('{"woken": 0}', 200) if request.path == "/tick" else None

    with crooked(stack.url, opened) as url:
        found = proven(url, None)
    assert (found.code, found.failed()) == (1, ["tick is the platform's"])
    assert "remove-iam-policy-binding tuneway-tick" in found.checks["tick is the platform's"]["remedy"]


def test_a_predict_that_is_behind_the_times_is_told(stack: Stack) -> None:
    seen: dict[str, float] = {}

    def late(request: werkzeug.Request, passed: Callable[..., Answer]) -> Answer | None:
        if not request.path.startswith("/v1/models/tuneway-check-"):
            return None
        first = seen.setdefault(request.path, time.monotonic())
        return Answer("{}", 404) if time.monotonic() < first + 3 else passed(request)

    with crooked(stack.url, late) as url:
        found = checked(url, stack.key)
    assert (found.code, found.failed()) == (1, ["snapshot"])
    assert "only after" in found.checks["snapshot"]["said"]
    assert "TUNEWAY_DATABASE" in found.checks["snapshot"]["remedy"]
    assert [route["alias"] for route in stack.http.get("/v1/registry/routes").json()["data"]] == ["well"]


@contextmanager
def without_beats(data: Path) -> Iterator[tuple[str, str]]:
    """A stack whose scheduler beats once, at its start, and not again."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom tuneway.local.stack import Options, run\n"
        "run(Options(data=Path(sys.argv[1]), port=0, beat=3600.0), "
        "ready=lambda told: print(told.url, told.key, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url, key = process.stdout.readline().split()
            wait_until(lambda: b'"/tick"' in (data / "tuneway.log").read_bytes())
            yield url, key
        finally:
            process.terminate()


def test_a_beat_that_has_stopped_is_told(tmp_path: Path) -> None:
    with without_beats(tmp_path) as (url, key):
        found = proven(url, key, "--patience", "20")
    assert (found.code, found.failed()) == (1, ["beat"])
    assert found.checks["topics"]["status"] == "ok"
    assert "no beat in 2" in found.checks["beat"]["said"]
    assert "gcloud scheduler jobs describe" in found.checks["beat"]["remedy"]
    assert found.checks["canary"]["status"] == "skipped"
    assert "no model can be seen" in found.checks["canary"]["said"]


def standing(status: str) -> Fault:
    """A job that is looked at always stands so."""

    def stands(request: werkzeug.Request, _: object) -> Answer | None:
        looked = request.method == "GET" and "/jobs/ftjob-" in request.path
        return Answer(json.dumps({"tuneway": {"status": status}}), 200) if looked else None

    return stands


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        ("requested", "nobody took the message", "pubsub subscriptions describe job-requested.create_job"),
        ("failed", "is failed, not held", "logs read tuneway-create-job"),
    ],
)
def test_topics_that_do_not_flow_are_told(stack: Stack, status: str, said: str, remedy: str) -> None:
    with crooked(stack.url, standing(status)) as url:
        found = proven(url, stack.key, "--patience", "2")
    assert (found.code, found.failed()) == (1, ["topics"])
    assert said in found.checks["topics"]["said"]
    assert remedy in found.checks["topics"]["remedy"]
    assert found.checks["beat"]["status"] == "skipped"
    assert {job["status"] for job in stack.http.get("/v1/fine_tuning/jobs").json()["data"]} == {"cancelled"}


def test_a_job_that_no_gate_would_hold_is_not_ordered(stack: Stack) -> None:
    def free(request: werkzeug.Request, passed: Callable[..., Answer]) -> Answer | None:
        if request.path != "/v1/fine_tuning/estimates":
            return None
        quoted = json.loads(passed(request).get_data())
        return Answer(json.dumps({**quoted, "usd_high": 0}), 200)

    before = len(stack.http.get("/v1/fine_tuning/jobs?limit=100").json()["data"])
    with crooked(stack.url, free) as url:
        found = proven(url, stack.key)
    assert found.checks["dry run of a job"]["status"] == found.checks["topics"]["status"] == "skipped"
    assert len(stack.http.get("/v1/fine_tuning/jobs?limit=100").json()["data"]) == before
