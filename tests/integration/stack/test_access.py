"""Keys through the command line, and what one tenant may know of another."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.stack.running import Stack, asked, command, created, ended, uploaded
from tests.waiting import wait_until

CHAT = "/v1/chat/completions"
JOBS = "/v1/fine_tuning/jobs"


class Line:
    """The command line, told where the stack is as a user tells it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        line = [command(), *words, "--data", str(self.stack.data)]
        return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def key(self, owner: str, *scopes: str) -> dict[str, Any]:
        options = [option for scope in scopes for option in ("--scope", scope)]
        made: dict[str, Any] = self.json("keys", "create", "--owner", owner, *options)
        return made


@pytest.fixture
def line(stack: Stack) -> Line:
    return Line(stack)


def test_a_new_key_works_at_once_and_is_shown_once(stack: Stack, line: Line) -> None:
    made = line.key("shop", "predict", "tune")
    with stack.caller(made["key"]) as caller:
        assert caller.get("/v1/models").status_code == 200
        assert caller.get(JOBS).status_code == 200
    listed = {key["id"]: key for key in line.json("keys", "list")}
    assert (listed[made["id"]]["owner"], listed[made["id"]]["scopes"]) == ("shop", ["predict", "tune"])
    assert made["key"] not in json.dumps(listed)


def test_no_file_of_the_stack_holds_a_made_key(stack: Stack, line: Line) -> None:
    key = line.key("shop", "predict")["key"]
    with stack.caller(key) as caller:
        caller.get("/v1/models")
    assert not [path for path in stack.data.rglob("*") if key.encode() in content(path)]


def content(path: Path) -> bytes:
    """A file's; nothing of a folder, or of a file that the running stack has taken away meanwhile."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""


def test_a_revoked_key_is_refused(stack: Stack, line: Line) -> None:
    made = line.key("shop", "predict", "tune")
    with stack.caller(made["key"]) as caller:
        assert caller.get("/v1/models").status_code == 200
        assert line.run("keys", "revoke", made["id"]).returncode == 0
        assert caller.get(JOBS).status_code == 401
        wait_until(lambda: caller.get("/v1/models").status_code == 401)
    assert made["id"] not in [key["id"] for key in line.json("keys", "list")]


def test_the_command_line_says_what_is_wrong_and_exits_with_1(line: Line) -> None:
    done = line.run("keys", "revoke", "0123456789abcdef")
    assert (done.returncode, "There is no key" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_a_key_that_has_expired_is_refused(stack: Stack) -> None:
    body = {"owner": "shop", "scopes": ["predict", "tune"], "expires_at": 1.0}
    key = stack.http.post("/v1/registry/keys", json=body).json()["key"]
    with stack.caller(key) as caller:
        for path in ("/v1/models", JOBS):
            answer = caller.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.fixture(scope="module")
def acme(stack: Stack) -> Iterator[httpx.Client]:
    with stack.caller(Line(stack).key("acme", "predict", "tune")["key"]) as caller:
        yield caller


@pytest.fixture(scope="module")
def rival(stack: Stack) -> Iterator[httpx.Client]:
    with stack.caller(Line(stack).key("rival", "predict", "tune")["key"]) as caller:
        yield caller


@pytest.fixture(scope="module")
def acmes(acme: httpx.Client) -> dict[str, Any]:
    """A job of acme's that has succeeded."""
    job = ended(acme, created(acme)["id"])
    assert job["status"] == "succeeded", job["error"]
    assert acme.post(CHAT, json=asked(job["fine_tuned_model"])).status_code == 200
    return job


def unlike(answer: httpx.Response, name: str, other: str) -> dict[str, Any]:
    """The answer with one name put for the other, so that only a real difference is left."""
    found: dict[str, Any] = json.loads(answer.text.replace(name, other))
    return {"status": answer.status_code, **found}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "{}"), ("GET", "{}/events"), ("POST", "{}/cancel")],
)
def test_anothers_job_is_as_unknown_as_none(rival: httpx.Client, acmes: dict[str, Any], method: str, path: str) -> None:
    theirs = rival.request(method, f"{JOBS}/{path.format(acmes['id'])}")
    none = rival.request(method, f"{JOBS}/{path.format('ftjob-none')}")
    assert unlike(theirs, acmes["id"], "ftjob-none") == unlike(none, "", "") == {"status": 404, **none.json()}


