import json
from collections.abc import Mapping
from typing import Any

import pytest

from tuneway.api.answers import Message
from tuneway.api.errors import BadRequestError
from tuneway.api.options import Asked, asked

HELLO = [{"role": "user", "content": "Hello"}]


class Modelled:
    """What Pydantic's objects and classes have in common."""

    @classmethod
    def model_json_schema(cls) -> dict[str, object]:
        return {"type": "object"}

    def model_dump(self, *, mode: str, exclude_none: bool) -> dict[str, object]:
        return {"role": "assistant", "content": f"{mode} {exclude_none}"}


def question(**options: object) -> Asked:
    return asked("openai/gpt-5", HELLO, options, stream=False)


def sent(call: Asked) -> Mapping[str, Any]:
    return dict(json.loads(call.body))


def test_what_is_for_the_model_is_sent_and_the_rest_is_not() -> None:
    call = question(temperature=0.5, vertex_project="shop", api_key="secret", top_k=None, extra_body={"odd": 1})
    assert sent(call) == {"model": "openai/gpt-5", "messages": HELLO, "temperature": 0.5, "odd": 1}
    assert (call.way.vertex_project, call.way.api_key) == ("shop", "secret")


def test_a_stream_says_so() -> None:
    assert sent(asked("m", HELLO, {}, stream=True))["stream"] is True


def test_all_parameters_may_be_dropped_by_one_word() -> None:
    assert question(seed=1, user="me", drop_params=True).way.drop_params == ("seed", "user")
    assert question(seed=1, drop_params=False).way.drop_params == ()
    assert question(seed=1, drop_params=["seed"]).way.drop_params == ("seed",)


def test_openais_name_of_retries_is_taken_too() -> None:
    assert question(max_retries=3).way.num_retries == 3


def test_credentials_may_be_an_object_and_headers_are_lower_case() -> None:
    way = question(vertex_credentials={"type": "x"}, extra_headers={"X-Team": "shoes"}).way
    assert way.vertex_credentials == '{"type":"x"}'
    assert way.extra_headers == (("x-team", "shoes"),)


def test_a_tuneway_is_asked_for_a_provider_by_name() -> None:
    call = question(base_url="http://there", custom_llm_provider="vertex_ai")
    assert sent(call)["model"] == "vertex_ai/openai/gpt-5"


def test_objects_of_sdks_are_written_as_json() -> None:
    call = asked(
        "m", [Modelled(), Message({"role": "user", "content": "Hi"})], {"response_format": Modelled}, stream=False
    )
    schema = {"type": "json_schema", "json_schema": {"name": "Modelled", "schema": {"type": "object"}}}
    assert sent(call)["messages"] == [
        {"role": "assistant", "content": "json True"},
        {"role": "user", "content": "Hi"},
    ]
    assert sent(call)["response_format"] == schema


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"timeout": "soon"}, "timeout"),
        ({"extra_body": 3}, "extra_body"),
        ({"user": object()}, "messages"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequestError) as fault:
        question(**options)
    assert fault.value.param == param
