import json
from typing import Any

import pytest

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.instances.response import from_response


def texts(body: Any) -> list[str | None]:
    completion = from_response(json.dumps(body).encode(), exchange())
    return [choice.message.content for choice in completion.choices]


@pytest.mark.parametrize(
    "prediction",
    [
        "hi",
        ["hi"],
        [["hi"]],
        {"content": "hi"},
        {"text": "hi"},
        {"output": "hi"},
        {"output_text": "hi"},
        {"outputs": ["hi"]},
        {"generated_text": "hi"},
        [{"generated_text": "hi"}],
        {"generated_text": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "hi"}]},
        {"prediction": "hi"},
        {"predictions": ["hi"]},
        {"response": "hi"},
        {"completion": "hi"},
        {"answer": "hi"},
        {"result": "hi"},
        {"results": [{"text": "hi"}]},
        {"generations": [{"text": "hi"}]},
        {"outputs": [{"name": "text_output", "datatype": "BYTES", "shape": [1], "data": ["hi"]}]},
        {"choices": [], "message": "ok", "generation": "hi"},
        {"message": {"role": "assistant", "content": "hi"}},
        {"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]},
        {"candidates": [{"content": "hi"}]},
        {"candidates": [{"content": {"parts": [{"text": "h"}, {"text": "i"}]}}]},
        {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]},
        {"choices": [{"text": "hi"}]},
        "Prompt:\nHi\nOutput:\nhi",
        "Prompt:\nsomething else\nOutput:\nhi",
    ],
)
def test_every_shape_in_common_use_is_read(prediction: Any) -> None:
    assert texts({"predictions": [prediction]}) == texts({"predictions": prediction}) == texts(prediction) == ["hi"]


def test_several_predictions_are_several_choices() -> None:
    assert texts({"predictions": ["a", ["b", {"text": ["c", "d"]}]]}) == ["a", "b", "c", "d"]


def test_an_empty_text_is_an_answer() -> None:
    assert texts({"predictions": [{"content": ""}]}) == [""]


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ({"predictions": [{"scores": [0.1], "ok": True, "no": None}]}, "[{scores: [number], ok: boolean, no: null}]"),
        ({"predictions": []}, "{predictions: []}"),
        ({}, "{}"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "{a: {b: {c: {d: {…}}}}}"),
        ({"a": [[[[["x"]]]]]}, "{a: [[[[…]]]]}"),
        ({str(key): "x" for key in range(20)}, "…}"),
        ({"predictions": [{"content": []}]}, "{predictions: [{content: []}]}"),
        (5, "number"),
    ],
)
def test_an_unknown_shape_is_shown_not_answered(body: Any, shape: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        texts(body)
    assert caught.value.status == 502
    assert shape in caught.value.message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"error": "out of memory"}'])
def test_what_is_no_prediction_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        from_response(body, exchange())
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("length", "length"), ("MAX_TOKENS", "length"), ("eos_token", "stop"), ("SAFETY", "content_filter"), ("", "stop")],
)
def test_the_containers_reason_is_told(reason: str, finish: str) -> None:
    body = json.dumps({"predictions": [{"text": "x", "finishReason": reason}]}).encode()
    assert from_response(body, exchange()).choices[0].finish_reason == finish


def test_counted_tokens_are_told_and_guessed_ones_marked() -> None:
    counted = from_response(b'{"text": "x", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}', exchange()).usage
    guessed = from_response(b'{"text": "12345", "usage": {"prompt_tokens": "3"}}', exchange()).usage
    assert (counted.total_tokens, counted.estimated is True) == (4, False)
    assert (guessed.total_tokens, guessed.estimated is True) == (3, True)


@pytest.mark.parametrize("depth", [500, 900])
def test_a_prediction_without_a_floor_is_shown_not_a_crash(depth: int) -> None:
    for opened, closed in ((b"[", b"]"), (b'{"output":', b"}")):
        with pytest.raises(UpstreamError, match="holds no text") as caught:
            from_response(b'{"predictions":' + opened * depth + b'"x"' + closed * depth + b"}", exchange())
        assert caught.value.status == 502


@pytest.mark.parametrize("odd", [True, None, "3", 1.5])
def test_what_is_no_count_is_not_taken_for_one(odd: object) -> None:
    body = {"predictions": ["x"], "usage": {"prompt_tokens": odd, "completion_tokens": 2}}
    assert from_response(json.dumps(body).encode(), exchange()).usage.estimated is True
