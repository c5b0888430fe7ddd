"""Lists as OpenAI writes them."""

from collections.abc import Sequence


def listed(rows: Sequence[object]) -> dict[str, object]:
    """All there are."""
    return {"object": "list", "data": rows}


def page(rows: Sequence[dict[str, object]], limit: int) -> dict[str, object]:
    """At most ``limit`` rows, made from one row more; OpenAI's document wants texts at both ends."""
    shown = rows[:limit]
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else ("", "")
    return {"object": "list", "data": shown, "has_more": len(rows) > limit, "first_id": first, "last_id": last}
