import copy
import json
import pickle

import pytest

from tuneway.api.answers import Message, ModelResponse, ModelResponseStream, Record

CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
FIELDS = {
    "id": "chatcmpl-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}, "new": {"a": 1}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def test_fields_are_attributes_and_keys_alike() -> None:
    answer = ModelResponse(FIELDS)
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.name == "look"
    assert answer.usage.total_tokens == answer["usage"]["total_tokens"] == answer.usage.get("total_tokens") == 3  # type: ignore[index]


def test_a_usual_field_that_is_absent_is_none() -> None:
    assert ModelResponse(FIELDS).choices[0].message.reasoning_content is None
    assert ModelResponseStream({"choices": [{"delta": {}}]}).choices[0].delta.content is None


def test_an_unknown_field_is_there_when_it_was_sent_and_an_error_otherwise() -> None:
    assert ModelResponse(FIELDS).choices[0].new == Record({"a": 1})
    with pytest.raises(AttributeError, match="no field 'newer'"):
        ModelResponse(FIELDS).choices[0].newer  # noqa: B018
    assert not hasattr(ModelResponse(FIELDS), "__wrapped__")


def test_a_dump_is_what_was_received() -> None:
    answer = ModelResponse.from_json(json.dumps(FIELDS))
    assert answer.model_dump() == answer.to_dict() == FIELDS
    assert json.loads(answer.model_dump_json()) == json.loads(json.dumps(answer)) == answer.json() == FIELDS
    assert type(answer.model_dump()["usage"]) is dict


def test_a_dump_takes_what_sdks_pass_on() -> None:
    """Those that write an answer into a request of their own, as pydantic's objects are."""
    assert ModelResponse(FIELDS).model_dump(mode="json", exclude_unset=True) == FIELDS


def test_an_answer_survives_being_pickled() -> None:
    answer = pickle.loads(pickle.dumps(ModelResponse(FIELDS)))  # noqa: S301 - our own bytes
    assert answer == ModelResponse(FIELDS)
    assert answer.choices[0].message.role == "assistant"


def test_a_dump_can_leave_nulls_out() -> None:
    assert Message({"role": "assistant", "content": None}).model_dump(exclude_none=True) == {"role": "assistant"}


def test_a_field_can_be_set_and_an_answer_copied() -> None:
    message = Message({"role": "assistant", "content": "Hello"})
    message.content = "Bye"
    assert copy.deepcopy(message) == message == {"role": "assistant", "content": "Bye"}
