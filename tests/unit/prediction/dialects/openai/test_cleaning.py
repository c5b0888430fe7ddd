"""What servers send, made what OpenAI's document says, where only a server of few words shows it."""

from typing import Any

import pytest

from tuneway.prediction.dialects.openai.cleaning import clean_chunk
from tuneway.prediction.dialects.openai.passage import Passage

PASSAGE = Passage(body=b"{}", model="alias", id="chatcmpl-1", created=1)


def piece(function: dict[str, Any]) -> Any:
    call = {"index": 0, "function": function}
    chunk: dict[str, Any] = clean_chunk({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}, PASSAGE)
    return chunk["choices"][0]["delta"]["tool_calls"][0]


def test_a_first_piece_that_is_a_name_alone_gets_an_id_and_no_arguments() -> None:
    assert piece({"name": "now"}) == {
        "index": 0,
        "id": "call_1_0_0",
        "type": "function",
        "function": {"name": "now"},
    }


@pytest.mark.parametrize("function", [{}, {"name": None}, {"name": "", "arguments": None}])
def test_a_later_piece_that_says_nothing_gets_nothing(function: dict[str, Any]) -> None:
    assert piece(function)["index"] == 0
    assert "id" not in piece(function)
