import pytest

from tests.unit.prediction.asking import CONTAINER, RAW, ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.instances.request import prompt_of, to_request


def test_what_is_not_text_has_no_prompt() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert prompt_of(ask({"role": "assistant", "tool_calls": [call]}).messages) is None


def test_an_empty_answer_is_an_empty_line() -> None:
    messages = ask({"role": "assistant"}, {"role": "user", "content": "Hi"}).messages
    assert prompt_of(messages) == "Assistant: \n\nUser: Hi\n\nAssistant:"


def test_only_a_streamed_raw_call_asks_for_a_stream() -> None:
    asked = [to_request(ask(stream=stream), target) for stream in (False, True) for target in (CONTAINER, RAW)]
    assert ["stream" in body for body in asked] == [False, False, False, True]


def test_tools_are_refused_by_name() -> None:
    with pytest.raises(BadInput) as caught:
        to_request(ask(tools=[{"type": "function", "function": {"name": "f"}}]), CONTAINER)
    assert caught.value.param == "tools"
