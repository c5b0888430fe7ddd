"""tuneway as a provider of LiteLLM's, which lives in an environment of its own: it wants an older openai."""

import json
import subprocess
from pathlib import Path

from tests.integration.litellm_environment import OFFLINE, installed
from tests.integration.python_api.conftest import Deployed
from tests.vendors import vendors

ROOT = Path(__file__).resolve().parents[3]
CALLS = Path(__file__).with_name("litellm_calls.py")


def test_litellm_and_its_router_call_a_tuneway(deployed: Deployed, tmp_path: Path) -> None:
    python = installed(tmp_path / "venv")
    environment = {
        "PYTHONPATH": str(ROOT / "shared"),
        "TUNEWAY_URL": deployed.stack.url,
        "TUNEWAY_API_KEY": deployed.stack.key,
        **OFFLINE,
    }
    with vendors.openai() as calling:
        words = [f"tuneway/{deployed.alias}", deployed.stack.url, deployed.stack.key, f"{calling.url}/v1"]
        done = subprocess.run(
            [python, CALLS, *words], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said.pop("tokens") > 0
    assert said == {
        "providers": ["tuneway"],
        "whole": "It is 13.",
        "tools": ["look"],
        "tools_in_a_stream": ["look"],
        "finish_of_tools": "tool_calls",
        "vectors": [2, 1],
        "stream": "It is 13.",
        "finish": "stop",
        "async": {"whole": "It is 13.", "stream": "It is 13."},
        "router": "It is 13.",
        "fallback": "It is 13.",
        "unknown": {"kind": "NotFoundError", "status": 404},
        "stranger": {"kind": "AuthenticationError", "status": 401},
    }
