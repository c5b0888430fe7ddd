"""What is asked of the stack is counted: by the functions' own log lines, the sink, the bus and the state."""

import json
import os
import subprocess
from typing import Any

from tests.integration.stack.running import Stack, asked, command
from tests.waiting import wait_until


def _usage(stack: Stack, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.http.get("/v1/registry/usage", params=query).raise_for_status().json()
    return found


def test_calls_are_counted_once_each_with_their_tokens_and_latencies(stack: Stack, tuned: dict[str, Any]) -> None:
    alias = tuned["fine_tuned_model"]
    key = stack.http.post("/v1/registry/keys", json={"owner": "counted", "scopes": ["predict", "admin"]}).json()["key"]
    with stack.caller(key) as caller:
        tokens = 0
        for _ in range(6):
            answer = caller.post("/v1/chat/completions", json=asked(alias)).raise_for_status().json()
            tokens += answer["usage"]["completion_tokens"]
        assert caller.post("/v1/chat/completions", json=asked("nobody-knows-it")).status_code == 404
    wait_until(lambda: _usage(stack, owner="counted")["total"]["requests"] == 7)
    rows = _usage(stack, owner="counted", group_by="alias")["data"]
    row = next(row for row in rows if row["alias"] == alias)
    assert (row["requests"], row["errors"], row["refused"], row["tokens_out"]) == (6, 0, 0, tokens)
    assert 0 < row["latency_ms"]["p50"] <= row["latency_ms"]["p95"]
    assert next(row for row in rows if row["alias"] == "")["refused"] == 1


def test_usage_is_shown_in_the_command_line_as_table_json_and_csv(stack: Stack, tuned: dict[str, Any]) -> None:
    stack.http.post("/v1/chat/completions", json=asked(tuned["fine_tuned_model"])).raise_for_status()
    wait_until(lambda: _usage(stack, owner="local")["total"]["requests"] >= 1)
    words = ["usage", "--owner", "local", "--by", "alias", "--data", str(stack.data)]
    table, as_json, as_csv = (_said(*words, *more) for more in ([], ["--json"], ["--csv"]))
    assert table.splitlines()[0].split()[:2] == ["alias", "requests"]
    assert "requests from" in table.splitlines()[-1]
    assert json.loads(as_json)["object"] == "list"
    assert as_csv.splitlines()[0].startswith("alias,requests,errors")


def _said(*words: str) -> str:
    environment = {"PATH": os.defpath, "COLUMNS": "220"}
    done = subprocess.run(
        [command(), *words], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
