"""What the decoder says, in JSON's words, whichever door it is said at."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes import Loop
from tests.unit.edge.asking import Asking
from tests.unit.edge.predict_door import Predict
from tests.unit.edge.quoting import quotes_of
from tuneway.edge.fine_tuning import estimates, validations
from tuneway.edge.fine_tuning import jobs as fine_tuning
from tuneway.edge.fine_tuning.estimate_views import AskEstimate
from tuneway.edge.fine_tuning.job_orders import CreateJob
from tuneway.json_words import in_json_words
from tuneway.tuning.catalogue import load
from tuneway.tuning.inspection import Inspector

PYTHON = re.compile(r"`(?:[^`]*\b)?(?:int|str|float|bool|dict|list|tuple|bytes|NoneType|None)\b[^`]*`")
WRONG: tuple[object, ...] = (None, True, 7, 1.5, "x", [], ["x"], [7], {}, {"x": 7})
KINDS = (int, float, bool, str, bytes, list[int], dict[str, int], int | None, int | str | None, bool | list[str])


def complaint(text: str, kind: type[Any]) -> str:
    try:
        msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("value", WRONG, ids=json.dumps)
def test_no_type_is_named_as_python_names_it(kind: type[Any], value: object) -> None:
    assert not PYTHON.search(in_json_words(complaint(json.dumps({"field": value}), dict[str, kind])))  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("Expected `int | null`, got `str` - at `$.a`", "Expected `integer | null`, got `string` - at `$.a`"),
        ("Expected `float` >= 0.0", "Expected `number` >= 0.0"),
        ("Expected `str` of length <= 500", "Expected `string` of length <= 500"),
        ("Expected `bool | array`, got `NoneType`", "Expected `boolean | array`, got `null`"),
        ("Expected `bytes | str`, got `list`", "Expected `string`, got `array`"),
        ("Object contains unknown field `int`", "Object contains unknown field `int`"),
        ("Invalid enum value 'str'", "Invalid enum value 'str'"),
    ],
)
def test_types_alone_are_put_into_jsons_words(said: str, plain: str) -> None:
    assert in_json_words(said) == plain


def tuning(folder: Path) -> tuple[Asking, dict[str, type[msgspec.Struct]]]:
    loop = Loop(folder)
    inspector = Inspector(loop.shelf, loop.files, catalogue=load(), now=lambda: loop.clock)
    rules = [
        *fine_tuning.rules(loop.desk, loop.approvals),
        *estimates.rules(loop.desk, quotes_of(loop)),
        *validations.rules(inspector),
    ]
    return Asking(rules), {
        "/v1/fine_tuning/jobs": CreateJob,
        "/v1/fine_tuning/estimates": AskEstimate,
        "/v1/fine_tuning/validations": validations.AskValidation,
    }


def test_the_tuning_door_speaks_json(tmp_path: Path) -> None:
    asking, bodies = tuning(tmp_path)
    for path, kind in bodies.items():
        for field in kind.__struct_fields__:
            for value in WRONG:
                answer = asking("POST", path, body={"model": "m", "training_file": "f", field: value})
                if answer.status == 400:
                    assert not PYTHON.search(answer.error["message"]), (path, field, value)


FIELDS = (
    "model",
    "messages",
    "max_tokens",
    "temperature",
    "stream",
    "stop",
    "tools",
    "metadata",
    "n",
    "input",
    "prompt",
)
SURFACES = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/messages", "/v1/messages/count_tokens")


@pytest.mark.parametrize("path", SURFACES)
async def test_the_predict_door_speaks_json(tmp_path: Path, path: str) -> None:
    predict = Predict(tmp_path)
    predict.state.key("k", "acme")
    predict.state.route("shop")
    whole = {"model": "shop", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    for field in FIELDS:
        for value in WRONG:
            answer = await predict.call("POST", path, json={**whole, field: value})
            if answer.status_code == 400:
                assert not PYTHON.search(answer.json()["error"]["message"]), (field, value)
