"""The list of models, and the paths that are none."""

from pathlib import Path

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
