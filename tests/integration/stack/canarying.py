"""Canaries of a running stack, started, called and waited for."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.stack.running import Stack, asked
from tests.waiting import wait_until

GOOD = {"min_requests": 20, "min_minutes": 0, "gates": {"error_rate": 0.0, "p95_latency": None, "cost": None}}


def place_of(stack: Stack, alias: str) -> str:
    (target,) = stack.http.get(f"/v1/registry/routes/{alias}").raise_for_status().json()["targets"]
    return f"vertex_ai/{target['resource']}"


def started(stack: Stack, alias: str, candidate: str, **plan: Any) -> dict[str, Any]:
    answer = stack.http.post(f"/v1/registry/routes/{alias}/canary", json={"candidate": candidate, **GOOD, **plan})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def canary_of(stack: Stack, alias: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.http.get(f"/v1/registry/routes/{alias}/canary").raise_for_status().json()
    return found


def until(stack: Stack, alias: str, state: str, calls: int = 80) -> dict[str, Any]:
    """The canary once it is in that state; meanwhile the route is called, and every call answered."""
    over_states = {"promoted", "rolled_back", "aborted", "yielded"}

    def over() -> bool:
        if canary_of(stack, alias)["state"] in over_states:
            return True
        before = counted(stack, alias)
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: status(stack, alias), range(calls)))
        assert set(statuses) == {200}
        wait_until(lambda: counted(stack, alias) >= before + calls)
        return False

    wait_until(over)
    found = canary_of(stack, alias)
    assert found["state"] == state, found
    return found


def status(stack: Stack, alias: str) -> int:
    return stack.http.post("/v1/chat/completions", json=asked(alias)).status_code


def counted(stack: Stack, alias: str) -> int:
    """How many of the calls of the route are in the usage by now."""
    answer = stack.http.get("/v1/registry/usage", params={"alias": alias}).raise_for_status().json()
    return int(answer["total"]["requests"])
