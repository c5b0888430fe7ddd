"""A command line starts soon: it loads what it needs to ask, and the stack and its simulation only to run them."""

import json
import subprocess
import sys

PROBE = "import json, sys, tuneway.cli.main; print(json.dumps(sorted(sys.modules)))"
HEAVY = {"uvicorn", "starlette", "functions_framework", "flask", "botocore", "arro3", "grpc", "requests"}
GOOGLE = ("google.protobuf", "google.auth", "google.api_core", "google.cloud.")


def test_no_command_waits_for_what_only_the_stack_needs() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "httpx" in loaded
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    assert [name for name in loaded if name.startswith(GOOGLE)] == []
