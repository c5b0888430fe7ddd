"""The key opens every door, a new route is seen by predict at once, and a model answers."""

import secrets
import time

import msgspec

from tuneway.cli.deploy.live import Live, logs, until
from tuneway.cli.deploy.outcomes import LeftOut, Unwell
from tuneway.cli.deploy.strangers import ASKED

# A change is seen this many seconds later, at most; what takes longer is waited for, to tell how long it took.
FRESH, WAIT = 2.0, 15.0
PREFIX = "tuneway-check-"
# Never called: the route is only looked at.
IDENTIFIER = "vertex_ai/gemini-2.5-flash"
OK, GONE, UNAUTHORIZED, FORBIDDEN = 200, 404, 401, 403
FEW = 16
STALE = (
    "predict reads the routes every second: is database the same for predict and registry (TUNEWAY_DATABASE), and may "
    "predict read it (roles/datastore.viewer)? Its log says 'snapshot'."
)


class _Model(msgspec.Struct, frozen=True):
    id: str


def admitted(live: Live) -> str:
    """The key is known to all doors, and is an admin's."""
    for name, path in ASKED.items():
        answer = live.own(name, "GET", path)
        if answer.status in {UNAUTHORIZED, FORBIDDEN}:
            raise Unwell(
                f"{name} refuses the key: {answer.said}", "Give an admin's key: tuneway keys first --project …"
            )
        if not answer.good:
            raise Unwell(f"{name} answers {answer.said}", logs(name))
    return "an admin's key, known to every door"


def fresh(live: Live) -> str:
    """A route that is put is seen by predict, and one that is taken away is not."""
    alias = PREFIX + secrets.token_hex(4)
    path = f"/v1/registry/routes/{alias}"
    try:
        put = live.own("registry", "PUT", path, body={"identifier": IDENTIFIER})
        if not put.good:
            raise Unwell(f"a route could not be put: {put.said}", logs("registry"))
        seen = _after(live, alias, OK)
    finally:
        live.own("registry", "DELETE", path)
    gone = _after(live, alias, GONE)
    return f"seen after {seen * 1000:.0f} ms, gone after {gone * 1000:.0f} ms"


def canary(live: Live, model: str | None) -> str:
    """A model answers."""
    name = model or _first(live)
    body = {"model": name, "messages": [{"role": "user", "content": "Say: well."}], "max_tokens": FEW}
    answer = live.own("predict", "POST", "/v1/chat/completions", body=body)
    if not answer.good or not answer.body.get("choices"):
        remedy = "Another model: --model NAME. 'tuneway routes probe' looks at a route; docs/routes.md."
        raise Unwell(f"{name} does not answer: {answer.said}", remedy)
    return f"{name} answers"


def _first(live: Live) -> str:
    rows = msgspec.convert(live.own("predict", "GET", "/v1/models").body.get("data", []), list[_Model])
    found = next((row.id for row in rows if not row.id.startswith(PREFIX)), None)
    if found is None:
        raise LeftOut("no model can be seen", "Put a route, or name a model: --model vertex_ai/gemini-2.5-flash.")
    return found


def _after(live: Live, alias: str, status: int) -> float:
    """Seconds until predict answers so. Raises Unwell when that is too late."""
    began = time.monotonic()
    while True:
        found = live.own("predict", "GET", f"/v1/models/{alias}").status
        took = time.monotonic() - began
        if found == status and took <= FRESH:
            return took
        if found == status:
            raise Unwell(
                f"predict saw a change of the routes only after {took:.1f} s; {FRESH:.0f} s is the limit", STALE
            )
        if not until(began + WAIT, 0.05):
            raise Unwell(f"predict did not see a change of the routes in {WAIT:.0f} s (it answers {found})", STALE)
