"""Whatever a server sends, the caller gets an answer of OpenAI's shape or one clear error."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.prediction.asking import exchange
from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.openai.passage import Kind, passage_of
from tuneway.prediction.dialects.openai.passing import StreamPass
from tuneway.prediction.dialects.openai.response import from_response, passed_back
from tuneway.prediction.dialects.openai.stream import StreamDecoder

LEAF = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "x", "stop", "assistant", "{}"])


def fields(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of the fields, each what it should be or anything else."""
    return st.fixed_dictionaries({}, optional=values) | LEAF


def several(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(item, max_size=2) | item


PART = fields(type=LEAF, text=LEAF, thinking=several(fields(text=LEAF)))
CALL = fields(id=LEAF, type=LEAF, index=LEAF, function=fields(name=LEAF, arguments=fields(a=LEAF)), custom=LEAF)
SAID = fields(role=LEAF, content=several(PART), reasoning=LEAF, refusal=LEAF, tool_calls=several(CALL))
TOKEN = fields(token=LEAF, logprob=LEAF, top_logprobs=several(fields(token=LEAF)))
CHOICE = fields(
    index=LEAF, delta=SAID, message=SAID, text=LEAF, finish_reason=LEAF, logprobs=fields(content=several(TOKEN))
)
USAGE = fields(prompt_tokens=LEAF, completion_tokens=LEAF, total_tokens=LEAF, prompt_tokens_details=fields(x=LEAF))
BODY = fields(id=LEAF, created=LEAF, model=LEAF, usage=USAGE, choices=several(CHOICE))
KINDS: list[Kind] = ["chat", "text"]


@settings(deadline=None, max_examples=300)
@given(st.lists(BODY, max_size=3), st.sampled_from(KINDS))
def test_a_stream_of_anything_ends_well_or_in_one_error(events: list[Any], kind: Kind) -> None:
    passing = StreamPass(passage_of(b'{"model": "m"}', answer_id="chatcmpl-1", created=1, kind=kind))
    decoder = StreamDecoder(exchange())
    with suppress(UpstreamError):
        told = b"".join(passing.decode(json.dumps(event).encode()) for event in events) + passing.flush()
        assert told.endswith(b"data: [DONE]\n\n")
        assert {json.loads(piece[6:])["model"] for piece in told.split(b"\n\n")[:-2]} == {"m"}
    with suppress(UpstreamError):
        assert [chunk for event in events for chunk in decoder.decode(json.dumps(event).encode())] + decoder.flush()


@settings(deadline=None, max_examples=300)
@given(BODY, st.sampled_from(KINDS))
def test_an_answer_of_anything_is_told_or_one_error(body: Any, kind: Kind) -> None:
    passage = passage_of(b'{"model": "m"}', answer_id="chatcmpl-1", created=1, kind=kind)
    with suppress(UpstreamError):
        assert json.loads(passed_back(json.dumps(body).encode(), passage).body)["model"] == "m"
    with suppress(UpstreamError):
        assert from_response(json.dumps(body).encode(), exchange()).choices
