"""Light doors: what a function may load before its first answer. Seconds are printed by the benchmark."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tuneway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROBE = """
import json, runpy, sys
runpy.run_path(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""
GOOGLE = ("google.cloud", "grpc", "google.auth", "google.api_core")
VENDORS = ("openai", "anthropic", "litellm", "pydantic", "google.genai", "vertexai", "boto3")
AIPLATFORM = ("google.cloud.aiplatform", "google.cloud.aiplatform_v1", "google.cloud.aiplatform_v1beta1")
NEVER = (*VENDORS, "tuneway.local", "tuneway.cli", "tuneway.api", "yaml", "rich")
# functions-framework brings a few empty modules of its own under this name.
FRAMEWORK = {"google.cloud", *(f"google.cloud.{name}" for name in ("functions", "functions.context"))}
FRAMEWORK |= {f"google.cloud.functions_v1{tail}" for tail in ("", ".context", "beta2", "beta2.context")}
# Modules loaded in all, in the cloud's settings: measured 2026-11 plus a tenth, so that a heavy import is noticed.
BUDGETS: dict[str, tuple[int, tuple[str, ...]]] = {
    "predict": (900, (*GOOGLE, *NEVER, "httpx", "requests", "sqlalchemy")),
    "tuning": (1700, (*AIPLATFORM, *NEVER)),
    "registry": (1700, (*AIPLATFORM, *NEVER)),
    "tick": (1700, (*AIPLATFORM, *NEVER)),
    "dead_letter": (1700, (*AIPLATFORM, *NEVER)),
    "record_usage": (1700, (*AIPLATFORM, *NEVER, "httpx", "botocore")),
    "register_model": (1700, (*AIPLATFORM, *NEVER)),
    "conduct_sweep": (1700, (*AIPLATFORM, *NEVER)),
    "deploy_model": (1700, (*AIPLATFORM, *NEVER, "httpx", "botocore")),
    "notify": (1900, (*AIPLATFORM, *NEVER, "httpx", "botocore")),
    "create_job": (1700, (*AIPLATFORM, *NEVER, "arro3", "httpx", "botocore")),
    "lint_dataset": (1900, (*AIPLATFORM, *NEVER, "arro3", "httpx", "botocore")),
    "poll_jobs": (1700, (*AIPLATFORM, *NEVER, "httpx", "botocore")),
}


def _loaded(function: str) -> list[str]:
    # The emulator's address makes Google's clients build without credentials; nothing is called.
    settings = Settings(firestore_emulator="127.0.0.1:1", pubsub_emulator="127.0.0.1:1")
    environment = settings.to_env() | {
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
        "PYTHONPATH": str(ROOT / "shared"),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        "TUNEWAY_VERTEX_URL": "http://127.0.0.1:1",
    }
    door = ROOT / "functions" / function / "main.py"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(door)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def _among(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def test_every_function_has_a_budget() -> None:
    assert set(BUDGETS) == {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}


@pytest.mark.parametrize("function", sorted(BUDGETS))
def test_a_door_loads_no_more_than_its_budget(function: str) -> None:
    most, forbidden = BUDGETS[function]
    loaded = _loaded(function)
    offenders = [name for name in loaded if name not in FRAMEWORK and _among(name, forbidden)]
    assert offenders == []
    assert len(loaded) <= most
