"""Requests to be counted."""

from typing import Any

from tuneway.registry.counts.tallies import Request

NOW = 1_795_000_000.0
STABLE, CANDIDATE = (f"projects/p/locations/us-central1/endpoints/{n}" for n in (1, 2))


def request(number: int = 0, **fields: Any) -> Request:
    known: dict[str, Any] = {
        "id": f"req-{number}",
        "at": NOW,
        "owner": "acme",
        "key": "k1",
        "route": "shop",
        "target": STABLE,
        "status": 200,
        "ms": 100.0,
        "tokens_in": 10,
        "tokens_out": 5,
        "cost_usd": 0.25,
    }
    return Request(**{**known, **fields})
