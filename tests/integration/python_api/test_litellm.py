"""tuneway as a provider of LiteLLM's, which lives in an environment of its own: it wants an older openai."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.python_api.conftest import Deployed
from tests.vendors import vendors

ROOT = Path(__file__).resolve().parents[3]
UV = Path(sys.executable).with_name("uv")
CALLS = Path(__file__).with_name("litellm_calls.py")


def installed(folder: Path) -> Path:
    """The Python of a new environment that holds the pins."""
    python = folder / "bin" / "python"
    pins = ROOT / "requirements" / "litellm.txt"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--require-hashes",
        "--requirement",
        pins,
    ]
    subprocess.run(install, check=True)
    return python


@pytest.mark.timeout(600)
def test_litellm_and_its_router_call_a_tuneway(deployed: Deployed, tmp_path: Path) -> None:
    python = installed(tmp_path / "venv")
    environment = {
        "PYTHONPATH": str(ROOT / "shared"),
        "TUNEWAY_URL": deployed.stack.url,
        "TUNEWAY_API_KEY": deployed.stack.key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would ask the network for one
    }
    with vendors.openai() as calling:
        words = [f"tuneway/{deployed.alias}", deployed.stack.url, deployed.stack.key, f"{calling.url}/v1"]
        done = subprocess.run(
            [python, CALLS, *words], env=environment, capture_output=True, text=True, timeout=120, check=False
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
        "stream": "It is 13.",
        "finish": "stop",
        "async": {"whole": "It is 13.", "stream": "It is 13."},
        "router": "It is 13.",
        "fallback": "It is 13.",
        "unknown": {"kind": "NotFoundError", "status": 404},
        "stranger": {"kind": "AuthenticationError", "status": 401},
    }
