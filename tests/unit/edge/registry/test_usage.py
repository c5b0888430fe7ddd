"""``/v1/registry/usage``, and the log entries it is counted from."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cloudevents.http import CloudEvent

from tests.unit.edge.asking import NOW, Asked, Asking
from tests.unit.registry.requests import CANDIDATE, request
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge import usage_events
from tuneway.edge.events import Undecodable
from tuneway.edge.registry.usage import rules
from tuneway.registry.counts.tallies import Request
from tuneway.registry.counts.usage_recorder import Recorder
from tuneway.registry.hosting.rests.stirring import Echo


class Site:
    def __init__(self, folder: Path) -> None:
        documents = SqliteDocuments(folder / "state.sqlite")
        self.record = Recorder(documents)
        self.ask = Asking(rules(documents, now=lambda: NOW))

    def usage(self, caller: str = "admin", **query: Any) -> Asked:
        return self.ask("GET", f"/v1/registry/usage?{urlencode(query)}", key=caller)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    for number in range(4):
        found.record(request(number, ms=100.0 * (number + 1)))
    found.record(request(4, owner="other", key="k2", target=CANDIDATE, status=503, cost_usd=None, tokens_in=0))
    found.record(request(5, route="mini", at=NOW - 7200, status=404, cost_usd=None))
    return found


def test_all_of_the_last_day_is_one_sum(site: Site) -> None:
    found = site.usage().json
    assert (found["object"], found["from"], found["to"]) == ("list", "2026-11-17T11:00:00Z", "2026-11-18T12:00:00Z")
    (row,) = found["data"]
    assert row == found["total"]
    assert (row["requests"], row["errors"], row["refused"], row["priced"]) == (6, 1, 1, 4)
    assert (row["cost_usd"], row["tokens_in"], row["error_rate"]) == (1.0, 50, 0.2)
    assert 200 <= row["latency_ms"]["p50"] <= 218
    assert 400 <= row["latency_ms"]["p95"] <= 436


def test_groups_come_largest_first_and_hours_in_their_order(site: Site) -> None:
    rows = site.usage(group_by="owner,target").json["data"]
    assert [(row["owner"], row["requests"]) for row in rows] == [("acme", 5), ("other", 1)]
    assert rows[1]["target"] == CANDIDATE
    assert "latency_ms" not in rows[1]
    hours = site.usage(group_by="alias, hour").json["data"]
    assert [(row["hour"][11:13], row["alias"]) for row in hours] == [("09", "mini"), ("11", "shop")]
    assert [row["day"] for row in site.usage(group_by="day").json["data"]] == ["2026-11-18"]


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        ({"owner": "acme"}, 5),
        ({"owner": "acme", "alias": "shop"}, 4),
        ({"alias": "shop"}, 5),
        ({"key": "k2"}, 1),
        ({"target": CANDIDATE, "alias": "mini"}, 0),
        ({"from": NOW - 60}, 5),
        ({"from": "2026-11-18T09:00:00Z", "to": "2026-11-18T10:00:00Z"}, 1),
        ({"from": "2026-11-18", "to": "2026-11-19"}, 6),
    ],
)
def test_usage_is_filtered(site: Site, query: dict[str, Any], requests: int) -> None:
    assert site.usage(**query).json["total"]["requests"] == requests


def test_a_tenant_sees_its_own_alone(site: Site) -> None:
    assert site.usage("tune@other").json["total"]["requests"] == 1
    assert site.usage("tune@other", owner="other", group_by="key").json["data"][0]["key"] == "k2"
    assert site.usage("tune@other", owner="acme").status == 403
    assert site.usage("predict").status == 403


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "1e999"}, "to"),
        ({"from": NOW, "to": NOW - 1}, "from"),
        ({"from": NOW - 93 * 86400}, "from"),
        ({"group_by": "owner,colour"}, "group_by"),
        ({"form": "x"}, "form"),
    ],
)
def test_what_cannot_be_asked_names_the_parameter(site: Site, query: dict[str, Any], param: str) -> None:
    answer = site.usage(**query)
    assert (answer.status, answer.error["param"]) == (400, param)


LINE: dict[str, Any] = {
    "message": "request",
    "request": "req-1",
    "path": "/v1/chat/completions",
    "status": 200.0,
    "ms": 12.5,
    "owner": "acme",
    "key": "0123456789ab",
    "target": CANDIDATE,
    "attempts": 2.0,
    "cost_usd": 0.5,
    "gen_ai.request.model": "shop",
    "gen_ai.usage.input_tokens": 7.0,
    "failed": ["a"],
    "trial": "can-1.0",
}


def event(entry: object) -> CloudEvent:
    data = base64.b64encode(entry if isinstance(entry, bytes) else json.dumps(entry).encode()).decode()
    return CloudEvent({"type": "t", "source": "s"}, {"message": {"data": data, "messageId": "1"}})


def entry(**changed: Any) -> dict[str, Any]:
    return {"insertId": "i1", "timestamp": "2026-11-18T11:06:40.5Z", "jsonPayload": {**LINE, **changed}}


def recorded(told: CloudEvent) -> Request:
    found = usage_events.recorded(told)
    assert isinstance(found, Request)
    return found


def test_a_log_entry_tells_of_a_request() -> None:
    found = recorded(event(entry()))
    assert (found.id, found.at, found.route, found.status, found.attempts) == ("req-1", NOW + 0.5, "shop", 200, 2)
    assert (found.tokens_in, found.tokens_out, found.cost_usd) == (7, 0, 0.5)
    assert (found.failed, found.trial) == (("a",), "can-1.0")


def test_a_stream_that_broke_after_its_200_is_the_hosts_error() -> None:
    assert recorded(event(entry(**{"error.type": "upstream_broke"}))).status == 502
    assert recorded(event(entry(**{"error.type": "client_left"}))).status == 200


def test_what_is_not_found_is_counted_under_no_name() -> None:
    found = recorded(event(entry(target="", status=404, **{"gen_ai.request.model": "whatever"})))
    assert (found.route, found.trial) == ("", None)


def test_a_call_that_found_its_model_asleep_is_counted_under_the_name_that_was_asked_for() -> None:
    found = recorded(event(entry(target="", status=503, asleep=["projects/p/locations/us/endpoints/1"])))
    assert (found.route, found.trial, found.asleep) == ("shop", None, ("projects/p/locations/us/endpoints/1",))


def test_an_echo_is_no_request() -> None:
    told = {"message": "request", "owner": "tuneway", "key": "echo", "status": 200.0, "ms": 0.0, "echo": "ft-1-1"}
    at = {"insertId": "i1", "timestamp": "2026-11-18T11:06:40.5Z", "jsonPayload": told}
    assert usage_events.recorded(event(at)) == Echo(deployment="ft-1-1", at=NOW + 0.5)


def test_a_line_without_an_id_has_that_of_its_entry() -> None:
    assert recorded(event(entry(request=""))).id == "i1"


@pytest.mark.parametrize(
    "bad", [b"", b"{}", b"\xff", b"[" * 5000, {"insertId": "x"}, entry(status="ok"), entry(ms=-1), entry(owner=None)]
)
def test_what_is_no_entry_is_left_to_fail(bad: Any) -> None:
    with pytest.raises(Undecodable):
        recorded(event(bad))
