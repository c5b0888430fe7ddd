"""Routes have versions: who wins, who hears of it, what was changed, and the way back."""

from pathlib import Path

import pytest

from tests.fakes import FakeEvents, Fuse
from tests.unit.edge.route_desks import ONE, Desk
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.canary_events import canary_event
from tuneway.registry.canaries.canary import Canaries
from tuneway.registry.canaries.canary_desk import CanaryDesk
from tuneway.registry.canaries.canary_plan import Plan

OTHER = {"identifier": "vertex_ai/gemini-3.5-pro"}
THIRD = {"identifier": "vertex_ai/codestral-2"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(SqliteDocuments(tmp_path / "state.sqlite"))


def test_an_answer_says_its_version_in_the_body_and_in_its_etag(desk: Desk) -> None:
    put, got = desk.put(), desk.ask("GET", "/shop")
    assert (put.json["version"], put.headers["etag"]) == (1, '"1"') == (got.json["version"], got.headers["etag"])
    assert desk.put(body=OTHER).headers["etag"] == '"2"'


@pytest.mark.parametrize("tag", ['"1"', "1", 'W/"1"'])
def test_a_change_meant_for_an_old_version_loses_and_is_told_the_current_one(desk: Desk, tag: str) -> None:
    desk.put()
    desk.put(body=OTHER, if_match=tag)
    late = desk.put(body=THIRD, if_match=tag)
    assert (late.status, late.error["code"], late.error["param"]) == (409, "stale_version", "version")
    assert (late.headers["etag"], late.json["current"]["version"]) == ('"2"', 2)
    assert late.json["current"]["targets"] == desk.ask("GET", "/shop").json["targets"]
    assert "at version 2 now, not 1" in late.error["message"]


def test_the_version_may_stand_in_the_body(desk: Desk) -> None:
    desk.put()
    assert desk.put(body={**OTHER, "version": 1}).json["version"] == 2
    assert desk.put(body={**THIRD, "version": 1}).status == 409
    assert desk.put(body={**THIRD, "version": 2}, if_match='"1"').status == 400
    assert desk.put(body={**THIRD, "version": "two"}).error["param"] == "version"


def test_a_route_can_be_made_only_if_there_is_none(desk: Desk) -> None:
    assert desk.put(if_none_match="*").status == 200
    again = desk.put(body=OTHER, if_none_match="*")
    assert (again.status, again.json["current"]["version"]) == (409, 1)


def test_a_removal_loses_to_a_change_too(desk: Desk) -> None:
    desk.put()
    desk.put(body=OTHER)
    assert desk.ask("DELETE", "/shop", if_match='"1"').status == 409
    assert desk.ask("DELETE", "/shop", if_match='"2"').status == 200
    gone = desk.put(if_match='"2"')
    assert (gone.status, gone.json.get("current")) == (409, None)


def test_a_tag_that_is_none_is_refused(desk: Desk) -> None:
    assert desk.put(if_match='"abc"').status == 400


def test_the_same_put_twice_is_one_version(desk: Desk) -> None:
    assert desk.put().json == desk.put().json
    assert len(desk.ask("GET", "/shop/versions").json["data"]) == 1


def test_the_history_says_who_changed_what(desk: Desk) -> None:
    desk.put()
    desk.put(body={**OTHER, "retries": 2})
    desk.ask("DELETE", "/shop", key="admin@other")
    rows = desk.ask("GET", "/shop/versions").json["data"]
    assert [(row["version"], row["author"], row["removed"]) for row in rows] == [
        (3, "other", True),
        (2, "acme", False),
        (1, "acme", False),
    ]
    assert rows[1]["changed"] == ["targets[0].resource", "retries"]


def test_the_history_comes_in_pages(desk: Desk) -> None:
    for retries in range(5):
        desk.put(body={**ONE, "retries": retries})
    first = desk.ask("GET", "/shop/versions?limit=2").json
    rest = desk.ask("GET", "/shop/versions?limit=9&before=4").json
    assert ([row["version"] for row in first["data"]], first["has_more"]) == ([5, 4], True)
    assert ([row["version"] for row in rest["data"]], rest["has_more"]) == ([3, 2, 1], False)
    assert desk.ask("GET", "/shop/versions?before=x").error["param"] == "before"


@pytest.mark.parametrize("before", ["0", "1"])
def test_a_page_before_the_first_version_is_empty(desk: Desk, before: str) -> None:
    desk.put()
    found = desk.ask("GET", f"/shop/versions?before={before}")
    assert (found.status, found.json) == (200, {"object": "list", "data": [], "has_more": False})


def test_a_limit_of_thousands_of_digits_is_refused(desk: Desk) -> None:
    desk.put()
    assert desk.ask("GET", f"/shop/versions?limit={'9' * 5000}").error["param"] == "limit"


def test_a_version_shows_the_route_and_what_is_different(desk: Desk) -> None:
    desk.put()
    desk.put(body={**ONE, "retries": 2, "timeouts": {"total": 9}})
    found = desk.ask("GET", "/shop/versions/2").json
    assert (found["version"], found["against"], found["route"]["retries"]) == (2, 1, 2)
    assert found["diff"] == [
        {"field": "retries", "before": None, "after": 2},
        {"field": "timeouts.total", "before": None, "after": 9.0},
    ]


def test_any_two_versions_can_be_held_against_each_other(desk: Desk) -> None:
    for body in (ONE, OTHER, THIRD):
        desk.put(body=body)
    (found,) = desk.ask("GET", "/shop/versions/1?against=3").json["diff"][:1]
    assert (found["field"], found["before"].rpartition("/")[2]) == ("targets[0].resource", "codestral-2")


def test_the_first_version_is_all_new_and_a_removal_takes_all(desk: Desk) -> None:
    desk.put()
    desk.ask("DELETE", "/shop")
    assert all(one["before"] is None for one in desk.ask("GET", "/shop/versions/1").json["diff"])
    assert all(one["after"] is None for one in desk.ask("GET", "/shop/versions/2").json["diff"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/never/versions", 404),
        ("/shop/versions/9", 404),
        ("/shop/versions/x", 400),
        ("/shop/versions/1?against=7", 404),
    ],
)
def test_what_never_was_is_not_found(desk: Desk, path: str, status: int) -> None:
    desk.put()
    assert desk.ask("GET", path).status == status


@pytest.mark.parametrize("path", ["/shop:rollback", "/shop/rollback"])
def test_a_rollback_is_one_step_back_and_a_new_version(desk: Desk, path: str) -> None:
    first = desk.put().json
    desk.put(body=OTHER)
    back = desk.ask("POST", path).json
    assert (back["version"], back["rolled_back_to"], back["targets"]) == (3, 1, first["targets"])
    newest = desk.ask("GET", "/shop/versions").json["data"][0]
    assert (newest["version"], newest["reason"]) == (3, "Rolled back to version 1.")
    assert desk.ask("POST", path).json["rolled_back_to"] == 2  # and back again


class Trying:
    """A desk's route with a canary on it."""

    def __init__(self, desk: Desk, documents: SqliteDocuments) -> None:
        desk.put(body=THIRD)
        self.first = desk.put().json["targets"]
        desk.put("tuned", body=OTHER)
        canaries = Canaries(documents, FakeEvents(Fuse()), now=lambda: 5.0, announce=canary_event)
        self.canary = CanaryDesk(canaries, new_id=lambda: "1")
        self.canary.start("shop", "tuned", Plan(steps=(50.0,)), by="ann")


@pytest.fixture
def trying(desk: Desk, tmp_path: Path) -> Trying:
    return Trying(desk, SqliteDocuments(tmp_path / "state.sqlite"))


def test_a_promotion_is_taken_back_as_a_whole(desk: Desk, trying: Trying) -> None:
    trying.canary.promote("shop", by="ann")
    back = desk.ask("POST", "/shop:rollback").json
    assert (back["rolled_back_to"], back["targets"]) == (2, trying.first)
    assert desk.ask("POST", "/shop:rollback").json["rolled_back_to"] == 4  # and promoted again


def test_a_canary_that_is_under_way_is_taken_back_as_a_whole(desk: Desk, trying: Trying) -> None:
    back = desk.ask("POST", "/shop:rollback").json
    assert (back["rolled_back_to"], back["targets"], "trial" in back) == (2, trying.first, False)


def test_a_canary_that_was_taken_back_is_no_step(desk: Desk, trying: Trying) -> None:
    trying.canary.abort("shop", by="ann")
    assert desk.ask("POST", "/shop:rollback").json["rolled_back_to"] == 1


def test_a_rollback_may_name_its_version(desk: Desk) -> None:
    for body in (ONE, OTHER, THIRD):
        desk.put(body=body)
    back = desk.ask("POST", "/shop:rollback", body={"to": 1}).json
    assert back["targets"][0]["resource"].endswith("gemini-3.5-flash")


def test_a_removed_route_comes_back_by_a_rollback(desk: Desk) -> None:
    first = desk.put().json
    desk.ask("DELETE", "/shop")
    assert desk.ask("POST", "/shop:rollback").json["targets"] == first["targets"]
    assert desk.ask("GET", "/shop").json["version"] == 3


def test_a_rollback_can_lose_as_any_change(desk: Desk) -> None:
    desk.put()
    desk.put(body=OTHER)
    lost = desk.ask("POST", "/shop:rollback", body={"version": 1})
    assert (lost.status, lost.json["current"]["version"]) == (409, 2)
    assert desk.ask("POST", "/shop:rollback", if_match='"1"').status == 409


def test_a_rollback_to_nothing_is_refused(desk: Desk) -> None:
    desk.put()
    assert desk.ask("POST", "/shop:rollback").status == 404
    assert desk.ask("POST", "/never:rollback").status == 404
    desk.ask("DELETE", "/shop")
    assert desk.ask("POST", "/shop:rollback", body={"to": 2}).error["param"] == "to"
    assert desk.ask("POST", "/shop:rollback", body={"colour": 1}).error["param"] == "colour"


def test_what_is_gone_back_to_is_looked_at_again(desk: Desk) -> None:
    desk.secrets.add("env:KEY")
    desk.put(body={"identifier": "openai/gpt-5", "secret": "env:KEY"})
    desk.put()
    desk.secrets.clear()
    refused = desk.ask("POST", "/shop:rollback")
    assert (refused.status, refused.error["param"]) == (400, "targets[0].secret")
    desk.put("other", body={**ONE, "fallbacks": ["shop"]})


def test_a_rollback_closes_no_circle(desk: Desk) -> None:
    desk.put(body={**ONE, "fallbacks": ["other"]})
    desk.put()
    desk.put("other", body={**ONE, "fallbacks": ["shop"]})
    refused = desk.ask("POST", "/shop:rollback")
    assert (refused.status, refused.error["param"]) == (400, "fallbacks")


def test_the_history_is_for_admins(desk: Desk) -> None:
    desk.put()
    for method, path in (("GET", "/shop/versions"), ("GET", "/shop/versions/1"), ("POST", "/shop:rollback")):
        assert desk.ask(method, path, key="tune").status == 403
