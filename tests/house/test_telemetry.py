"""Every function is observed, and spans cost nothing where nobody asked for them."""

import ast
import json
import subprocess
import sys

import pytest

from tests.house.test_import_budgets import PROBE
from tuneway.local.manifest import FUNCTIONS, HttpTrigger, PubsubTrigger, load

ROOT = FUNCTIONS.parent
MANIFEST = load()
EVENTS = sorted(name for name, each in MANIFEST.functions.items() if not isinstance(each.trigger, HttpTrigger))
DOORS = sorted(name for name, each in MANIFEST.functions.items() if isinstance(each.trigger, HttpTrigger))
COST = {"tuneway.edge.telemetry.exporting", "tuneway.edge.telemetry.spans"}


def _source(name: str) -> ast.Module:
    return ast.parse((FUNCTIONS / name / "main.py").read_text())


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_function_is_wrapped_in_what_observes_it(name: str) -> None:
    wrapping = "observed_event" if not _is_beat(name) else "observed_request"
    target = next(each for each in _source(name).body if isinstance(each, ast.FunctionDef) and each.name == name)
    decorators = [ast.unparse(decorator) for decorator in target.decorator_list]
    assert decorators[1:] == [f"{wrapping}(logs)"], decorators


def _is_beat(name: str) -> bool:
    trigger = MANIFEST.functions[name].trigger
    return not isinstance(trigger, PubsubTrigger) and hasattr(trigger, "cron")


@pytest.mark.parametrize("name", DOORS)
def test_a_door_is_given_the_logs(name: str) -> None:
    calls = [node for node in ast.walk(_source(name)) if isinstance(node, ast.Call)]
    doors = [call for call in calls if ast.unparse(call.func) in {"Door", "AsyncDoor"}]
    given = [ast.unparse(value) for door in doors for value in (*door.args, *(each.value for each in door.keywords))]
    assert "logs" in given


def _loaded(**environment: str) -> set[str]:
    command = [sys.executable, "-c", PROBE, str(FUNCTIONS / "predict" / "main.py")]
    told = {"PYTHONPATH": str(ROOT / "shared"), "TUNEWAY_VERTEX_URL": "http://127.0.0.1:1", **environment}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_spans_are_loaded_where_they_are_exported_and_nowhere_else() -> None:
    off = _loaded()
    on = _loaded(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert not off & COST
    assert on >= COST
    assert not {name for name in on if name.partition(".")[0] in {"opentelemetry", "grpc", "requests", "httpx"}}
    assert _loaded(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_TRACES_SAMPLER="always_off") == off


def test_a_trace_costs_a_handful_of_modules() -> None:
    """All that observing adds to a door that exports nothing: its own modules, and what they need of Python's."""
    ours = {name for name in _loaded() if name.startswith("tuneway.")}
    assert {"tuneway.edge.telemetry.process", "tuneway.edge.telemetry.tracing", "tuneway.ports.traces"} <= ours
    assert (
        not {
            "tuneway.edge.telemetry.observed",
            "tuneway.edge.telemetry.observed_requests",
            "tuneway.adapters.traced_events",
        }
        & ours
    )
