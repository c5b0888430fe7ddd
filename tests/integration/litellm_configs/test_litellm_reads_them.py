"""LiteLLM itself takes the corpus's good configurations, and what is exported of each."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.golden.litellm_config.test_imports import CASES, plain, read
from tests.integration.litellm_environment import OFFLINE, installed
from tuneway.cli.route_files import loaded
from tuneway.routing.litellm_config import exported

GOOD = [case for case in CASES if '"refused"' not in (case / "report.json").read_text()]
ROUTED = [case for case in CASES if json.loads((case / "routes.json").read_bytes())]
WORKER = Path(__file__).with_name("router_worker.py")
# It looks for them when it is built; nothing is called.
KEYS = {"OPENAI_API_KEY": "none", "REDIS_HOST": "", "AZURE_API_BASE": "https://acme.openai.azure.com"}


class Router:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, config: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(config) + "\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError("LiteLLM's process has ended")


@contextmanager
def running(python: Path) -> Iterator[Router]:
    environment = {"PATH": os.defpath, **OFFLINE, **KEYS}
    with subprocess.Popen(
        [python, WORKER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Router(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    with running(installed(tmp_path_factory.mktemp("litellm") / "venv")) as started:
        yield started


def without_redis(config: dict[str, Any]) -> dict[str, Any]:
    """Nothing listens at those addresses here."""
    settings = config.get("router_settings", {})
    kept = {name: value for name, value in settings.items() if not name.startswith("redis")}
    return {"model_list": config["model_list"], "router_settings": kept}


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_litellm_takes_what_is_taken_here(router: Router, case: Path) -> None:
    found = router(without_redis(loaded(case / "config.yaml")))
    assert "error" not in found, found
    routes = {route["alias"] for route in json.loads((case / "routes.json").read_bytes())}
    aliases = loaded(case / "config.yaml").get("router_settings") or {}
    assert isinstance(aliases, dict)
    assert routes <= {*found["deployments"], *aliases.get("model_group_alias", {})}


@pytest.mark.parametrize("case", ROUTED, ids=lambda case: case.name)
def test_litellm_takes_what_is_exported(router: Router, case: Path) -> None:
    routes = read(case).routes
    found = router(plain(exported(routes)))
    assert "error" not in found, found
    assert found["deployments"] == {route.alias: len(route.targets) for route in routes}
    wanted = [{route.alias: list(route.fallbacks)} for route in routes if route.fallbacks]
    assert found["fallbacks"] == wanted