@pytest.mark.parametrize(("method", "path"), [("GET", "{}"), ("GET", "{}/content"), ("DELETE", "{}")])
def test_anothers_file_is_as_unknown_as_none(acme: httpx.Client, rival: httpx.Client, method: str, path: str) -> None:
    file_id = uploaded(acme)
    theirs = rival.request(method, f"/v1/files/{path.format(file_id)}")
    none = rival.request(method, f"/v1/files/{path.format('file-none')}")
    assert unlike(theirs, file_id, "file-none") == {"status": 404, **none.json()}
    assert acme.get(f"/v1/files/{file_id}").status_code == 200


def test_anothers_file_cannot_be_trained_on(acme: httpx.Client, rival: httpx.Client) -> None:
    answer = rival.post(JOBS, json={"model": "gemini-3.5-flash", "training_file": uploaded(acme)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "file_not_found")


def test_anothers_model_is_as_unknown_as_none(rival: httpx.Client, acmes: dict[str, Any]) -> None:
    alias = acmes["fine_tuned_model"]
    for theirs, none in (
        (rival.post(CHAT, json=asked(alias)), rival.post(CHAT, json=asked("ft:none"))),
        (rival.get(f"/v1/models/{alias}"), rival.get("/v1/models/ft:none")),
    ):
        assert unlike(theirs, alias, "ft:none") == {"status": 404, **none.json()}


def test_anothers_endpoint_cannot_be_called_past_its_alias(rival: httpx.Client, acmes: dict[str, Any]) -> None:
    endpoint = acmes["tuneway"]["tuned"]["endpoint"]
    location, number = endpoint.split("/")[3], endpoint.rpartition("/")[2]
    for name in (endpoint, f"vertex_ai/{endpoint}", f"vertex_ai/local-project/{location}/endpoints/{number}"):
        answer = rival.post(CHAT, json=asked(name))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found"), name


def test_lists_show_ones_own_alone(acme: httpx.Client, rival: httpx.Client, acmes: dict[str, Any]) -> None:
    for path in (JOBS, "/v1/files", "/v1/models", "/v1/registry/models", "/v1/registry/deployments"):
        assert acme.get(path).json()["data"], path
        assert rival.get(path).json()["data"] == [], path


def test_anothers_registered_model_is_as_unknown_as_none(
    acme: httpx.Client, rival: httpx.Client, acmes: dict[str, Any]
) -> None:
    (model,) = acme.get("/v1/registry/models").json()["data"]
    (version,) = acme.get(f"/v1/registry/models/{model['id']}/versions").json()["data"]
    assert (version["job"], version["alias"]) == (acmes["id"], acmes["fine_tuned_model"])
    for path in ("", "/versions", f"/versions/{version['number']}"):
        answer = rival.get(f"/v1/registry/models/{model['id']}{path}")
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, f"There is no model '{model['id']}'.")


def test_idempotency_keys_are_each_tenants_own(acme: httpx.Client, rival: httpx.Client) -> None:
    made = []
    for caller in (acme, rival):
        body = {"model": "gemini-3.5-flash", "training_file": uploaded(caller)}
        made.append(caller.post(JOBS, json=body, headers={"idempotency-key": "shared"}).json()["id"])
        caller.post(f"{JOBS}/{made[-1]}/cancel")
    assert made[0] != made[1]


def test_a_route_by_hand_opens_an_endpoint_to_everybody(
    stack: Stack, rival: httpx.Client, acmes: dict[str, Any]
) -> None:
    endpoint = acmes["tuneway"]["tuned"]["endpoint"]
    path = "/v1/registry/routes/open-sums"
    assert stack.http.put(path, json={"identifier": f"vertex_ai/{endpoint}"}).status_code == 200
    answer = rival.post(CHAT, json=asked("open-sums"))
    assert answer.json()["choices"][0]["message"]["content"] == "It is 13."
    assert stack.http.delete(path).status_code == 200
    wait_until(lambda: rival.post(CHAT, json=asked("open-sums")).status_code == 404)
