"""The list of models, and the paths that are none."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.edge.predict_door import Predict
from tuneway.access.keys import Scope


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    made.state.route("shop")
    made.state.route("own", owner="acme")
    made.state.route("secret", owner="rival")
    return made


async def test_a_caller_sees_the_aliases_it_may_call(predict: Predict) -> None:
    listed = (await predict.call("GET", "/v1/models")).json()
    assert listed["object"] == "list"
    assert {model["id"] for model in listed["data"]} == {"shop", "own"}


async def test_an_admin_sees_them_all(predict: Predict) -> None:
    predict.state.key("root", "ops", Scope.ADMIN)
    listed = (await predict.call("GET", "/v1/models", key="root")).json()
    assert {model["id"] for model in listed["data"]} == {"shop", "own", "secret"}


async def test_a_model_has_openais_fields(predict: Predict) -> None:
    expected = {"id": "own", "object": "model", "created": 7, "owned_by": "acme"}
    assert (await predict.call("GET", "/v1/models/own")).json() == expected


@pytest.mark.parametrize("name", ["secret", "nothing", "vertex_ai/endpoints/1"])
async def test_another_tenants_model_is_not_found(predict: Predict, name: str) -> None:
    answer = await predict.call("GET", f"/v1/models/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


async def test_a_slash_at_the_end_changes_nothing(predict: Predict) -> None:
    assert (await predict.call("GET", "/v1/models/")).json()["object"] == "list"
    assert (await predict.call("GET", "/v1/models/own/")).json()["id"] == "own"


async def test_what_can_be_got_can_be_asked_for_its_head(predict: Predict) -> None:
    assert (await predict.call("HEAD", "/v1/models/own")).status_code == 200
    assert (await predict.call("HEAD", "/v1/models", key="stranger")).status_code == 401
    assert (await predict.call("HEAD", "/v1/chat/completions")).status_code == 405


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/v1/messages"])
async def test_a_base_url_with_too_little_or_too_much_is_told_what_to_end_in(predict: Predict, path: str) -> None:
    error = (await predict.call("POST", path)).json()["error"]
    assert f"{path}. A base_url ends in /v1 for OpenAI's clients" in error["message"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/images", "/v2/models"])
async def test_an_unknown_path_is_404_in_openais_shape(predict: Predict, path: str) -> None:
    answer = await predict.call("GET", path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_url"


@pytest.mark.parametrize(
    ("wrong", "allow"),
    [("GET /v1/chat/completions", "POST"), ("POST /v1/models", "GET"), ("DELETE /v1/models/shop", "GET")],
)
async def test_a_wrong_method_is_405_and_says_which_is_right(predict: Predict, wrong: str, allow: str) -> None:
    answer = await predict.call(*wrong.split())
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_the_list_needs_a_key(predict: Predict) -> None:
    assert (await predict.call("GET", "/v1/models", key=None)).status_code == 401


async def test_an_installation_without_state_knows_no_key(predict: Predict) -> None:
    predict.state.snapshot = None
    assert (await predict.call("GET", "/v1/models")).status_code == 401


ANTHROPIC = {"anthropic-version": "2023-06-01"}


async def page(predict: Predict, **query: object) -> Any:
    return (await predict.call("GET", "/v1/models", headers=ANTHROPIC, params=query)).json()


@pytest.fixture
def many(predict: Predict) -> Predict:
    for name in "abcde":
        predict.state.route(name)
    return predict


async def test_anthropics_clients_get_anthropics_fields(predict: Predict) -> None:
    known = {"id": "own", "display_name": "own", "type": "model", "created_at": "1970-01-01T00:00:07Z"}
    one = (await predict.call("GET", "/v1/models/own", headers=ANTHROPIC)).json()
    assert known.items() <= one.items()
    listed = await page(predict)
    assert listed == {"data": listed["data"], "has_more": False, "first_id": "shop", "last_id": "own"}
    assert one in listed["data"]


async def test_pages_go_forth_and_back(many: Predict) -> None:
    first = await page(many, limit=3)
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (["shop", "own", "e"], True)
    second = await page(many, limit=3, after_id=first["last_id"])
    assert ([one["id"] for one in second["data"]], second["has_more"]) == (["d", "c", "b"], True)
    assert await page(many, limit=3, before_id=second["first_id"]) == {**first, "has_more": False}
    assert (await page(many, limit=2, before_id="d"))["has_more"] is True
    end = await page(many, after_id="a")
    assert end == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"limit": "9" * 5000}, {"after_id": "z"}, {"before_id": "z"}],
)
async def test_a_page_that_cannot_be_is_refused_by_name(many: Predict, query: dict[str, object]) -> None:
    answer = await many.call("GET", "/v1/models", headers=ANTHROPIC, params=query)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert next(iter(query)) in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "key", "status", "kind"),
    [
        ("/v1/models/nothing", "k", 404, "not_found_error"),
        ("/v1/models", "wrong", 401, "authentication_error"),
        ("/v1/nothing", "k", 404, "not_found_error"),
    ],
)
async def test_anthropics_clients_are_told_of_faults_in_their_shape(
    predict: Predict, path: str, key: str, status: int, kind: str
) -> None:
    answer = await predict.call("GET", path, key=key, headers=ANTHROPIC)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.headers["request-id"] == answer.json()["request_id"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/messages"])
async def test_anthropics_header_bears_a_key_on_every_path(predict: Predict, path: str) -> None:
    for key, admitted in (("k", True), ("wrong", False)):
        answer = await predict.call("POST", path, key=None, headers={"x-api-key": key}, json={})
        assert (answer.status_code != 401) is admitted
