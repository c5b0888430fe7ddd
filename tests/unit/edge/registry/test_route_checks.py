"""A route is looked at as a whole before it is accepted, and what is wrong is named with its remedy."""

from pathlib import Path

import pytest

from tests.unit.edge.route_desks import ONE, Desk
from tuneway.adapters.sqlite_documents import SqliteDocuments

KEYED = {"identifier": "openai/gpt-5", "secret": "env:SHOP_KEY"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(SqliteDocuments(tmp_path / "state.sqlite"))


@pytest.mark.parametrize(("body", "param"), [(KEYED, "secret"), ({"targets": [ONE, KEYED]}, "targets[1].secret")])
def test_a_secret_that_cannot_be_read_is_refused_by_its_name(desk: Desk, body: object, param: str) -> None:
    refused = desk.put(body=body)
    assert (refused.status, refused.error["param"], refused.error["code"]) == (400, param, "secret_unreadable")
    assert "'env:SHOP_KEY' cannot be read: the variable is not set. Make it" in refused.error["message"]
    assert desk.ask("GET", "/shop").status == 404


def test_a_secret_that_can_be_read_is_taken_and_never_shown(desk: Desk) -> None:
    desk.secrets.add("env:SHOP_KEY")
    put = desk.put(body=KEYED)
    assert (put.status, put.json["targets"][0]["secret"], desk.looked_at) == (200, "env:SHOP_KEY", ["env:SHOP_KEY"])


def test_a_key_that_a_vendors_row_names_is_missed_with_a_warning(desk: Desk) -> None:
    put = desk.put(body={"identifier": "openai/gpt-5"})
    assert put.status == 200
    assert put.json["warnings"] == [
        "The secret 'env:OPENAI_API_KEY' cannot be read: the variable is not set. Calls that need it will fail."
    ]


def test_a_route_without_secrets_asks_for_none(desk: Desk) -> None:
    assert "warnings" not in desk.put().json
    assert desk.looked_at == []


@pytest.mark.parametrize("field", ["fallbacks", "context_fallbacks", "content_fallbacks"])
def test_a_fallback_that_is_no_name_is_refused(desk: Desk, field: str) -> None:
    refused = desk.put(body={**ONE, field: ["vertex_ai/gemini-3.5-flash", "nobody/x"]})
    assert (refused.status, refused.error["param"]) == (400, f"{field}[1]")


def test_a_fallback_that_is_not_there_yet_is_told(desk: Desk) -> None:
    (warning,) = desk.put(body={**ONE, "fallbacks": ["later", "vertex_ai/gemini-3.5-flash"]}).json["warnings"]
    assert "'later' leads nowhere" in warning
    desk.put("later")
    assert "warnings" not in desk.put(body={**ONE, "fallbacks": ["later"]}).json


def test_a_circle_over_several_routes_is_shown_whole(desk: Desk) -> None:
    desk.put("c")
    desk.put("b", body={**ONE, "content_fallbacks": ["c"]})
    desk.put("a", body={**ONE, "context_fallbacks": ["b"]})
    refused = desk.put("c", body={**ONE, "fallbacks": ["a"]})
    assert (refused.status, refused.error["param"]) == (400, "fallbacks")
    assert "c → a → b → c" in refused.error["message"]


def test_a_route_larger_than_everything_is_refused(desk: Desk) -> None:
    huge = [{"identifier": "openai/gpt-5", "base_url": f"https://host/{n}/" + "x" * 200_000} for n in range(60)]
    refused = desk.put(body={"targets": huge})
    assert (refused.status, refused.error["code"]) == (400, "snapshot_too_large")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"prompts": {"klingon": {"system": "x"}}}, "prompts.klingon"),
        ({"prompts": {"gemini": {}}}, "prompts.gemini"),
        ({"prompts": {"gemini": {"user": "no place"}}}, "prompts.gemini.user"),
        ({"prompts": {"gemini": {"completion": "{{suffix}}"}}}, "prompts.gemini.completion"),
        ({"prompts": {"gemini": {"system": "{{user}}"}}}, "prompts.gemini.system"),
        ({"prompts": {"gemini": {"colour": "red"}}}, "prompts[...].colour"),
        ({"family": "klingon"}, "targets[0].family"),
    ],
)
def test_a_prompt_that_cannot_be_said_is_refused(desk: Desk, more: dict[str, object], param: str) -> None:
    refused = desk.put(body={**ONE, **more})
    assert (refused.status, refused.error["param"]) == (400, param)


def test_prompts_are_kept_and_told_field_by_field(desk: Desk) -> None:
    desk.put(body={**ONE, "prompts": {"default": {"system": "Be kind."}}})
    put = desk.put(body={**ONE, "prompts": {"default": {"system": "Be kind."}, "gemini": {"user": "Q: {{input}}"}}})
    assert put.json["prompts"] == {"default": {"system": "Be kind."}, "gemini": {"user": "Q: {{input}}"}}
    assert desk.ask("GET", "/shop/versions").json["data"][0]["changed"] == ["prompts.gemini.user"]


@pytest.mark.parametrize("owner", ["", " ", "x" * 129, "a\nb"])
def test_an_owner_whom_no_key_could_have_is_refused(desk: Desk, owner: str) -> None:
    refused = desk.put(body={**ONE, "owner": owner})
    assert (refused.status, refused.error["param"]) == (400, "owner")
    assert desk.put(body={**ONE, "owner": None}).status == 200
