"""``/v1/fine_tuning/base_models``: the catalogue over HTTP."""

import json

import pytest

from tests.unit.edge.asking import NOW, Asked, Asking
from tuneway.edge.fine_tuning.base_models import rules
from tuneway.tuning.catalogue import load

PATH = "/v1/fine_tuning/base_models"


@pytest.fixture
def ask() -> Asking:
    return Asking(rules(load(), now=lambda: NOW))


def ids(answer: Asked) -> list[str]:
    assert answer.status == 200
    assert (answer.json["object"], answer.json["has_more"]) == ("list", False)
    return [row["id"] for row in answer.json["data"]]


def test_the_list_holds_every_row_in_openais_shape(ask: Asking) -> None:
    answer = ask("GET", PATH)
    assert ids(answer) == [model.name for model in load().models]
    assert {row["object"] for row in answer.json["data"]} == {"fine_tuning.base_model"}


def test_a_row_tells_all_that_is_known_with_its_source(ask: Asking) -> None:
    row = ask("GET", f"{PATH}/gemini-3.5-flash").json
    assert (row["id"], row["tunable"], row["status"], row["reason"]) == ("gemini-3.5-flash", True, "tunable", None)
    assert row["ranges"]["adapter_sizes"] == [1, 2, 4, 8, 16]
    assert row["ranges"]["epochs"]["high"] == 10
    assert row["limits"]["row_tokens"] == 131_072
    assert (row["price"], row["stand_in"]["model"]) == (None, "gemini-2.5-flash")
    assert row["source"]
    assert row["released"] == "2026-05-19"


def test_a_retired_row_says_why_since_when_and_what_instead(ask: Asking) -> None:
    row = ask("GET", f"{PATH}/gemini-2.5-flash").json
    assert (row["tunable"], row["status"], row["retired_on"]) == (False, "retired", "2026-10-20")
    assert "2026-10-20" in row["reason"]
    assert row["successor"] == "gemini-3.5-flash"


@pytest.mark.parametrize(
    "name",
    [
        "meta/llama3_1@llama-3.1-8b",
        "meta%2Fllama3_1%40llama-3.1-8b",
        "llama-3.1-8b",
        "vertex_ai/llama-3.1-8b",
        "publishers/meta/models/llama3_1@llama-3.1-8b",
        "llama-3.1-8b/",
    ],
)
def test_a_base_is_looked_up_by_any_of_its_names_slashes_and_all(ask: Asking, name: str) -> None:
    assert ask("GET", f"{PATH}/{name}").json["id"] == "meta/llama3_1@llama-3.1-8b"


def test_an_unknown_base_is_404_and_offers_others(ask: Asking) -> None:
    answer = ask("GET", f"{PATH}/gpt-4o")
    assert (answer.status, answer.error["param"], answer.error["code"]) == (404, "model", "model_not_found")
    assert "gemini-3.5-flash" in answer.error["message"]


def test_tunable_divides_the_list(ask: Asking) -> None:
    yes, no = ids(ask("GET", f"{PATH}?tunable=true")), ids(ask("GET", f"{PATH}?tunable=false"))
    assert set(yes) | set(no) == set(ids(ask("GET", PATH)))
    assert not set(yes) & set(no)
    assert "gemini-2.5-flash" in no
    assert "gemini-3.5-flash" in yes


def test_filters_work_together(ask: Asking) -> None:
    assert ids(ask("GET", f"{PATH}?family=gemini&tunable=true&method=dpo")) == [
        "gemini-3.5-flash",
        "gemini-3.5-flash-lite",
        "gemini-3.1-flash-lite",
    ]
    bedrock = ask("GET", f"{PATH}?backend=bedrock&family=llama").json["data"]
    assert {row["backend"] for row in bedrock} == {"bedrock"}
    assert ids(ask("GET", f"{PATH}?family=nova&method=dpo")) == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("tunable=yes", "tunable"),
        ("family=gpt", "family"),
        ("backend=azure", "backend"),
        ("method=magic", "method"),
        ("famly=gemini", "famly"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_its_name(ask: Asking, query: str, param: str) -> None:
    answer = ask("GET", f"{PATH}?{query}")
    assert (answer.status, answer.error["param"]) == (400, param)
    assert "Use" in answer.error["message"]


def test_it_takes_a_key_that_may_tune(ask: Asking) -> None:
    assert ask("GET", PATH, key=None).status == 401
    assert ask("GET", PATH, key="predict").status == 403
    assert ask("POST", PATH).status == 405


def test_the_list_is_json_that_reads_itself(ask: Asking) -> None:
    assert json.loads(ask("GET", PATH).content)["data"]
