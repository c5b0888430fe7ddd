"""LiteLLM's own Router over each configuration it reads, one line of JSON each; prints what it has of it."""

import json
import sys
from importlib import import_module
from typing import Any

litellm: Any = import_module("litellm")  # not installed where types are checked


def had(config: dict[str, Any]) -> dict[str, Any]:
    """The names that the Router answers, how many deployments each has, and its fallbacks; or why it takes none."""
    try:
        router = litellm.Router(model_list=config["model_list"], **config.get("router_settings", {}))
    except Exception as fault:  # noqa: BLE001 - whatever LiteLLM raises is the result
        return {"error": f"{type(fault).__name__}: {fault}"[:500]}
    deployments: dict[str, int] = {}
    for row in router.model_list:
        deployments[row["model_name"]] = deployments.get(row["model_name"], 0) + 1
    return {"deployments": deployments, "fallbacks": router.fallbacks or []}


for line in sys.stdin:
    sys.stdout.write(json.dumps(had(json.loads(line))) + "\n")
    sys.stdout.flush()
