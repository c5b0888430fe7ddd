"""Every golden folder of this surface, both ways; see README.md."""

import copy
import json
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from google.cloud.aiplatform_v1beta1.types import GenerateContentRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden.messages.goldens import CASES, asked, events, golden, hosts_request, message, name
from tests.splits import splits
from tuneway.prediction.surfaces.messages.chat import to_chat


def sdk(body: bytes, kind: str) -> anthropic.Anthropic:
    """The SDK on a host that answers with ``body``."""
    answer = httpx2.Response(200, headers={"content-type": kind}, content=body)
    client = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    return anthropic.Anthropic(api_key="sk-test", max_retries=0, http_client=client)


def question(case: Path) -> Any:
    return {field: value for field, value in golden(case, "messages.json").items() if field in {"model", "max_tokens"}}


def plain(said: anthropic.types.Message) -> Any:
    return said.model_dump(mode="json", exclude_unset=True, exclude_none=True)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_messages_request_becomes_the_hosts_request(case: Path) -> None:
    assert hosts_request(case) == golden(case, "request.json")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_hosts_answer_becomes_a_message(case: Path) -> None:
    assert message(case) == golden(case, "message.json")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_hosts_stream_becomes_anthropics_events(case: Path) -> None:
    assert events(case, (case / "stream.sse").read_bytes()) == (case / "events.sse").read_bytes()


@pytest.mark.parametrize("case", CASES, ids=name)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_split_of_a_stream_gives_the_same_events(case: Path, data: st.DataObject) -> None:
    body = (case / "stream.sse").read_bytes()
    assert events(case, *data.draw(splits(body))) == (case / "events.sse").read_bytes()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_anthropic_sdk_reads_the_message(case: Path) -> None:
    client = sdk((case / "message.json").read_bytes(), "application/json")
    said = client.messages.create(messages=[{"role": "user", "content": "Hi"}], **question(case))
    expected = {field: value for field, value in golden(case, "message.json").items() if value is not None}
    assert plain(said) == expected


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_anthropic_sdk_makes_the_message_of_the_events(case: Path) -> None:
    client = sdk((case / "events.sse").read_bytes(), "text/event-stream")
    with client.messages.stream(messages=[{"role": "user", "content": "Hi"}], **question(case)) as stream:
        said = plain(stream.get_final_message())
    expected = {field: value for field, value in golden(case, "message.json").items() if value is not None}
    assert said == expected


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("gemini")], ids=name)
def test_gemini_requests_are_what_googles_proto_knows(case: Path) -> None:
    body = golden(case, "request.json")
    # Not in the v1beta1 proto yet, though in Google's Gemini 3 guide and in google-genai.
    body["generationConfig"].get("thinkingConfig", {}).pop("thinkingLevel", None)
    GenerateContentRequest.from_json(json.dumps(body), ignore_unknown_fields=False)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_transforms_leave_their_input_unchanged(case: Path) -> None:
    request = asked(case)
    before = copy.deepcopy(request)
    to_chat(request)
    assert request == before
